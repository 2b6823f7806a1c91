import { once } from 'node:events';
import { authenticate } from '@zegel/authentication';
import type { AuthenticationOptions } from '@zegel/authentication';
import { messageLimits } from '@zegel/message';
import { z } from 'zod';
import { readTime } from './arguments.ts';
import { readContext } from './context.ts';
import { UsageError, exitStatus } from './errors.ts';
import { givenMessage, readMessage } from './input.ts';
import type { GivenMessage } from './input.ts';
import { readLines } from './lines.ts';
import { zoneResolver } from './resolver.ts';

/** One line of a batch. */
const caseSchema = z.object({
  id: z.union([z.string(), z.number()]).nullish(),
  raw_base64: z.string().optional(),
  file: z.string().optional(),
  ip: z.string().nullish(),
  helo: z.string().nullish(),
  mailFrom: z.string().nullish(),
  dns: z.unknown().optional(),
  now: z.union([z.string(), z.number()]).nullish().describe('RFC 3339, or seconds since 1970'),
});

type Case = z.infer<typeof caseSchema>;

/** Cases in work at once: enough to hide slow DNS, few enough to bound memory. */
const concurrency = 16;

/** Bytes of a line: a message of the largest size in base64, and as much again for its zone and the rest. */
const maxLineBytes = Math.ceil((messageLimits.maxMessageBytes * 8) / 3);

/**
 * `zegel verify --batch`: a case a line on standard input, an answer a line on standard output, in order and as soon as it is
 * there. A case that cannot be run is answered with an error and the others go on. Empty lines are read over.
 */
export async function runBatch(options: AuthenticationOptions): Promise<number> {
  /** Settles one by one as the answers are written. */
  const written: Promise<void>[] = [];
  let latest = Promise.resolve();
  for await (const line of readLines(process.stdin, maxLineBytes)) {
    if (line === '') continue;
    latest = writeAfter(latest, runLine(line, options));
    written.push(latest);
    if (written.length >= concurrency) await written.shift();
  }
  await latest;
  return exitStatus.done;
}

async function writeAfter(before: Promise<void>, answer: Promise<string>): Promise<void> {
  await before;
  if (!process.stdout.write(`${await answer}\n`)) await once(process.stdout, 'drain');
}

async function runLine(line: string | null, options: AuthenticationOptions): Promise<string> {
  let id: Case['id'] = null;
  try {
    if (line === null) throw new UsageError(`the line is above the limit of ${maxLineBytes} bytes`);
    const given: unknown = JSON.parse(line);
    if (typeof given === 'object' && given !== null && 'id' in given) {
      const { id: own } = given;
      if (typeof own === 'string' || typeof own === 'number') id = own;
    }
    const parsed = caseSchema.safeParse(given);
    if (!parsed.success) throw new UsageError(describeIssue(parsed.error));
    return JSON.stringify({ id, ...(await runCase(parsed.data, options)) });
  } catch (error) {
    return JSON.stringify({ id, error: describeError(error) });
  }
}

async function runCase(given: Case, options: AuthenticationOptions): Promise<object> {
  const { ip, helo, mailFrom, dns, now } = given;
  const resolver = dns === undefined || dns === null ? options.resolver : zoneResolver(dns, 'dns');
  const time = typeof now === 'number' ? fromSeconds(now) : readTime(now ?? undefined);
  const { raw, lineEndsNormalized } = await readCase(given);
  const context = readContext(
    { ip: ip || undefined, helo: helo ?? undefined, mailFrom: mailFrom ?? undefined },
    lineEndsNormalized,
  );
  const { report, edits } = await authenticate(raw, context, {
    ...options,
    resolver,
    ...(time === undefined ? {} : { now: time }),
  });
  const prepend = edits.prepend.map((field) => Buffer.from(field).toString('utf8'));
  return { report, edits: { remove: edits.remove, prepend } };
}

async function readCase({ raw_base64: base64, file }: Case): Promise<GivenMessage> {
  if (base64 !== undefined) {
    const bytes = Buffer.from(base64, 'base64');
    // Node reads over what is no base64, and then there is less than its length says.
    const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
    if (bytes.length !== (base64.length / 4) * 3 - padding) throw new UsageError('raw_base64: not base64');
    return givenMessage(bytes);
  }
  if (file === undefined) throw new UsageError('raw_base64 or file is missing');
  return readMessage(file);
}

function fromSeconds(seconds: number): Date {
  const time = new Date(seconds * 1000);
  if (Number.isNaN(time.getTime())) throw new UsageError(`now: ${seconds} is no time`);
  return time;
}

function describeIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  return issue === undefined ? 'not a case' : `${issue.path.join('.') || 'the line'}: ${issue.message}`;
}

function describeError(error: unknown): { readonly code: string; readonly message: string } {
  if (error instanceof SyntaxError) return { code: 'cli.not-json', message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'cli.unexpected';
  return { code, message };
}
