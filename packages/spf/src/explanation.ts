import { ask, beginStep, endStep } from './evaluation.ts';
import type { Evaluation, Place } from './evaluation.ts';
import { isAskable } from './domain.ts';
import { expandName, expandText, parseMacroString } from './macro.ts';
import type { DomainModifier } from './record.ts';
import { macroValues } from './target-name.ts';

const decoder = new TextDecoder('latin1');

/**
 * The domain owner's words for a `fail` (RFC 7208 §6.2). Undefined whenever anything about them is not in order:
 * no name, no answer, none or several records, a syntax error, or a text that is not printable US-ASCII throughout,
 * which also keeps line ends out of whatever shows it. Counts against none of the limits on look-ups.
 */
export async function findExplanation(
  evaluation: Evaluation,
  modifier: DomainModifier,
  place: Place,
): Promise<string | undefined> {
  const { domain } = place;
  const step = beginStep(evaluation, 'explanation', place, modifier.text);
  endStep(evaluation, step, 'not-used');
  const name = expandName(modifier.domain, await macroValues(evaluation, step, modifier.domain, domain));
  if (name === undefined || !isAskable(name)) return undefined;
  const answer = await ask(evaluation, step, name, 'TXT');
  endStep(evaluation, step, 'not-used');
  if (answer.status !== 'found' || answer.records.length !== 1) return undefined;
  const octets = answer.records[0];
  if (octets === undefined || octets.length > evaluation.limits.maxRecordLength) return undefined;
  const parsed = parseMacroString(decoder.decode(octets), 'text');
  if (!parsed.ok) return undefined;
  const values = await macroValues(evaluation, step, parsed.parts, domain);
  const text = expandText(parsed.parts, values, evaluation.limits.maxExplanationLength);
  if (text === undefined || !/^[\x20-\x7e]+$/.test(text)) return undefined;
  endStep(evaluation, step, 'explanation');
  return text;
}
