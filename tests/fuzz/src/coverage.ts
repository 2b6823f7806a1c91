import { Session } from 'node:inspector';

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly { readonly isBlockCoverage: boolean; readonly ranges: readonly Range[] }[];
}

/** The code one look is about: source offset by offset, whether it lies in a function and whether it ran. */
interface Script {
  readonly inFunction: Uint8Array;
  readonly ran: Uint8Array;
}

export interface FileCoverage {
  readonly file: string;
  readonly known: number;
  readonly ran: number;
}

/** Only our own packages count. */
const ownSource = /\/packages\/[^/]+\/src\//;

/**
 * The source that ran, by the inspector's precise coverage with block detail, of this thread. A look costs a
 * millisecond or two, so one is taken per batch of inputs.
 *
 * Start it before the code to be measured is imported: what was compiled earlier is not counted block by block.
 */
export class Coverage {
  readonly #session = new Session();
  readonly #scripts = new Map<string, Script>();
  /** What the last look added. */
  #last: { readonly script: Script; readonly offset: number }[] = [];

  constructor() {
    this.#session.connect();
    this.#post('Profiler.enable');
    this.#post('Profiler.startPreciseCoverage', { callCount: false, detailed: true });
  }

  /** Adds what ran since the last look. Answers whether any of it had never run before. */
  look(): boolean {
    this.#last = [];
    for (const { url, functions } of this.#take()) {
      if (!ownSource.test(url)) continue;
      const now = paint(functions);
      const script = this.#script(url, now.length);
      for (let offset = 0; offset < now.length; offset++) {
        const state = now[offset];
        if (state === 0) continue;
        script.inFunction[offset] = 1;
        if (state === 1 || script.ran[offset] === 1) continue;
        script.ran[offset] = 1;
        this.#last.push({ script, offset });
      }
    }
    return this.#last.length > 0;
  }

  /** Takes back what the last look added, so that the inputs behind it can be told apart one by one. */
  forgetLast(): void {
    for (const { script, offset } of this.#last) script.ran[offset] = 0;
  }

  /** By file, how many characters inside functions are known, and how many of them ran. Files without functions left out. */
  files(): readonly FileCoverage[] {
    return [...this.#scripts]
      .map(([url, { inFunction, ran }]) => ({
        file: url.slice(url.indexOf('/packages/') + 1),
        known: inFunction.reduce((sum, value) => sum + value, 0),
        ran: ran.reduce((sum, value) => sum + value, 0),
      }))
      .filter(({ known }) => known > 0);
  }

  end(): void {
    this.#session.disconnect();
  }

  #script(url: string, length: number): Script {
    const known = this.#scripts.get(url);
    if (known !== undefined && known.ran.length >= length) return known;
    const script = { inFunction: new Uint8Array(length), ran: new Uint8Array(length) };
    if (known !== undefined) {
      script.inFunction.set(known.inFunction);
      script.ran.set(known.ran);
    }
    this.#scripts.set(url, script);
    return script;
  }

  #take(): readonly ScriptCoverage[] {
    const { result } = this.#post('Profiler.takePreciseCoverage') as { result: readonly ScriptCoverage[] };
    return result;
  }

  #post(method: string, params?: object): object {
    let answer: object | undefined;
    let problem: Error | null = null;
    // In a session of the own thread the callback runs before post() returns.
    this.#session.post(method, params, (error, result) => {
      problem = error;
      answer = result;
    });
    if (problem !== null || answer === undefined) throw new Error(`${method}: no answer`, { cause: problem });
    return answer;
  }
}

/** Per offset: 0 outside every function, 1 in a function and not run, 2 run. Inner ranges come behind outer ones. */
function paint(functions: ScriptCoverage['functions']): Uint8Array {
  const length = Math.max(0, ...functions.flatMap(({ ranges }) => ranges.map(({ endOffset }) => endOffset)));
  const states = new Uint8Array(length);
  for (const { ranges } of functions) {
    // The module itself: what stands outside functions runs once, whatever the input.
    if (ranges[0]?.startOffset === 0) continue;
    for (const { startOffset, endOffset, count } of ranges) states.fill(count > 0 ? 2 : 1, startOffset, endOffset);
  }
  return states;
}
