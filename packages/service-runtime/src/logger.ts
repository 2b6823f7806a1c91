import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import { redactLine } from './redact.ts';

export type { Logger } from 'pino';

/** What a logger is made from. */
export interface LoggerOptions {
  /** Name of the service; stands in every line. */
  readonly service: string;
  /** The least important lines that are written. */
  readonly level: string;
  /** Where lines go; standard output unless given. */
  readonly stream?: DestinationStream;
  /**
   * Collects lines and writes them together, a fifth of a second later at most: for a service that writes a line for
   * each of thousands of messages a second. What is left is written at the exit; a process that is killed loses it.
   */
  readonly buffered?: boolean;
}

/** Bytes of lines that are written together, and milliseconds after which they are in any case. */
const bufferedBytes = 8 * 1024;
const bufferedMs = 200;

/**
 * A logger that writes one JSON object a line, with RFC 3339 time and the level by name.
 *
 * Rules for who uses it: log domains, ids, codes and results; never tokens, keys, message content, local parts or query
 * strings. What slips through is taken out by property name and by shape before it is written (see redact.ts).
 * Lines are written synchronously, so that the last words of a process that exits are not lost.
 */
export function createLogger({ service, level, stream, buffered = false }: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: { service, pid: process.pid },
      timestamp: timeMember,
      formatters: { level: (label) => ({ level: label }) },
      hooks: { streamWrite: redactLine },
    },
    stream ?? (buffered ? bufferedOutput() : pino.destination({ dest: 1, sync: true })),
  );
}

let writtenSecond = 0;
let secondText = '';

/** The time of a line as its JSON member. All but the milliseconds is written out once a second. */
function timeMember(): string {
  const now = Date.now();
  const second = Math.floor(now / 1000);
  if (second !== writtenSecond) {
    writtenSecond = second;
    secondText = new Date(second * 1000).toISOString().slice(0, -'000Z'.length);
  }
  return `,"time":"${secondText}${String(now % 1000).padStart(3, '0')}Z"`;
}

/**
 * Written synchronously all the same: a write that is under way at the exit would come after what is written then. (`flushSync`
 * does not end when nobody reads any more.)
 */
function bufferedOutput(): DestinationStream {
  const output = pino.destination({ dest: 1, sync: true, minLength: bufferedBytes });
  setInterval(() => output.flush(), bufferedMs).unref();
  process.on('exit', () => output.flush());
  return output;
}
