import { HeaderCanonicalizer } from '@zegel/canonicalization';
import { addSignatureField } from '@zegel/dkim';
import type { SignatureField } from '@zegel/dkim';
import type { Header, HeaderField } from '@zegel/message';
import type { ArcSet } from './chain.ts';

/**
 * What ARC-Seal fields sign (RFC 8617 §5.1.1): the sets in increasing order, each as ARC-Authentication-Results,
 * ARC-Message-Signature, ARC-Seal, all relaxed, the last seal with an empty b= and no final CRLF. One run over the sets
 * serves all their seals.
 */
export class SealData {
  readonly #fields = new HeaderCanonicalizer('relaxed');

  /** Adds a field that stands in a header. */
  add({ bytes }: Header, { start, colon, end }: HeaderField): void {
    this.#fields.add(bytes, start, colon, end);
  }

  /** Adds a field that does not stand in a header yet. */
  addField(bytes: Uint8Array, name: string): void {
    this.#fields.add(bytes, 0, name.length, bytes.length);
  }

  /** Adds the three fields of a set. */
  addSet(header: Header, { results, messageSignature, seal }: ArcSet): void {
    for (const { field } of [results, messageSignature, seal]) this.add(header, field);
  }

  /** What this seal signs, given what was added so far. Does not add it. */
  signedBy(field: SignatureField): Uint8Array {
    const seal = new HeaderCanonicalizer('relaxed');
    addSignatureField(seal, field);
    return Buffer.concat([this.#fields.bytes(), seal.bytes({ withoutFinalCrlf: true })]);
  }
}
