import { HeaderCanonicalizer } from '@zegel/canonicalization';
import type { Canonicalization } from '@zegel/canonicalization';
import { everyField } from '@zegel/message';
import type { Header, HeaderField } from '@zegel/message';

/** A DKIM-Signature field on its own: bytes from the name on, and the offset of the colon. */
export interface SignatureField {
  readonly bytes: Uint8Array;
  readonly colon: number;
}

/** The fields of a header by name, made once per message and shared by all its signatures. */
export class FieldIndex {
  readonly header: Header;
  readonly #byName = new Map<string, HeaderField[]>();

  constructor(header: Header) {
    this.header = header;
    for (const field of everyField(header)) {
      const fields = this.#byName.get(field.name);
      if (fields === undefined) this.#byName.set(field.name, [field]);
      else fields.push(field);
    }
  }

  /** The fields of a lower-case name, top first. */
  named(name: string): readonly HeaderField[] {
    return this.#byName.get(name) ?? [];
  }
}

/**
 * The bytes that are signed (RFC 6376 §3.7): the fields of h= in order, each name taking its instances from the bottom up
 * and nothing when they are used up (§5.4.2), then the signature field with an empty b=, without the final CRLF.
 *
 * @param own the signature field itself where it stands in the header: never counted as one of the h= fields.
 */
export function signedData(
  index: FieldIndex,
  names: readonly string[],
  canonicalization: Canonicalization,
  signatureField: SignatureField,
  own?: HeaderField,
): Uint8Array {
  const canonicalizer = new HeaderCanonicalizer(canonicalization);
  const { bytes } = index.header;
  const used = new Map<string, number>();
  for (const name of names) {
    const fields = index.named(name);
    let next = used.get(name) ?? fields.length;
    if (next > 0 && fields[next - 1] === own) next--;
    if (next === 0) continue;
    used.set(name, next - 1);
    const field = fields[next - 1];
    if (field !== undefined) canonicalizer.add(bytes, field.start, field.colon, field.end);
  }
  canonicalizer.add(signatureField.bytes, 0, signatureField.colon, signatureField.bytes.length);
  return canonicalizer.bytes({ withoutFinalCrlf: true });
}

/**
 * A DKIM-Signature field of a message with its b= value taken out, white space around it included.
 *
 * @param valueStart offset of the raw b= value, counted from behind the colon; `valueEnd` likewise.
 */
export function withoutSignatureValue(
  header: Header,
  field: HeaderField,
  valueStart: number,
  valueEnd: number,
): SignatureField {
  const value = field.colon + 1;
  return {
    bytes: Buffer.concat([
      header.bytes.subarray(field.start, value + valueStart),
      header.bytes.subarray(value + valueEnd, field.end),
    ]),
    colon: field.colon - field.start,
  };
}
