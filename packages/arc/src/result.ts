import type { AuthenticationResults } from '@zegel/auth-results';
import type { DkimCode, DkimEvidence, SignerTags } from '@zegel/dkim';
import { fillTexts } from '@zegel/message';
import { arcCodes } from './codes.ts';
import type { ArcCode, ArcResultWord } from './codes.ts';
import type { ArcTrust } from './trust.ts';

/** cv=, what a sealer found the chain to be when the message came (RFC 8617 §4.1.3). */
export type ChainStatus = ArcResultWord;

/** What was found out about one ARC-Seal or ARC-Message-Signature field. */
export interface ArcCheck {
  /** `unchecked`: nothing depended on it, or the chain was broken already. */
  readonly result: 'pass' | 'fail' | 'unchecked';
  /** Why it fails. ARC keys and signatures are DKIM's, and so are the reasons. */
  readonly code?: DkimCode | ArcCode;
  readonly explanation?: string;
  /** d=, s= and a=, as far as they could be read. */
  readonly domain?: string;
  readonly selector?: string;
  readonly algorithm?: string;
  readonly evidence?: DkimEvidence;
}

/** A field whose tags were read, and no more. */
export function unchecked({ domain, selector, algorithm }: SignerTags): ArcCheck {
  return { result: 'unchecked', domain, selector, algorithm };
}

/** One set of a chain. */
export interface ArcSetResult {
  readonly instance: number;
  readonly cv?: ChainStatus;
  readonly seal: ArcCheck;
  readonly messageSignature: ArcCheck;
  /** What this sealer says it saw. Its word alone: believe it as far as you trust the sealer. */
  readonly authenticationResults?: AuthenticationResults;
}

/** How the verdict came about. All values are plain data. */
export interface ArcEvidence {
  /** The set and the field that decided. */
  readonly instance?: number;
  readonly field?: string;
  readonly tag?: string;
  readonly cv?: string;
  /** The limit that was exceeded. */
  readonly limit?: number;
  /** Newest first. Sets of which only a part could be read are here too. */
  readonly sets: readonly ArcSetResult[];
}

/** The verdict on the chain of a message (RFC 8617 §5.2). */
export interface ArcResult {
  readonly result: ArcResultWord;
  readonly code: ArcCode;
  readonly explanation: string;
  readonly advice?: string;
  /** The highest instance found: the number of sets, when the chain is whole. */
  readonly sets: number;
  /**
   * When the chain passes: 0 when every ARC-Message-Signature holds, else the oldest instance from which on all that were
   * checked hold. The message was last changed before that one (RFC 8617 §5.2 step 5).
   */
  readonly oldestPass?: number;
  /** The sealing domains (d= of ARC-Seal), newest first. Only those of a passing chain are proven. */
  readonly domains: readonly string[];
  /** When the chain passes and there is a list of trusted sealers. */
  readonly trust?: ArcTrust;
  readonly evidence: ArcEvidence;
}

/** Facts that fill the texts beside the evidence. */
export interface Wording {
  readonly domain?: string;
  readonly why?: string;
}

/** Puts a verdict together from its code and the facts, and words it. */
export function arcResult(
  code: ArcCode,
  facts: Pick<ArcResult, 'sets' | 'domains' | 'evidence'> & Partial<Pick<ArcResult, 'oldestPass' | 'trust'>>,
  wording: Wording = {},
): ArcResult {
  const entry: { result: ArcResultWord; explanation: string; advice?: string } = arcCodes[code];
  const values = { ...facts.evidence, sets: facts.sets, domain: wording.domain ?? facts.domains[0], why: wording.why };
  const { explanation, advice } = fillTexts(entry, values);
  const result = { ...facts, result: entry.result, code, explanation };
  return advice === undefined ? result : { ...result, advice };
}
