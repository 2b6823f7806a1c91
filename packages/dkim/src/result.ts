import { fillTexts } from '@zegel/message';
import { dkimCodes, testingNote } from './codes.ts';
import type { DkimCode, DkimResultWord } from './codes.ts';

/** What was found out about one signature, and how. All values are plain data. */
export interface DkimEvidence {
  /** Which DKIM-Signature field, 1 being the topmost. */
  readonly occurrence?: number;
  /** The tag that was wrong. */
  readonly tag?: string;
  readonly canonicalization?: string;
  readonly signedFields?: readonly string[];
  /** t= and x=, RFC 3339. */
  readonly timestamp?: string;
  readonly expiration?: string;
  /** l=, and the octets of the whole canonical body. */
  readonly bodyLength?: number;
  readonly canonicalBodyLength?: number;
  /** bh= and the hash of the body as received, base64. */
  readonly bodyHash?: { readonly signed: string; readonly computed: string };
  /** When the body hash differs: whether the header, bh= included, is as signed. */
  readonly headerIntact?: boolean;
  /** Where the key was asked for, what was there, for how many seconds, and whether DNSSEC vouched for it. */
  readonly keyName?: string;
  readonly keyRecord?: string;
  readonly keyTtl?: number;
  readonly keyAuthentic?: boolean;
  readonly keyBits?: number;
  /** Why the DNS gave no answer. */
  readonly reason?: string;
  /** The limit that was exceeded. */
  readonly limit?: number;
}

/** The verdict on one DKIM-Signature field, or on there being none. */
export interface DkimResult {
  readonly result: DkimResultWord;
  readonly code: DkimCode;
  readonly explanation: string;
  readonly advice?: string;
  /** d=, s=, i=, a= and b= as far as they could be read. */
  readonly domain?: string;
  readonly selector?: string;
  readonly identity?: string;
  readonly algorithm?: string;
  readonly signature?: string;
  /** The key record says t=y. */
  readonly testing?: boolean;
  readonly evidence: DkimEvidence;
}

/** What is still being put together: member by member, since a spread would take longer than all the rest. */
export type Unfinished<T> = { -readonly [Name in keyof T]: T[Name] };

/** All but what led there, which stands last where people read it. */
type Verdict = Omit<DkimResult, 'evidence'>;

/** What a verdict is put together from; what is not known may be undefined. */
export type DkimFacts = Pick<DkimResult, 'evidence'> & {
  readonly [Name in Exclude<keyof Verdict, 'result' | 'code' | 'explanation' | 'advice'>]?: Verdict[Name] | undefined;
};

/** Puts a verdict together from its code and the facts, and words it. */
export function dkimResult(code: DkimCode, facts: DkimFacts): DkimResult {
  const entry: { result: DkimResultWord; explanation: string; advice?: string } = dkimCodes[code];
  // RFC 6376 §3.6.1: a failing signature of a domain that is testing is to be treated as if it were not there. That it
  // failed is reported all the same, as other verifiers do: the domain wants to know.
  const waived = facts.testing === true && (entry.result === 'fail' || entry.result === 'permerror');
  const texts = waived ? { ...entry, explanation: `${entry.explanation} ${testingNote}` } : entry;
  const { explanation, advice } = fillTexts(texts, facts.evidence, facts);
  const { domain, selector, identity, algorithm, signature, testing, evidence } = facts;
  const result: Unfinished<Verdict> = { result: entry.result, code, explanation };
  if (advice !== undefined) result.advice = advice;
  if (domain !== undefined) result.domain = domain;
  if (selector !== undefined) result.selector = selector;
  if (identity !== undefined) result.identity = identity;
  if (algorithm !== undefined) result.algorithm = algorithm;
  if (signature !== undefined) result.signature = signature;
  if (testing !== undefined) result.testing = testing;
  return Object.assign(result, { evidence });
}
