/** Reading SPF records: from the octets of a TXT record to terms, by the grammar of RFC 7208 §12. */
import { RecordCache } from '@zegel/dns';
import { parseIpv4, parseIpv6 } from './ip.ts';
import { spfLimits } from './limits.ts';
import { parseMacroString } from './macro.ts';
import type { MacroString } from './macro.ts';
import type {
  Directive,
  DomainModifier,
  Mechanism,
  Qualifier,
  SpfRecord,
  SpfSyntaxError,
  SpfSyntaxFault,
} from './record.ts';

export type SpfParse =
  | { readonly ok: true; readonly record: SpfRecord }
  | { readonly ok: false; readonly error: SpfSyntaxError };

/** A value, or why there is none. */
type Read<T> = { readonly value: T; readonly fault?: undefined } | { readonly fault: SpfSyntaxFault };

const decoder = new TextDecoder('latin1');

/** Is this TXT record an SPF record: `v=spf1` in any case, then a space or the end (RFC 7208 §4.5)? */
export function isSpfRecord(octets: Uint8Array): boolean {
  for (let at = 0; at < version.length; at++) {
    const octet = octets[at] ?? 0;
    const lower = octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet;
    if (lower !== version.charCodeAt(at)) return false;
  }
  return octets.length === version.length || octets[version.length] === 0x20;
}

const version = 'v=spf1';

const readings = new RecordCache((text) => parseRecord(Buffer.from(text, 'latin1'), text.length));

/**
 * {@link parseRecord} for records from the DNS, which come again and again: what was read from the same octets before
 * is kept.
 */
export function parseKnownRecord(octets: Uint8Array, maxLength: number): SpfParse {
  if (octets.length > maxLength) return wrong('record-too-long', '', 0);
  return readings.read(octets);
}

function hasVersion(text: string): boolean {
  return /^v=spf1(?: |$)/i.test(text.slice(0, 7));
}

/**
 * Reads a record whole (RFC 7208 §4.6): one fault anywhere and nothing of it counts. Takes the joined strings of
 * the TXT record. Never throws; linear in the record's length, which is limited to `maxLength` octets.
 */
export function parseRecord(octets: Uint8Array | string, maxLength: number = spfLimits.maxRecordLength): SpfParse {
  if (octets.length > maxLength) return wrong('record-too-long', '', 0);
  const text = typeof octets === 'string' ? octets : decoder.decode(octets);
  if (!hasVersion(text)) return wrong('version', '', 0);
  const stray = text.search(/[^\x20-\x7e]/);
  if (stray !== -1) return wrong('invalid-character', termAround(text, stray), stray);

  const directives: Directive[] = [];
  const unknownModifiers: string[] = [];
  const known: { redirect?: DomainModifier; exp?: DomainModifier } = {};
  let position = 0;
  for (const term of text.split(' ')) {
    if (position > 0 && term !== '') {
      const fault = readTerm(term, directives, known, unknownModifiers);
      if (fault !== undefined) return wrong(fault, term, position);
    }
    position += term.length + 1;
  }
  return {
    ok: true,
    record: { text, directives, redirect: known.redirect, explanation: known.exp, unknownModifiers },
  };
}

function wrong(fault: SpfSyntaxFault, term: string, position: number): SpfParse {
  return { ok: false, error: { fault, term, position } };
}

function termAround(text: string, position: number): string {
  const end = text.indexOf(' ', position);
  return text.slice(text.lastIndexOf(' ', position) + 1, end === -1 ? undefined : end);
}

const modifierPattern = /^([a-z][a-z0-9._-]*)=/i;
const directivePattern = /^([-+~?]?)([a-z][a-z0-9._-]*)/i;

/** RFC 7208 §4.6.1: a modifier is a name and `=` before any `:` or `/`; everything else is a directive. */
function readTerm(
  term: string,
  directives: Directive[],
  known: { redirect?: DomainModifier; exp?: DomainModifier },
  unknownModifiers: string[],
): SpfSyntaxFault | undefined {
  const modifier = modifierPattern.exec(term);
  if (modifier === null) {
    const directive = readDirective(term);
    if (directive.fault !== undefined) return directive.fault;
    directives.push(directive.value);
    return undefined;
  }
  const name = (modifier[1] ?? '').toLowerCase();
  const value = term.slice(modifier[0].length);
  if (name === 'redirect' || name === 'exp') {
    if (known[name] !== undefined) return 'repeated-modifier';
    const domain = readDomainSpec(value);
    if (domain.fault !== undefined) return domain.fault;
    known[name] = { text: term, domain: domain.value };
    return undefined;
  }
  const macros = parseMacroString(value, 'text');
  if (!macros.ok) return macros.fault;
  unknownModifiers.push(term);
  return undefined;
}

function readDirective(term: string): Read<Directive> {
  const match = directivePattern.exec(term);
  if (match === null) return { fault: 'unknown-mechanism' };
  const mechanism = readMechanism((match[2] ?? '').toLowerCase(), term.slice(match[0].length));
  if (mechanism.fault !== undefined) return mechanism;
  return { value: { text: term, qualifier: readQualifier(match[1] ?? ''), mechanism: mechanism.value } };
}

function readQualifier(text: string): Qualifier {
  return text === '-' || text === '~' || text === '?' ? text : '+';
}

/** `rest` is what follows the name: nothing, `:` and an argument, or `/` and a prefix length. */
function readMechanism(name: string, rest: string): Read<Mechanism> {
  switch (name) {
    case 'all':
      return rest === '' ? { value: { name } } : { fault: 'unexpected-argument' };
    case 'include':
    case 'exists': {
      if (!rest.startsWith(':')) return { fault: rest === '' ? 'missing-domain' : 'unexpected-argument' };
      const domain = readDomainSpec(rest.slice(1));
      return domain.fault === undefined ? { value: { name, domain: domain.value } } : domain;
    }
    case 'a':
    case 'mx':
      return readHostMechanism(name, rest);
    case 'ptr': {
      const domain = readOptionalDomain(rest);
      return domain.fault === undefined ? { value: { name, domain: domain.value } } : domain;
    }
    case 'ip4':
    case 'ip6':
      return readIpMechanism(name, rest);
    default:
      return { fault: 'unknown-mechanism' };
  }
}

/** A domain-spec cannot end in `/` and digits, so such an end is always the dual-cidr-length (RFC 7208 §5.3). */
const dualCidrPattern = /(?:\/(\d+))?(?:\/\/(\d+))?$/;

function readHostMechanism(name: 'a' | 'mx', rest: string): Read<Mechanism> {
  const cidr = dualCidrPattern.exec(rest);
  const domain = readOptionalDomain(rest.slice(0, cidr?.index));
  if (domain.fault !== undefined) return domain;
  const prefix4 = readPrefixLength(cidr?.[1], 32);
  const prefix6 = readPrefixLength(cidr?.[2], 128);
  if (prefix4 === undefined || prefix6 === undefined) return { fault: 'invalid-prefix-length' };
  return { value: { name, domain: domain.value, prefix4, prefix6 } };
}

function readIpMechanism(name: 'ip4' | 'ip6', rest: string): Read<Mechanism> {
  const fault = name === 'ip4' ? 'invalid-ip4' : 'invalid-ip6';
  if (!rest.startsWith(':')) return { fault };
  const slash = rest.indexOf('/');
  const network = rest.slice(1, slash === -1 ? undefined : slash);
  const address = name === 'ip4' ? parseIpv4(network) : parseIpv6(network);
  if (address === undefined) return { fault };
  const prefixLength = readPrefixLength(slash === -1 ? undefined : rest.slice(slash + 1), name === 'ip4' ? 32 : 128);
  if (prefixLength === undefined) return { fault: 'invalid-prefix-length' };
  return { value: { name, network: { address, prefixLength } } };
}

/** RFC 7208 §12: `0`, or digits without a leading zero. Absent: all bits. */
function readPrefixLength(digits: string | undefined, bits: number): number | undefined {
  if (digits === undefined) return bits;
  if (!/^(?:0|[1-9]\d{0,2})$/.test(digits)) return undefined;
  const length = Number(digits);
  return length <= bits ? length : undefined;
}

function readOptionalDomain(rest: string): Read<MacroString | undefined> {
  if (rest === '') return { value: undefined };
  return rest.startsWith(':') ? readDomainSpec(rest.slice(1)) : { fault: 'unexpected-argument' };
}

/** RFC 7208 §7.1 domain-spec: a macro string that ends in a macro or in a dot and a top label. */
function readDomainSpec(text: string): Read<MacroString> {
  if (text === '') return { fault: 'missing-domain' };
  const macros = parseMacroString(text, 'domain');
  if (!macros.ok) return { fault: macros.fault };
  if (macros.tail !== '' && !endsInTopLabel(macros.tail)) {
    return { fault: parseIpv4(text.split('/')[0] ?? '') === undefined ? 'invalid-domain' : 'address-as-domain' };
  }
  return { value: macros.parts };
}

/** toplabel = letters, digits and inner hyphens, not digits only; a final dot may follow. */
function endsInTopLabel(literal: string): boolean {
  const end = literal.endsWith('.') ? literal.length - 1 : literal.length;
  const dot = literal.lastIndexOf('.', end - 1);
  if (dot === -1 || dot >= end) return false;
  const label = literal.slice(dot + 1, end);
  return /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/i.test(label) && !/^\d+$/.test(label);
}
