/**
 * The BIMI-Selector field, and the fields that only the receiving side may write.
 */
import { fieldsNamed, fieldValue, normalizeDomain } from '@zegel/message';
import type { Header, HeaderEdits } from '@zegel/message';
import type { BimiLimits } from './limits.ts';

/** The selector a message asks for. */
export type Selector =
  | { readonly ok: true; readonly selector: string }
  | { readonly ok: false; readonly problem: string };

/**
 * Reads the one BIMI-Selector field: a tag list that begins with `v=BIMI1` and names the selector in `s`. Without a field
 * the selector is `default`. A field that cannot be used gives none: whoever wrote it wanted another indicator than the
 * default one.
 */
export function readSelector(header: Header, limits: BimiLimits): Selector {
  const [field, ...others] = fieldsNamed(header, 'bimi-selector');
  if (field === undefined) return { ok: true, selector: 'default' };
  if (others.length > 0) return { ok: false, problem: 'there is more than one' };
  if (field.end - field.start > limits.selectorFieldBytes) return { ok: false, problem: 'it is too long' };
  const [version, ...tags] = fieldValue(header, field).split(';').map(readTag);
  if (version?.name !== 'v' || version.value !== 'BIMI1') {
    return { ok: false, problem: 'it does not begin with v=BIMI1' };
  }
  const named = tags.filter(({ name }) => name === 's');
  const selector = named.length === 1 ? normalizeDomain(named[0]?.value ?? '') : null;
  if (selector === null) return { ok: false, problem: 'it names no valid selector' };
  return { ok: true, selector };
}

function readTag(text: string): { readonly name: string; readonly value: string } {
  const equals = text.indexOf('=');
  const name = equals === -1 ? text : text.slice(0, equals);
  return { name: withoutBlanks(name).toLowerCase(), value: equals === -1 ? '' : withoutBlanks(text.slice(equals + 1)) };
}

/** Neither names nor selectors hold white space, so that what stands around them is all there is. */
function withoutBlanks(text: string): string {
  return text.replace(/^[ \t]+/, '').replace(/(?<![ \t])[ \t]+$/, '');
}

const receiverFields = ['bimi-location', 'bimi-indicator', 'bimi-logo-preference'] as const;

/**
 * The fields by which a receiving system tells its users' programs what to show. Those that come in with a message are
 * forged, or of no use here, and go at the border, whatever BIMI says about the message.
 */
export function findBimiFields(header: Header): HeaderEdits['remove'] {
  return receiverFields.flatMap((name) =>
    fieldsNamed(header, name).map((_field, index) => ({ name, occurrence: index + 1 })),
  );
}
