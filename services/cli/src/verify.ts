import { hostname } from 'node:os';
import { authenticate } from '@zegel/authentication';
import type { AuthenticationReport } from '@zegel/authentication';
import { editMessage } from '@zegel/message';
import { readArguments, readTime } from './arguments.ts';
import { readContext } from './context.ts';
import { UsageError, exitStatus } from './errors.ts';
import { readMessage } from './input.ts';
import { resolverFor } from './resolver.ts';

export const verifyUsage = `zegel verify [--ip A --helo H --mail-from F] < message.eml
zegel verify --batch < cases.jsonl > results.jsonl

Authenticates a message: DKIM, SPF, DMARC. SPF needs --ip and --mail-from.

  --ip A           the client's address
  --helo H         what the client said in HELO or EHLO
  --mail-from F    the reverse-path, empty for the null one
  --dns FILE       answer every look-up from this zone file, offline
  --now TIME       verify as if it were this time (RFC 3339)
  --input FILE     the message; default: standard input
  --authserv-id N  the name Authentication-Results is written under; default: the host's
  --json           the whole report as JSON
  --message        the message with Authentication-Results on top and forged ones gone
  --exit-on fail   exit with 3 when DMARC fails, or no signature passes and one fails
  --batch          many messages; --dns, --now and --authserv-id hold where a line says nothing else:
                   one JSON object a line: {id, raw_base64 | file, ip, helo, mailFrom, dns, now};
                   one line out per line in, in order: {id, report, edits} or {id, error: {code, message}}
`;

/** `zegel verify`. */
export async function runVerify(args: readonly string[]): Promise<number> {
  const options = readArguments(args, {
    ip: { type: 'string' },
    helo: { type: 'string' },
    'mail-from': { type: 'string' },
    dns: { type: 'string' },
    now: { type: 'string' },
    input: { type: 'string' },
    'authserv-id': { type: 'string' },
    json: { type: 'boolean' },
    message: { type: 'boolean' },
    'exit-on': { type: 'string' },
    batch: { type: 'boolean' },
  });
  const now = readTime(options.now);
  const authservId = options['authserv-id'] ?? hostname();
  if (options['exit-on'] !== undefined && options['exit-on'] !== 'fail') throw new UsageError('--exit-on knows: fail');
  if (options.batch === true) refuseBeside(options);
  if (options.json === true && options.message === true) {
    throw new UsageError('--json and --message each say what is written: give one of them');
  }
  using open = await resolverFor(options.dns);
  const core = { resolver: open.resolver, authservId, ...(now === undefined ? {} : { now }) };
  if (options.batch === true) {
    const { runBatch } = await import('./batch.ts');
    // Awaited here: the resolver is closed when this function is left.
    return await runBatch(core);
  }

  const { raw, lineEndsNormalized } = await readMessage(options.input);
  const context = readContext({ ...options, mailFrom: options['mail-from'] }, lineEndsNormalized);
  const { report, edits } = await authenticate(raw, context, core);
  if (options.message === true) process.stdout.write(editMessage(raw, edits));
  else process.stdout.write(options.json === true ? `${JSON.stringify(report, null, 2)}\n` : describeReport(report));
  return options['exit-on'] === 'fail' && hasFailed(report) ? exitStatus.exitOn : exitStatus.done;
}

/** What is said of one message cannot be said of a batch. */
const ofOneMessage = ['ip', 'helo', 'mail-from', 'input', 'json', 'message', 'exit-on'];

function refuseBeside(options: object): void {
  const given = ofOneMessage.find((name) => Object.hasOwn(options, name));
  if (given !== undefined) throw new UsageError(`--${given} is about one message, and --batch is about many`);
}

function hasFailed({ dkim, dmarc }: AuthenticationReport): boolean {
  const isSigned = dkim.some(({ result }) => result === 'pass');
  return dmarc.result === 'fail' || (!isSigned && dkim.some(({ result }) => result === 'fail'));
}

/** A report for a person: a line per verdict, what to do below it. */
function describeReport(report: AuthenticationReport): string {
  const lines: string[] = [];
  const add = (
    name: string,
    verdict: { result: string; code: string; explanation: string; advice?: string | undefined },
  ): void => {
    lines.push(`${`${name}=${verdict.result}`.padEnd(16)} ${verdict.explanation} [${verdict.code}]`);
    if (verdict.advice !== undefined && verdict.result !== 'pass') lines.push(`${' '.repeat(17)}${verdict.advice}`);
  };
  for (const verdict of report.dkim) add('dkim', verdict);
  add('spf', report.spf.mailFrom);
  add('dmarc', report.dmarc);
  if (report.arc.result !== 'none') add('arc', report.arc);
  for (const { code, explanation } of report.notices) lines.push(`${'note'.padEnd(16)} ${explanation} [${code}]`);
  lines.push('', `Authentication-Results: ${report.authenticationResults.replaceAll('\r\n', '\n')}`);
  return `${lines.join('\n')}\n`;
}
