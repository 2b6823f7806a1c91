import { createHash, createPublicKey, hash, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { canonicalizeWholeBody, canonicalizeWholeHeader, createBodyCanonicalizer } from '@zegel/canonicalization';
import type { FieldOffsets, ValueGap } from '@zegel/canonicalization';
import { parseTagList } from '@zegel/dkim';
import { fieldsNamed, parseMessage } from '@zegel/message';

/** Relaxed canonicalization, hashes and one RSA operation for a message of which all else is known beforehand. */
export interface Probe {
  sign(): Buffer;
  verify(): boolean;
}

/**
 * What the platform allows: nothing is read, checked or reported. Where the fields stand, which of them are signed, the key and the
 * signature are found once, before anything is measured.
 *
 * @param signed a message with one DKIM-Signature field on top, whose h= names no field that stands twice.
 */
export function createProbe(signed: Buffer, privateKey: KeyObject): Probe {
  const { header, body } = parseMessage(signed);
  const [own] = header.fields;
  const list = own === undefined ? null : parseTagList(signed.toString('latin1', own.colon + 1, own.end));
  const b = list?.ok === true ? list.tags.get('b') : undefined;
  const h = list?.ok === true ? list.tags.get('h') : undefined;
  if (own === undefined || b === undefined || h === undefined) throw new Error('The probe needs a signed message');
  const names = new Set(h.value.toLowerCase().split(/[:\s]+/));
  const fields: readonly FieldOffsets[] = [...names].flatMap((name) => fieldsNamed(header, name));
  const from = own.colon + 1;
  const last: FieldOffsets & ValueGap = { ...own, valueStart: from + b.start, valueEnd: from + b.end };
  const signature = Buffer.from(b.value, 'base64');
  const publicKey = createPublicKey(privateKey);
  const headerData = (): Uint8Array => canonicalizeWholeHeader('relaxed', header.bytes, fields, last);
  const bodyHash = hashBody(body);
  const probe: Probe = {
    sign() {
      hashBody(body);
      return sign('sha256', headerData(), privateKey);
    },
    verify: () => hashBody(body) === bodyHash && verify('sha256', headerData(), publicKey, signature),
  };
  if (!probe.verify()) throw new Error('The probe does not verify its message');
  return probe;
}

function hashBody(body: Uint8Array): string {
  const whole = canonicalizeWholeBody('relaxed', body);
  if (whole !== null) return hash('sha256', whole.bytes, 'base64');
  const streamed = createHash('sha256');
  const canonicalizer = createBodyCanonicalizer('relaxed', (bytes) => void streamed.update(bytes));
  canonicalizer.update(body);
  canonicalizer.end();
  return streamed.digest('base64');
}
