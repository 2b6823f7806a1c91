import { HeaderCanonicalizer } from '@zegel/canonicalization';
import type { Canonicalization } from '@zegel/canonicalization';
import { everyField } from '@zegel/message';
import type { Header, HeaderField } from '@zegel/message';

/** Where a signature field stands in some bytes, and in it the raw value of b=, which is not signed. */
export interface SignatureField {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly colon: number;
  readonly valueStart: number;
  readonly valueEnd: number;
  readonly end: number;
}

/** The fields of one name, and how many of them the selection under way has left. */
interface NamedFields {
  readonly fields: HeaderField[];
  selection: number;
  left: number;
}

/** The fields of a header by name, made once per message and shared by all its signatures. */
export class FieldIndex {
  readonly header: Header;
  readonly #byName = new Map<string, NamedFields>();
  #selection = 0;

  constructor(header: Header) {
    this.header = header;
    for (const field of everyField(header)) {
      const named = this.#byName.get(field.name);
      if (named === undefined) this.#byName.set(field.name, { fields: [field], selection: 0, left: 0 });
      else named.fields.push(field);
    }
  }

  /** The fields of a lower-case name, top first. */
  named(name: string): readonly HeaderField[] {
    return this.#byName.get(name)?.fields ?? noFields;
  }

  /** Begins a selection: all fields are there to be taken again. */
  beginSelection(): void {
    this.#selection++;
  }

  /** Takes the lowest field of a lower-case name that was not taken, `own` never; undefined when they are used up. */
  takeLowest(name: string, own?: HeaderField): HeaderField | undefined {
    const named = this.#byName.get(name);
    if (named === undefined) return undefined;
    if (named.selection !== this.#selection) {
      named.selection = this.#selection;
      named.left = named.fields.length;
    }
    if (named.left > 0 && named.fields[named.left - 1] === own) named.left--;
    if (named.left === 0) return undefined;
    named.left--;
    return named.fields[named.left];
  }
}

const noFields: readonly HeaderField[] = [];

/**
 * The bytes that are signed (RFC 6376 §3.7): the fields of h= in order, each name taking its instances from the bottom up
 * and nothing when they are used up (§5.4.2), then the signature field without the value of b= and without the final CRLF.
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
  const { bytes } = index.header;
  if (signatureField.bytes !== bytes)
    return new CoveredFields(index, names, canonicalization).signedWith(signatureField);
  const canonicalizer = new HeaderCanonicalizer(canonicalization);
  canonicalizer.addAll(bytes, takeFields(index, names, own), signatureField);
  return canonicalizer.bytes({ withoutFinalCrlf: true });
}

/** The fields of h= in the order in which they are signed. */
function takeFields(index: FieldIndex, names: readonly string[], own?: HeaderField): readonly HeaderField[] {
  const fields: HeaderField[] = [];
  index.beginSelection();
  for (const name of names) {
    const field = index.takeLowest(name, own);
    if (field !== undefined) fields.push(field);
  }
  return fields;
}

/** The fields of h=, canonicalized once for all the signatures that are made over them. */
export class CoveredFields {
  readonly #canonicalizer: HeaderCanonicalizer;
  readonly #length: number;

  constructor(index: FieldIndex, names: readonly string[], canonicalization: Canonicalization) {
    this.#canonicalizer = new HeaderCanonicalizer(canonicalization);
    this.#canonicalizer.addAll(index.header.bytes, takeFields(index, names));
    this.#length = this.#canonicalizer.length;
  }

  /** What one signature signs, see {@link signedData}; the caller's to keep. */
  signedWith(signatureField: SignatureField): Uint8Array {
    addSignatureField(this.#canonicalizer, signatureField);
    const data = Buffer.from(this.#canonicalizer.bytes({ withoutFinalCrlf: true }));
    this.#canonicalizer.truncate(this.#length);
    return data;
  }
}

/** Adds a signature field as it was signed: without the value of b=, white space around that included. */
export function addSignatureField(canonicalizer: HeaderCanonicalizer, field: SignatureField): void {
  canonicalizer.addAll(field.bytes, noFields, field);
}

/**
 * The signature field of a header.
 *
 * @param value where the raw b= value stands, counted from behind the colon.
 */
export function signatureField(
  { bytes }: Header,
  { start, colon, end }: HeaderField,
  value: { readonly valueStart: number; readonly valueEnd: number },
): SignatureField {
  const behind = colon + 1;
  return { bytes, start, colon, valueStart: behind + value.valueStart, valueEnd: behind + value.valueEnd, end };
}

/** A signature field that is being made, from the name on; b= stands last and is empty. */
export function unsignedField(bytes: Uint8Array, colon: number): SignatureField {
  const end = bytes.length;
  return { bytes, start: 0, colon, valueStart: end, valueEnd: end, end };
}
