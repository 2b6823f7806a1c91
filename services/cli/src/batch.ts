import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { authenticate } from '@zegel/authentication';
import type { AuthenticationOptions } from '@zegel/authentication';
import { z } from 'zod';
import { readContext } from './context.ts';
import { UsageError, exitStatus } from './errors.ts';
import { givenMessage } from './input.ts';
import { zoneResolver } from './resolver.ts';

/** One line of a batch. */
const caseSchema = z.object({
  id: z.union([z.string(), z.number()]).nullable().default(null),
  raw_base64: z.base64().optional(),
  file: z.string().optional(),
  ip: z.string().nullish(),
  helo: z.string().nullish(),
  mailFrom: z.string().nullish(),
  dns: z.unknown().optional(),
  now: z
    .union([z.iso.datetime({ offset: true }), z.number()])
    .nullish()
    .describe('RFC 3339, or seconds since 1970'),
});

type Case = z.infer<typeof caseSchema>;

/** Cases in work at once: enough to hide slow DNS, few enough to bound memory. */
const concurrency = 16;

/**
 * `zegel verify --batch`: a case a line on standard input, an answer a line on standard output, in order. A case that
 * cannot be run is answered with an error and the others go on.
 */
export async function runBatch(options: AuthenticationOptions): Promise<number> {
  const running: Promise<string>[] = [];
  const writeFirst = async (): Promise<void> => {
    const line = await running.shift();
    if (line !== undefined && !process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain');
  };
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
    if (line.trim() === '') continue;
    running.push(runLine(line, options));
    if (running.length >= concurrency) await writeFirst();
  }
  while (running.length > 0) await writeFirst();
  return exitStatus.done;
}

async function runLine(line: string, options: AuthenticationOptions): Promise<string> {
  let id: Case['id'] = null;
  try {
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
  const { raw, lineEndsNormalized } = givenMessage(await readBytes(given));
  const { ip, helo, mailFrom, dns, now } = given;
  const context = readContext(
    { ip: ip || undefined, helo: helo ?? undefined, mailFrom: mailFrom ?? undefined },
    lineEndsNormalized,
  );
  const { report, edits } = await authenticate(raw, context, {
    ...options,
    ...(dns === undefined || dns === null ? {} : { resolver: zoneResolver(dns, 'dns') }),
    ...(now === undefined || now === null ? {} : { now: new Date(typeof now === 'number' ? now * 1000 : now) }),
  });
  const prepend = edits.prepend.map((field) => Buffer.from(field).toString('utf8'));
  return { report, edits: { remove: edits.remove, prepend } };
}

async function readBytes({ raw_base64: base64, file }: Case): Promise<Uint8Array> {
  if (base64 !== undefined) return Buffer.from(base64, 'base64');
  if (file === undefined) throw new UsageError('raw_base64 or file is missing');
  return readFile(file);
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
