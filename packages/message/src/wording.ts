const maxValueLength = 300;

/**
 * Fills the `{placeholders}` of an explanation. Values come from messages and from the DNS, so they are shown as one line
 * of printable text of bounded length: controls, line separators, characters that turn the direction of text and those
 * that are no characters become `?`. A placeholder without a text or number to fill it becomes `?` as well.
 *
 * @param others where values are looked for that are not among the first.
 */
export function fillTemplate(template: string, values: object, others: object = noValues): string {
  const parts = partsOf(template);
  let text = parts[0] ?? '';
  for (let at = 1; at < parts.length; at += 2) {
    const name = parts[at] ?? '';
    const value = member(values, name) ?? member(others, name);
    text += typeof value === 'string' || typeof value === 'number' ? printable(String(value)) : '?';
    text += parts[at + 1] ?? '';
  }
  return text;
}

const noValues = {};

/** What every object has, which a name could mean, are functions: they fill nothing. */
function member(values: object, name: string): unknown {
  return Reflect.get(values, name);
}

/** Templates taken apart: literal text and names in turn. They come from tables of codes, so that there are few. */
const takenApart = new Map<string, readonly string[]>();
const maxTakenApart = 1_000;

function partsOf(template: string): readonly string[] {
  const known = takenApart.get(template);
  if (known !== undefined) return known;
  const parts = template.split(/\{(\w+)\}/);
  if (takenApart.size >= maxTakenApart) takenApart.clear();
  takenApart.set(template, parts);
  return parts;
}

/** What a table of codes says to a person about one outcome. */
export interface OutcomeTexts {
  /** A sentence. */
  readonly explanation: string;
  /** What can be done, when something can. */
  readonly advice?: string;
}

/** The texts of an outcome with their placeholders filled, see {@link fillTemplate}. Other members of the entry are left out. */
export function fillTexts(texts: OutcomeTexts, values: object, others?: object): OutcomeTexts {
  const explanation = fillTemplate(texts.explanation, values, others);
  return texts.advice === undefined
    ? { explanation }
    : { explanation, advice: fillTemplate(texts.advice, values, others) };
}

const plain = /^[ -~]*$/;

function printable(value: string): string {
  if (value.length <= maxValueLength && plain.test(value)) return value;
  const shown = value.length > maxValueLength ? `${value.slice(0, maxValueLength)}…` : value;
  return shown.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
}
