import type { MacroStage } from './command.ts';

/** The stages from the latest to the first: what was said last is what counts. */
const lookupOrder: readonly MacroStage[] = [
  'end-of-message',
  'body',
  'end-of-header',
  'header',
  'data',
  'recipient',
  'mail',
  'unknown',
  'helo',
  'connect',
];

/** Stages whose macros outlive a message. */
const sessionStages: ReadonlySet<MacroStage> = new Set(['connect', 'helo']);

/** The macros of one SMTP session, by stage. A macro may be absent at any time: MTAs leave out what has no value. */
export class MacroTable {
  /** As they were said: many more macros are said than are asked for. */
  readonly #stages = new Map<MacroStage, readonly (readonly [name: string, value: string])[]>();

  /** What a stage says now; what it said before is gone. */
  set(stage: MacroStage, values: readonly (readonly [name: string, value: string])[]): void {
    this.#stages.set(stage, values);
  }

  /** The value of a macro, with or without braces around its name, from the latest stage that has it; or null. */
  get(name: string): string | null {
    const key = bareName(name);
    for (const stage of lookupOrder) {
      const said = this.#stages.get(stage)?.findLast(([one]) => bareName(one) === key);
      if (said !== undefined) return said[1];
    }
    return null;
  }

  /** Forgets what belongs to a message: after its end, and when it is aborted. `kept` is a stage of the next one. */
  endMessage(kept?: MacroStage): void {
    for (const stage of this.#stages.keys()) {
      if (stage !== kept && !sessionStages.has(stage)) this.#stages.delete(stage);
    }
  }
}

/** Sendmail puts names of more than one character in braces, and other programs do not always. */
function bareName(name: string): string {
  return name.startsWith('{') && name.endsWith('}') ? name.slice(1, -1) : name;
}
