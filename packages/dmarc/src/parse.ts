import type { DmarcLimits } from './limits.ts';
import { dmarcLimits } from './limits.ts';
import { isReportingUri } from './record.ts';
import type { AlignmentMode, DmarcRecord, FailureOption, Policy, PublicSuffixFlag, RecordFault } from './record.ts';

/**
 * What a TXT record at a `_dmarc` name turned out to be.
 *
 * `other`: no DMARC record, to be passed over (`v=DMARC1` does not stand first). `unusable`: a DMARC record that holds
 * neither a valid policy nor a valid `rua`, so no DMARC processing takes place, though its `psd` still counts in a tree walk.
 */
export type ParsedDmarcRecord =
  | { readonly kind: 'other' }
  | { readonly kind: 'unusable'; readonly psd: PublicSuffixFlag; readonly faults: readonly RecordFault[] }
  | {
      readonly kind: 'usable';
      readonly record: DmarcRecord;
      /** `p` was missing, or `p`, `sp` or `np` invalid, and `none` stands in for all of them (RFC 9989 §4.10.1). */
      readonly policyAssumed: boolean;
      readonly faults: readonly RecordFault[];
    };

/** `v` in either case, the version in exactly this one (RFC 9989 §4.8), and then the end or the next tag. */
const version = /^[vV][ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)/;
const tagName = /^[A-Za-z]+$/;
/** Reporters ignore it (RFC 9989 §4.8 obs-dmarc-report-size). */
const reportSize = /![0-9]+[kmgtKMGT]?$/;

const historicTags: ReadonlySet<string> = new Set(['pct', 'rf', 'ri']);
const knownTags: ReadonlySet<string> = new Set(['p', 'sp', 'np', 'adkim', 'aspf', 'psd', 't', 'fo', 'rua', 'ruf']);

/**
 * Reads one policy record (RFC 9989 §4.7, §4.8). `text` is the TXT record with its character-strings joined, one
 * character per octet.
 *
 * Never fails: what is wrong in a record is passed over, takes its default and is named in `faults`. A tag that
 * occurs twice is a syntax error (RFC 6376 §3.2), so none of its values counts. Time is linear in `text`.
 */
export function parseDmarcRecord(text: string, maximum: Partial<DmarcLimits> = {}): ParsedDmarcRecord {
  const limits = { ...dmarcLimits, ...maximum };
  const head = version.exec(text);
  if (!head) return { kind: 'other' };
  if (text.length > limits.recordLength) {
    return { kind: 'unusable', psd: 'u', faults: [{ problem: 'too-long', tag: 'v' }] };
  }

  const faults: RecordFault[] = [];
  const tags = readTags(text.slice(head[0].length), faults);

  const read = <Value>(tag: string, rule: (value: string) => Value | undefined): Value | undefined => {
    const value = tags.get(tag);
    if (value === undefined) return undefined;
    const valid = rule(value);
    if (valid === undefined) faults.push({ problem: 'invalid', tag });
    return valid;
  };
  const readUris = (tag: string) => read(tag, (value) => parseUris(value, tag, limits, faults)) ?? [];

  const psd = read('psd', parsePublicSuffixFlag) ?? 'u';
  const p = read('p', parsePolicy);
  const sp = read('sp', parsePolicy);
  const np = read('np', parsePolicy);
  const rua = readUris('rua');
  const common = {
    adkim: read('adkim', parseAlignmentMode) ?? 'relaxed',
    aspf: read('aspf', parseAlignmentMode) ?? 'relaxed',
    psd,
    testing: read('t', parseTesting) ?? false,
    fo: read('fo', parseFailureOptions) ?? ['0'],
    rua,
    ruf: readUris('ruf'),
  } as const;

  const policyIsValid =
    p !== undefined && (sp !== undefined || !tags.has('sp')) && (np !== undefined || !tags.has('np'));
  if (policyIsValid) {
    const record = { p, ...(sp && { sp }), ...(np && { np }), ...common };
    return { kind: 'usable', record, policyAssumed: false, faults };
  }
  if (rua.length === 0) return { kind: 'unusable', psd, faults };
  return { kind: 'usable', record: { p: 'none', ...common }, policyAssumed: true, faults };
}

/** The known tags and their values. A repeated one is kept as an empty value, which no rule accepts. */
function readTags(text: string, faults: RecordFault[]): ReadonlyMap<string, string> {
  const tags = new Map<string, string>();
  const seen = new Set<string>(['v']);
  for (const part of text.split(';')) {
    const tag = trim(part);
    if (tag === '') continue;
    const equals = tag.indexOf('=');
    const name = trim(tag.slice(0, Math.max(equals, 0))).toLowerCase();
    if (!tagName.test(name)) {
      faults.push({ problem: 'syntax', tag });
    } else if (seen.has(name)) {
      faults.push({ problem: 'repeated', tag: name });
      if (knownTags.has(name)) tags.set(name, '');
    } else {
      seen.add(name);
      if (knownTags.has(name)) tags.set(name, trim(tag.slice(equals + 1)));
      else faults.push({ problem: historicTags.has(name) ? 'historic' : 'unknown', tag: name });
    }
  }
  return tags;
}

/** ABNF strings match in any case (RFC 5234 §2.3), so the values below do. */
function parsePolicy(value: string): Policy | undefined {
  const word = value.toLowerCase();
  return word === 'none' || word === 'quarantine' || word === 'reject' ? word : undefined;
}

function parseAlignmentMode(value: string): AlignmentMode | undefined {
  const letter = value.toLowerCase();
  if (letter === 's') return 'strict';
  return letter === 'r' ? 'relaxed' : undefined;
}

function parsePublicSuffixFlag(value: string): PublicSuffixFlag | undefined {
  const letter = value.toLowerCase();
  return letter === 'y' || letter === 'n' || letter === 'u' ? letter : undefined;
}

function parseTesting(value: string): boolean | undefined {
  const letter = value.toLowerCase();
  if (letter === 'y') return true;
  return letter === 'n' ? false : undefined;
}

/** One of `0` and `1` at most, `d` and `s` once at most, in any order (RFC 9989 §4.8 dmarc-fo). */
function parseFailureOptions(value: string): readonly FailureOption[] | undefined {
  const options: FailureOption[] = [];
  for (const part of value.split(':')) {
    const option = trim(part).toLowerCase();
    if (option !== '0' && option !== '1' && option !== 'd' && option !== 's') return undefined;
    if (options.includes(option)) return undefined;
    options.push(option);
  }
  return options.includes('0') && options.includes('1') ? undefined : options;
}

/** The valid URIs of a list, or nothing when there is none. */
function parseUris(
  value: string,
  tag: string,
  limits: DmarcLimits,
  faults: RecordFault[],
): readonly string[] | undefined {
  const uris: string[] = [];
  let invalid = false;
  for (const part of value.split(',')) {
    const uri = trim(part).replace(reportSize, '');
    if (!isReportingUri(uri)) {
      invalid = true;
    } else if (uris.length === limits.reportingUris) {
      faults.push({ problem: 'too-many', tag });
      break;
    } else {
      uris.push(uri);
    }
  }
  if (uris.length === 0) return undefined;
  if (invalid) faults.push({ problem: 'invalid', tag });
  return uris;
}

/** Without the spaces and tabs around it: the only white space of RFC 9989 §4.8. */
function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isWhiteSpace(text, start)) start += 1;
  while (end > start && isWhiteSpace(text, end - 1)) end -= 1;
  return text.slice(start, end);
}

function isWhiteSpace(text: string, index: number): boolean {
  const character = text.charCodeAt(index);
  return character === 0x20 || character === 0x09;
}
