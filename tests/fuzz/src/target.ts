/**
 * What is fuzzed: one parser or verb, with inputs to begin with and what must hold for every other input.
 */

export interface FuzzTarget {
  readonly name: string;
  /** Packages whose coverage is shown. Whatever of our code runs leads the search. */
  readonly covers: readonly string[];
  /** Words of the format. Mutations insert them, so that changed inputs stay near to what the code looks for. */
  readonly tokens: readonly string[];
  /** Inputs to begin with. */
  seeds(): readonly Buffer[];
  /**
   * Puts one input through. Rejects when something broke: any exception, or an {@link Broken} invariant. Answers stable
   * words for what came out, such as result codes: a word not seen before counts as new coverage.
   */
  run(input: Buffer): Promise<readonly string[]>;
}

/** Something that must hold for every input does not. */
export class Broken extends Error {
  override readonly name = 'Broken';
}

/** Throws {@link Broken} unless `holds`. `what` is part of what tells findings apart: no data of the input in it. */
export function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Broken(what);
}

/**
 * What tells one finding from another: the kind of error, its text without numbers and quotations, and the first place
 * in the code that it came from.
 */
export function signatureOf(error: unknown): string {
  if (!(error instanceof Error)) return `thrown: ${typeof error}`;
  const text = (error.message.split('\n', 1)[0] ?? '').replaceAll(/"[^"]*"|'[^']*'|\d+/g, '…').slice(0, 120);
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  const own = error instanceof Broken ? undefined : frames.find((line) => line.includes('/packages/'));
  const place = own === undefined ? '' : ` in ${/packages\/[^:]+/.exec(own)?.[0] ?? ''}`;
  return `${error.name}: ${text}${place}`;
}
