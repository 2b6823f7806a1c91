/** The client's names: what the reverse zone says, believed only when the name leads back (RFC 7208 §5.5). */
import { after, all } from '@zegel/dns';
import type { DnsAnswer } from '@zegel/dns';
import { isWithin } from './domain.ts';
import { ask } from './evaluation.ts';
import type { Evaluation, Step } from './evaluation.ts';
import { formatIp, reverseName } from './ip.ts';

/** Asks for the client's PTR records. */
export function askClientNames(evaluation: Evaluation, step: Step): DnsAnswer<'PTR'> | Promise<DnsAnswer<'PTR'>> {
  return ask(evaluation, step, reverseName(evaluation.client), 'PTR');
}

/**
 * Those names whose addresses include the client's, in the order given. A name whose look-up fails is passed over.
 * These look-ups count against no limit but `maxPtrNames`: the names are the client's choice, not the domain owner's.
 */
export function validateNames(
  evaluation: Evaluation,
  step: Step,
  names: readonly string[],
): readonly string[] | Promise<readonly string[]> {
  const client = formatIp(evaluation.client);
  const asked = names.map((name) => askAddresses(evaluation, step, name));
  return after(all(asked), (answers) =>
    names.filter((_, index) => {
      const answer = answers[index];
      return answer?.status === 'found' && answer.records.includes(client);
    }),
  );
}

/** Asks for the addresses of a name, of the kind the client has (RFC 7208 §5). */
export function askAddresses(
  evaluation: Evaluation,
  step: Step,
  name: string,
): DnsAnswer<'A' | 'AAAA'> | Promise<DnsAnswer<'A' | 'AAAA'>> {
  return ask(evaluation, step, name, evaluation.client.version === 4 ? 'A' : 'AAAA');
}

/**
 * The value of `%{p}` (RFC 7208 §7.3): the validated name that is `domain`, else one below it, else any, else
 * `unknown`. The order of the PTR answer decides between equals.
 */
export function validatedName(evaluation: Evaluation, step: Step, domain: string): string | Promise<string> {
  return after(askClientNames(evaluation, step), (answer) => {
    if (answer.status !== 'found') return 'unknown';
    const names = answer.records.slice(0, evaluation.limits.maxPtrNames);
    return after(validateNames(evaluation, step, names), (validated) => chooseName(validated, domain));
  });
}

function chooseName(validated: readonly string[], domain: string): string {
  return (
    validated.find((name) => isWithin(name, domain) && isWithin(domain, name)) ??
    validated.find((name) => isWithin(name, domain)) ??
    validated[0] ??
    'unknown'
  );
}
