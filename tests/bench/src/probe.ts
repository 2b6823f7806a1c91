import { createPublicKey, createVerify, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { canonicalizeWholeHeader } from '@zegel/canonicalization';
import {
  BodyDigests,
  dkimLimits,
  fieldText,
  parseTagList,
  readCoverageTags,
  readSignerTags,
  signatureField,
} from '@zegel/dkim';
import { fieldsNamed, parseMessage } from '@zegel/message';

/** Relaxed canonicalization, hashes and one RSA operation for a message of which all else is known beforehand. */
export interface Probe {
  sign(): Buffer;
  verify(): boolean;
}

/**
 * What the platform allows: nothing is read, checked or reported. Where the fields stand, which of them are signed, the
 * key and the signature are found once, before anything is measured.
 *
 * @param signed a message with one DKIM-Signature field on top, whose h= names no field that stands twice.
 */
export function createProbe(signed: Buffer, privateKey: KeyObject): Probe {
  const { header, body } = parseMessage(signed);
  const [own] = header.fields;
  const list = own === undefined ? null : parseTagList(fieldText(header, own));
  const signer = list?.ok === true ? readSignerTags(list.tags) : null;
  const covered = list?.ok === true ? readCoverageTags(list.tags, dkimLimits) : null;
  if (own === undefined || signer?.ok !== true || covered?.ok !== true) throw new Error('The probe needs a signature');
  const { valueStart, valueEnd, signatureBytes: signature } = signer.value;
  const fields = [...new Set(covered.value.signedFields)].flatMap((name) => fieldsNamed(header, name));
  const last = signatureField(header, own, { valueStart, valueEnd });
  const publicKey = createPublicKey(privateKey);
  const headerData = (): Uint8Array => canonicalizeWholeHeader('relaxed', header.bytes, fields, last);
  const bodyHash = hashBody(body);
  const probe: Probe = {
    sign() {
      hashBody(body);
      return sign('sha256', headerData(), privateKey);
    },
    // In three calls, which take less than the one call that Node has for it.
    verify: () =>
      hashBody(body) === bodyHash && createVerify('sha256').update(headerData()).verify(publicKey, signature),
  };
  if (!probe.verify()) throw new Error('The probe does not verify its message');
  return probe;
}

function hashBody(body: Uint8Array): string {
  const digests = new BodyDigests();
  const digest = digests.request('relaxed');
  digests.whole(body);
  return digest().value;
}
