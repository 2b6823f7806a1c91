import type { Resolver } from '@zegel/dns';
import { dkimVerify } from 'mailauth/lib/dkim/verify.js';
import { evaluateDmarc } from 'mailauth/lib/dmarc/index.js';
import { nodeDns } from '../node-dns.ts';
import { judgedAt } from './case.ts';
import type { MailauthVerdict } from './verdict.ts';

export interface MailauthReading {
  readonly verdicts: readonly MailauthVerdict[];
  /** The addresses it finds in From, and in how many From fields. */
  readonly headerFrom: readonly string[];
  readonly fromFields: number;
  /** What it threw instead of all this. */
  readonly thrown?: string;
}

/** The signatures and the author of a message, by mailauth in strict mode. */
export async function readWithMailauth(raw: Buffer, resolver: Resolver): Promise<MailauthReading> {
  try {
    return await read(raw, resolver);
  } catch (error) {
    return { verdicts: [], headerFrom: [], fromFields: 0, thrown: String(error) };
  }
}

async function read(raw: Buffer, resolver: Resolver): Promise<MailauthReading> {
  const { results, headerFrom, fromFields } = (await dkimVerify(raw, {
    resolver: nodeDns(resolver),
    strict: true,
    curTime: judgedAt,
  })) as unknown as {
    results: { status: { result: string; comment?: string; underSized?: number } }[];
    headerFrom: string[];
    fromFields: number;
  };
  return {
    verdicts: results.map(({ status }) => ({
      result: status.result,
      comment: status.comment ?? '',
      underSized: status.underSized ?? 0,
    })),
    headerFrom,
    fromFields,
  };
}

/** `result` is `permerror` where mailauth gives none, with its reason; `policy` is what is asked for mail that fails. */
export interface MailauthDmarc {
  readonly result: string;
  readonly policy: string;
  readonly detail: string;
}

/** DMARC by mailauth in strict mode, for the author it read itself and the identifiers that we found authentic. */
export async function dmarcOfMailauth(
  { headerFrom, fromFields }: MailauthReading,
  spfDomains: readonly string[],
  dkimDomains: readonly string[],
  resolver: Resolver,
): Promise<MailauthDmarc> {
  const { response, reason } = await evaluateDmarc({
    headerFrom: [...headerFrom],
    fromFields,
    spfDomains: [...spfDomains],
    dkimDomains: dkimDomains.map((domain) => ({ domain })),
    resolver: nodeDns(resolver),
    strict: true,
  });
  if (response === false) return { result: 'permerror', policy: '', detail: reason ?? '' };
  const { policy } = response as { policy?: string };
  return { result: response.status.result, policy: policy ?? '', detail: response.status.comment ?? '' };
}
