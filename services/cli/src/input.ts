import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { messageLimits, normalizeLineEnds } from '@zegel/message';
import { UsageError } from './errors.ts';

/** A message that a command was given: line ends as the core wants them. */
export interface GivenMessage {
  readonly raw: Uint8Array;
  readonly lineEndsNormalized: boolean;
}

/** A message as a file door reads it: bare LF throughout becomes CRLF. Throws a {@link UsageError} above the size limit. */
export function givenMessage(bytes: Uint8Array): GivenMessage {
  if (bytes.length > messageLimits.maxMessageBytes) throw tooLarge();
  const { raw, normalized } = normalizeLineEnds(bytes);
  return { raw, lineEndsNormalized: normalized };
}

/** The message in a file, or on standard input when there is none. Throws a {@link UsageError} above the size limit. */
export async function readMessage(file: string | undefined): Promise<GivenMessage> {
  const stream = file === undefined ? process.stdin : createReadStream(file);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of stream) {
      const bytes = Buffer.from(chunk);
      size += bytes.length;
      if (size > messageLimits.maxMessageBytes) throw tooLarge();
      chunks.push(bytes);
    }
  } catch (error) {
    throw asUsage(error);
  }
  return givenMessage(Buffer.concat(chunks, size));
}

/** The text of a file that the caller named. Throws a {@link UsageError} when it cannot be read. */
export async function readTextFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw asUsage(error);
  }
}

function tooLarge(): UsageError {
  return new UsageError(`the message is above the limit of ${messageLimits.maxMessageBytes} bytes`);
}

/** What the system says about a file that the caller named is the caller's business. */
export function asUsage(error: unknown): unknown {
  return error instanceof Error && 'syscall' in error ? new UsageError(error.message) : error;
}
