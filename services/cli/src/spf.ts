import { SpfInputError, checkHelo, checkHost } from '@zegel/spf';
import type { SpfResult } from '@zegel/spf';
import { readArguments, readTime, required } from './arguments.ts';
import { UsageError, exitStatus } from './errors.ts';
import { resolverFor } from './resolver.ts';

export const spfUsage = `zegel spf --ip A --mail-from F [--helo H]

Checks SPF and shows every term that was looked at. Without --mail-from the HELO name is checked.

  --ip A           the client's address
  --mail-from F    the reverse-path, empty for the null one
  --helo H         what the client said in HELO or EHLO
  --dns FILE       answer every look-up from this zone file, offline
  --now TIME       check as if it were this time (RFC 3339)
  --json           the whole result as JSON
`;

/** `zegel spf`. */
export async function runSpf(args: readonly string[]): Promise<number> {
  const options = readArguments(args, {
    ip: { type: 'string' },
    'mail-from': { type: 'string' },
    helo: { type: 'string' },
    dns: { type: 'string' },
    now: { type: 'string' },
    json: { type: 'boolean' },
  });
  const now = readTime(options.now);
  const mailFrom = options['mail-from'];
  if (mailFrom === undefined) required(options.helo, '--mail-from or --helo');
  using open = await resolverFor(options.dns);
  const question = { ip: required(options.ip, '--ip'), helo: options.helo ?? '', resolver: open.resolver, now };
  try {
    const result = await (mailFrom === undefined ? checkHelo(question) : checkHost({ ...question, mailFrom }));
    process.stdout.write(options.json === true ? `${JSON.stringify(result, null, 2)}\n` : describeResult(result));
  } catch (error) {
    if (error instanceof SpfInputError) throw new UsageError(error.message);
    throw error;
  }
  return exitStatus.done;
}

function describeResult({ result, code, explanation, advice, evidence }: SpfResult): string {
  const lines = [`spf=${result}  ${explanation} [${code}]`];
  if (advice !== undefined) lines.push(`          ${advice}`);
  lines.push('');
  for (const { domain, depth, text, outcome, counts, decisive } of evidence.trace) {
    const place = '  '.repeat(depth + 1);
    lines.push(
      `${decisive ? '*' : ' '}${place}${domain}: ${text}  ${outcome} (terms ${counts.lookupTerms}, void ${counts.voidLookups})`,
    );
  }
  return `${lines.join('\n')}\n`;
}
