import { pino, stdTimeFunctions } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import { REDACTED, redactLine, redactedPaths } from './redact.ts';

export type { Logger } from 'pino';

/** What a logger is made from. */
export interface LoggerOptions {
  /** Name of the service; stands in every line. */
  readonly service: string;
  /** The least important lines that are written. */
  readonly level: string;
  /** Where lines go; standard output unless given. */
  readonly stream?: DestinationStream;
}

/**
 * A logger that writes one JSON object a line, with RFC 3339 time and the level by name.
 *
 * Rules for who uses it: log domains, ids, codes and results; never tokens, keys, message content, local parts or query
 * strings. What slips through is taken out by property name and by shape before it is written (see redact.ts).
 * Lines are written synchronously, so that the last words of a process that exits are not lost.
 */
export function createLogger({ service, level, stream }: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: { service, pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: [...redactedPaths], censor: REDACTED },
      hooks: { streamWrite: redactLine },
    },
    stream ?? pino.destination({ dest: 1, sync: true }),
  );
}
