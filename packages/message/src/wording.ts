const maxValueLength = 300;

/**
 * Fills the `{placeholders}` of an explanation. Values come from messages and from the DNS, so they are shown as one line
 * of printable text of bounded length: controls, line separators, characters that turn the direction of text and those
 * that are no characters become `?`. A placeholder without a text or number to fill it becomes `?` as well.
 */
export function fillTemplate(template: string, values: object): string {
  const entries = new Map<string, unknown>(Object.entries(values));
  return template.replaceAll(/\{(\w+)\}/g, (_braces, name: string) => {
    const value = entries.get(name);
    return typeof value === 'string' || typeof value === 'number' ? printable(String(value)) : '?';
  });
}

/** What a table of codes says to a person about one outcome. */
export interface OutcomeTexts {
  /** A sentence. */
  readonly explanation: string;
  /** What can be done, when something can. */
  readonly advice?: string;
}

/** The texts of an outcome with their placeholders filled, see {@link fillTemplate}. Other members of the entry are left out. */
export function fillTexts({ explanation, advice }: OutcomeTexts, values: object): OutcomeTexts {
  return {
    explanation: fillTemplate(explanation, values),
    ...(advice === undefined ? {} : { advice: fillTemplate(advice, values) }),
  };
}

function printable(value: string): string {
  const shown = value.length > maxValueLength ? `${value.slice(0, maxValueLength)}…` : value;
  return shown.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
}
