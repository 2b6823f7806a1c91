import { lookUp } from '@zegel/dns';
import type { DnsAnswer, Resolver } from '@zegel/dns';
import type { DkimCode } from './codes.ts';
import { keyRecordName, keyRecords } from './key-record.ts';
import type { KeyRecord } from './key-record.ts';
import type { DkimLimits } from './limits.ts';
import type { DkimEvidence, Unfinished } from './result.ts';

export type KeyLookup =
  | { readonly ok: true; readonly record: KeyRecord; readonly evidence: DkimEvidence }
  | { readonly ok: false; readonly code: DkimCode; readonly evidence: DkimEvidence };

/**
 * Fetches the key record of a signature (RFC 6376 §6.1.2). TXT records of another kind at the same name, which wildcards
 * put there, are passed over, and are no key; two key records are not a choice to make for the sender, so none of them counts.
 *
 * Answers at once what the resolver knows already.
 */
export function lookUpKey(
  { selector, domain }: { readonly selector: string; readonly domain: string },
  { resolver, signal }: { readonly resolver: Resolver; readonly signal?: AbortSignal },
  limits: Pick<DkimLimits, 'maxKeyRecordBytes' | 'maxKeyRecords'>,
): KeyLookup | Promise<KeyLookup> {
  const keyName = keyRecordName(selector, domain);
  const answer = lookUp(resolver, keyName, 'TXT', signal === undefined ? {} : { signal });
  return answer instanceof Promise
    ? answer.then((found) => readAnswer(keyName, found, limits))
    : readAnswer(keyName, answer, limits);
}

function readAnswer(
  keyName: string,
  answer: DnsAnswer<'TXT'>,
  limits: Pick<DkimLimits, 'maxKeyRecordBytes' | 'maxKeyRecords'>,
): KeyLookup {
  if (answer.status === 'temporary-failure') {
    return { ok: false, code: 'dkim.dns-failure', evidence: { keyName, reason: answer.reason } };
  }
  if (answer.status !== 'found') return { ok: false, code: 'dkim.no-key', evidence: { keyName } };

  const evidence: Unfinished<DkimEvidence> = { keyName, keyTtl: answer.ttl, keyAuthentic: answer.authentic };
  if (answer.records.length > limits.maxKeyRecords) {
    return { ok: false, code: 'dkim.too-many-records', evidence: { ...evidence, limit: limits.maxKeyRecords } };
  }
  let other: ReturnType<typeof keyRecords.read> | undefined;
  let key: typeof other;
  let isUnread = false;
  for (const record of answer.records) {
    if (record.length > limits.maxKeyRecordBytes) {
      isUnread = true;
      continue;
    }
    const candidate = keyRecords.read(record);
    other ??= candidate;
    if (!candidate.parsed.ok && candidate.parsed.reason !== 'syntax') continue;
    if (key !== undefined) return { ok: false, code: 'dkim.several-keys', evidence };
    key = candidate;
  }
  const shown = key ?? other;
  if (shown !== undefined) evidence.keyRecord = shown.text;
  if (key?.parsed.ok === true) return { ok: true, record: key.parsed.record, evidence };
  return { ok: false, code: key === undefined && !isUnread ? 'dkim.no-key' : 'dkim.key-syntax', evidence };
}
