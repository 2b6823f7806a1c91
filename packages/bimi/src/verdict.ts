import { fillTexts } from '@zegel/message';
import { bimiCodes } from './codes.ts';
import type { BimiCode, BimiWord, OutcomeValues } from './codes.ts';
import type { FetchFailure } from './fetch-failure.ts';

/** What a mark certificate says, once it is verified. */
export interface MarkCertificate {
  /** `VMC` a registered trademark; `CMC` a mark without one. */
  readonly type: 'VMC' | 'CMC';
  /** The mark type in the certificate's subject, such as `Registered Mark`. */
  readonly mark?: string;
  /** Whose mark it is. */
  readonly organization?: string;
  readonly issuer: string;
  /** The domains the mark is certified for, as the certificate writes them. */
  readonly domains: readonly string[];
  /** ISO 8601, UTC. */
  readonly validFrom: string;
  readonly validTo: string;
  /** Hexadecimal. */
  readonly serialNumber: string;
}

/** What a verdict rests on. */
export interface BimiEvidence {
  /** The name that decided, or the last that was asked. */
  readonly dnsName?: string;
  /** The record as published, one character per octet. */
  readonly record?: string;
  /** Seconds for which the record may be kept. */
  readonly ttl?: number;
  /** The indicator that was fetched and is valid, unpacked. */
  readonly indicator?: { readonly bytes: number; readonly sha256: string };
  readonly vmc?: MarkCertificate;
  /** Why a document was not fetched. */
  readonly fetchFailure?: { readonly url: string; readonly failure: FetchFailure };
  /** The particular reason, where a code stands for several. */
  readonly reason?: string;
}

/** The outcome of BIMI for one message. */
export interface BimiVerdict {
  readonly result: BimiWord;
  readonly code: BimiCode;
  readonly explanation: string;
  readonly advice?: string;
  /** Of the record that was evaluated (`header.d`): the author domain or its organizational domain. */
  readonly domain?: string;
  /** Of the record that was evaluated (`header.selector`). */
  readonly selector?: string;
  /** The indicator's URL. */
  readonly location?: string;
  /** The mark certificate's URL (`policy.authority-uri`). */
  readonly authority?: string;
  /** Whether the mark certificate is valid (`policy.authority`): `none` when there is none, or it was not had. */
  readonly authorityResult?: 'pass' | 'fail' | 'none';
  readonly evidence: BimiEvidence;
}

/** What a verdict says beside its outcome. */
export type VerdictDetails = Omit<BimiVerdict, 'result' | 'code' | 'explanation' | 'advice'>;

/** The verdict of a code, with its texts filled in. */
export function giveVerdict<Code extends BimiCode>(
  code: Code,
  values: OutcomeValues<Code>,
  details: VerdictDetails,
): BimiVerdict {
  return { result: bimiCodes[code].result, code, ...fillTexts(bimiCodes[code], values), ...details };
}
