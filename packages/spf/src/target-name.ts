/** The name a term asks for (RFC 7208 §4.8): its domain-spec expanded, or the domain whose record it stands in. */
import { after, keptWith, normalizeName } from '@zegel/dns';
import { countLookup } from './evaluation.ts';
import type { Evaluation, Finding, Step } from './evaluation.ts';
import { expandName, isLiteral, noValues, usesMacro } from './macro.ts';
import type { MacroString, MacroValues } from './macro.ts';
import { RecordMacros } from './macro-values.ts';
import { validatedName } from './validated-names.ts';

/** What an expansion came to. Only a `name` can be asked for; `domain` is the same in the form in which names are compared. */
export type Target =
  | { readonly status: 'name'; readonly name: string; readonly domain: string }
  /** An expansion that the DNS cannot be asked for. RFC 7208 §4.8 leaves open what follows; here it names nothing. */
  | { readonly status: 'malformed'; readonly name: string }
  /** A macro in it has no value that can stand in a name. */
  | { readonly status: 'unusable' }
  | { readonly status: 'over-limit'; readonly finding: Finding };

/**
 * The target name of a term of `domain`'s record. A `%{p}` in it costs one look-up of the limit (RFC 7208 §4.6.4), and is
 * the only thing that may have to be waited for.
 */
export function targetName(
  evaluation: Evaluation,
  step: Step,
  spec: MacroString | undefined,
  domain: string,
): Target | Promise<Target> {
  if (spec === undefined) return { status: 'name', name: domain, domain };
  if (isLiteral(spec)) return literalTarget(spec);
  if (usesMacro(spec, 'p')) {
    const finding = countLookup(evaluation, step);
    if (finding !== undefined) return { status: 'over-limit', finding };
  }
  return after(macroValues(evaluation, step, spec, domain), (values) => expand(spec, values));
}

/** What a domain-spec without macros names, kept with the record: most are such. */
const literalTarget = keptWith((spec: MacroString) => expand(spec, noValues));

function expand(spec: MacroString, values: MacroValues): Target {
  const name = expandName(spec, values);
  if (name === undefined) return { status: 'unusable' };
  const domain = normalizeName(name);
  return domain === null ? { status: 'malformed', name } : { status: 'name', name, domain };
}

/** What the macros in a string stand for in a record of `domain`. Asks the DNS only when `%{p}` is among them. */
export function macroValues(
  evaluation: Evaluation,
  step: Step,
  text: MacroString,
  domain: string,
): MacroValues | Promise<MacroValues> {
  const { session } = evaluation;
  if (!usesMacro(text, 'p')) return new RecordMacros(session, domain);
  return after(validatedName(evaluation, step, domain), (name) => new RecordMacros(session, domain, name));
}
