/** Does a mechanism match the client (RFC 7208 §5)? All of them but `include`, which asks about another record. */
import { after, all } from '@zegel/dns';
import type { DnsAnswer } from '@zegel/dns';
import { isAskable, isWithin } from './domain.ts';
import { ask, countVoid, temporaryFailure } from './evaluation.ts';
import type { Evaluation, Finding, Step } from './evaluation.ts';
import { contains, parseIpv4, parseIpv6 } from './ip.ts';
import type { IpAddress } from './ip.ts';
import type { LocalMechanism, Mechanism } from './record.ts';
import { askAddresses, askClientNames, validateNames } from './validated-names.ts';

type HostMechanism = Extract<Mechanism, { name: 'a' | 'mx' }>;

/** Whether a mechanism that needs no DNS matches. */
export function matchesLocally(mechanism: LocalMechanism, client: IpAddress): boolean {
  return mechanism.name === 'all' || contains(mechanism.network, client);
}

/** What a mechanism comes to: true for a match, or why the check ends here. */
type Outcome = boolean | Finding;

/** Whether a mechanism matches that asks for `name`. */
export function matches(
  evaluation: Evaluation,
  step: Step,
  mechanism: Exclude<Mechanism, LocalMechanism | { name: 'include' }>,
  name: string,
): Outcome | Promise<Outcome> {
  switch (mechanism.name) {
    case 'a':
      return matchesAddresses(evaluation, step, mechanism, name);
    case 'mx':
      return matchesMx(evaluation, step, mechanism, name);
    case 'ptr':
      return matchesPtr(evaluation, step, name);
    case 'exists':
      return exists(evaluation, step, name);
  }
}

/** RFC 7208 §5.3. */
function matchesAddresses(
  evaluation: Evaluation,
  step: Step,
  mechanism: HostMechanism,
  name: string,
): Outcome | Promise<Outcome> {
  return after(askAddresses(evaluation, step, name), (answer) => {
    if (answer.status === 'nodata' || answer.status === 'nxdomain') return countVoid(evaluation, step) ?? false;
    return judgeAddresses(evaluation, mechanism, name, answer);
  });
}

function judgeAddresses(
  evaluation: Evaluation,
  mechanism: HostMechanism,
  name: string,
  answer: DnsAnswer<'A' | 'AAAA'>,
): Outcome {
  const { client } = evaluation;
  if (answer.status === 'temporary-failure') {
    return temporaryFailure(evaluation, name, client.version === 4 ? 'A' : 'AAAA', answer);
  }
  if (answer.status !== 'found') return false;
  const prefixLength = client.version === 4 ? mechanism.prefix4 : mechanism.prefix6;
  return answer.records.some((record) => {
    const address = client.version === 4 ? parseIpv4(record) : parseIpv6(record);
    return address !== undefined && contains({ address, prefixLength }, client);
  });
}

/**
 * RFC 7208 §5.4. Hosts are judged by preference, so that the answer does not depend on the order of the records;
 * their addresses are asked for at once. Needing more hosts than the limit is an error (§4.6.4), having them is not.
 * A host without an address is no void look-up: the term's own query has found something.
 */
function matchesMx(
  evaluation: Evaluation,
  step: Step,
  mechanism: HostMechanism,
  name: string,
): Outcome | Promise<Outcome> {
  return after(ask(evaluation, step, name, 'MX'), (answer) => {
    if (answer.status === 'temporary-failure') return temporaryFailure(evaluation, name, 'MX', answer);
    if (answer.status !== 'found') return countVoid(evaluation, step) ?? false;
    // A null MX (RFC 7505) has no name to ask for.
    const hosts = answer.records
      .toSorted((one, other) => one.preference - other.preference)
      .map((record) => record.exchange)
      .filter(isAskable);
    return matchesHosts(evaluation, step, mechanism, name, hosts);
  });
}

function matchesHosts(
  evaluation: Evaluation,
  step: Step,
  mechanism: HostMechanism,
  name: string,
  hosts: readonly string[],
): Outcome | Promise<Outcome> {
  const limit = evaluation.limits.maxMxHosts;
  const asked = hosts.slice(0, limit);
  const answering = asked.map((host) => askAddresses(evaluation, step, host));
  return after(all(answering), (answers) => {
    for (const [index, host] of asked.entries()) {
      const addresses = answers[index];
      if (addresses === undefined) continue;
      const match = judgeAddresses(evaluation, mechanism, host, addresses);
      if (match !== false) return match;
    }
    if (hosts.length <= limit) return false;
    return {
      code: 'spf.too-many-mx-hosts',
      values: { domain: step.domain, term: step.text, name, limit: String(limit) },
    };
  });
}

/** RFC 7208 §5.5: a DNS failure is no match; so are the names beyond the tenth. */
function matchesPtr(evaluation: Evaluation, step: Step, name: string): Outcome | Promise<Outcome> {
  return after(askClientNames(evaluation, step), (answer) => {
    if (answer.status === 'temporary-failure') return false;
    if (answer.status !== 'found') return countVoid(evaluation, step) ?? false;
    const names = answer.records.slice(0, evaluation.limits.maxPtrNames).filter((record) => isWithin(record, name));
    return after(validateNames(evaluation, step, names), (validated) => validated.length > 0);
  });
}

/** RFC 7208 §5.7: always a question for A records, whatever address the client has. */
function exists(evaluation: Evaluation, step: Step, name: string): Outcome | Promise<Outcome> {
  return after(ask(evaluation, step, name, 'A'), (answer) => {
    if (answer.status === 'temporary-failure') return temporaryFailure(evaluation, name, 'A', answer);
    return answer.status === 'found' ? true : (countVoid(evaluation, step) ?? false);
  });
}
