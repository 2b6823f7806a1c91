/**
 * Domain names as Zegel compares and asks them: lower case, A-labels, no final dot.
 */

import { domainToASCII } from 'node:url';
import { KeptByText } from './kept-by-text.ts';
import { MAX_LABEL_OCTETS, MAX_NAME_OCTETS, MAX_NAME_TEXT } from './limits.ts';

const NON_ASCII = /[\u0080-\uffff]/;
const PRINTABLE = /^[ -~]+$/;
/** A label of printable octets without capitals. */
const LOWER_LABEL = `[ -\\-/-@[-~]{1,${MAX_LABEL_OCTETS}}`;
const NORMALIZED = new RegExp(`^${LOWER_LABEL}(?:\\.${LOWER_LABEL})*$`);
const U_LABEL = /^[A-Za-z0-9_\-\u0080-\uffff]+$/;

/** Each character of a U-label takes an octet of its A-label at least, and two UTF-16 units at most. */
const MAX_U_LABEL_UNITS = 2 * MAX_LABEL_OCTETS;

/** Appended to a single label, so that the host parser neither sees an IPv4 address in digits nor cuts anything off unseen. */
const ANCHOR = '.invalid';

/**
 * Brings a name to the one form in which names are compared: lower case, A-labels (UTS #46), without the final dot.
 *
 * Returns null when the text cannot be asked in the DNS: an empty label (the root included), a label over 63
 * octets, a name over 253, a U-label that IDNA does not know, or a control character. Any other ASCII is
 * let through, since SPF macros make names of local parts and RFC 2181 §11 allows every octet in a label.
 */
export function normalizeName(name: string): string | null {
  return name.length > MAX_NAME_TEXT ? null : names.get(name);
}

/** What was made of the names that come again and again. */
const names = new KeptByText(normalized, MAX_NAME_OCTETS);

function normalized(name: string): string | null {
  if (isNormalized(name)) return name;
  const text = name.endsWith('.') ? name.slice(0, -1) : name;
  const ascii = NON_ASCII.test(text) ? toALabels(text) : text.toLowerCase();
  if (ascii === null || ascii.length > MAX_NAME_OCTETS) return null;
  if (!PRINTABLE.test(ascii)) return null;
  return hasValidLabels(ascii) ? ascii : null;
}

/** Whether a text is a name in that form already, as most that come here are. */
function isNormalized(text: string): boolean {
  return text.length <= MAX_NAME_OCTETS && NORMALIZED.test(text);
}

/** The labels of a normalized name, leftmost first. */
export function splitLabels(name: string): readonly string[] {
  return name.split('.');
}

/**
 * Whether `name` is `ancestor` or lies below it, label by label: `notexample.com` is not below `example.com`.
 * Both must be normalized.
 */
export function isSubdomainOf(name: string, ancestor: string): boolean {
  if (!name.endsWith(ancestor)) return false;
  const rest = name.length - ancestor.length;
  return rest === 0 || name.charAt(rest - 1) === '.';
}

/** The name one label shorter, or null when a single label is left. `name` must be normalized. */
export function parentName(name: string): string | null {
  const dot = name.indexOf('.');
  return dot === -1 ? null : name.slice(dot + 1);
}

/**
 * Only labels that are not ASCII go through IDNA: it would refuse the octets an SPF macro may put in the others.
 * It costs microseconds a label, so it ends as soon as the name is too long.
 */
function toALabels(text: string): string | null {
  let name = '';
  for (const label of text.split('.')) {
    const ascii = NON_ASCII.test(label) ? toALabel(label) : label.toLowerCase();
    if (ascii === null || name.length + ascii.length > MAX_NAME_OCTETS) return null;
    name += name === '' ? ascii : `.${ascii}`;
    // An empty first label would be lost in the joining.
    if (ascii === '') return null;
  }
  return name;
}

function toALabel(label: string): string | null {
  if (label.length > MAX_U_LABEL_UNITS || !U_LABEL.test(label)) return null;
  const converted = domainToASCII(label + ANCHOR);
  return converted.endsWith(ANCHOR) ? converted.slice(0, -ANCHOR.length) : null;
}

function hasValidLabels(name: string): boolean {
  let start = 0;
  while (start <= name.length) {
    const dot = name.indexOf('.', start);
    const end = dot === -1 ? name.length : dot;
    if (end === start || end - start > MAX_LABEL_OCTETS) return false;
    start = end + 1;
  }
  return true;
}
