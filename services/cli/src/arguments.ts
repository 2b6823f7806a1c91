import { parseArgs } from 'node:util';
import type { ParseArgsOptionsConfig } from 'node:util';
import { UsageError } from './errors.ts';

/** Reads the options of a command, strictly. Throws a {@link UsageError} that names what is not known. */
export function readArguments<T extends ParseArgsOptionsConfig>(args: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false, allowNegative: true }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Reads `zegel COMMAND SUBCOMMAND [OPERAND]` with its options, strictly. Throws a {@link UsageError}. */
export function readSubcommand<T extends ParseArgsOptionsConfig>(
  args: readonly string[],
  subcommand: string,
  options: T,
) {
  const [given, ...rest] = args;
  if (given !== subcommand) {
    throw new UsageError(given === undefined ? `${subcommand} is missing` : `there is no ${given}, only ${subcommand}`);
  }
  try {
    const { values, positionals } = parseArgs({ args: rest, options, strict: true, allowPositionals: true });
    const [operand, surplus] = positionals;
    if (surplus !== undefined) throw new UsageError(`${surplus} is one operand too many`);
    return { options: values, operand };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** An option that must be there. */
export function required<T>(value: T | undefined, option: string): T {
  if (value === undefined) throw new UsageError(`${option} is missing`);
  return value;
}

const rfc3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/i;

/** A point in time as RFC 3339 text. */
export function readTime(text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const time = new Date(text);
  if (Number.isNaN(time.getTime()) || !rfc3339.test(text)) {
    throw new UsageError(`${text} is not a time such as 2026-11-24T12:00:00Z`);
  }
  return time;
}
