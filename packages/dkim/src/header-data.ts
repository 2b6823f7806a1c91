import { HeaderCanonicalizer, canonicalizeWholeHeader } from '@zegel/canonicalization';
import type { Canonicalization } from '@zegel/canonicalization';
import { keptWith } from '@zegel/dns';
import { commonName, everyField } from '@zegel/message';
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

/**
 * The fields that a list of lower-case names covers, in its order: each name takes its fields from the bottom up, and none when
 * they are used up (RFC 6376 §5.4.2).
 *
 * @param names what is looked up in it is kept with the list, which must not change.
 * @param own a field that is never taken.
 */
export function selectFields(header: Header, names: readonly string[], own?: HeaderField): readonly HeaderField[] {
  const every = everyField(header);
  return selectorOf(names).select(every === header.fields ? header.fields : [...every], own);
}

/** The places that one name has in a list, and how many of them the selection under way has filled. */
interface Places {
  readonly at: number[];
  selection: number;
  filled: number;
}

/** A list of names by name, so that a header need be passed once. */
class FieldSelector {
  readonly #places = new Map<string, Places>();
  readonly #nothing: readonly (HeaderField | undefined)[];
  #selection = 0;

  constructor(names: readonly string[]) {
    this.#nothing = names.map(() => undefined);
    for (const [at, text] of names.entries()) {
      const name = commonName(text);
      const places = this.#places.get(name);
      if (places === undefined) this.#places.set(name, { at: [at], selection: 0, filled: 0 });
      else places.at.push(at);
    }
  }

  select(fields: readonly HeaderField[], own?: HeaderField): readonly HeaderField[] {
    const selection = ++this.#selection;
    const taken = [...this.#nothing];
    for (let from = fields.length - 1; from >= 0; from--) {
      const field = fields[from];
      const places = field === undefined || field.start === own?.start ? undefined : this.#places.get(field.name);
      if (places === undefined) continue;
      if (places.selection !== selection) {
        places.selection = selection;
        places.filled = 0;
      }
      const place = places.at[places.filled];
      if (place === undefined) continue;
      places.filled++;
      taken[place] = field;
    }
    return taken.filter((field) => field !== undefined);
  }
}

/** Kept with the lists, of which there is one for each text of h= that comes often. */
const selectorOf = keptWith((names: readonly string[]) => new FieldSelector(names));

/**
 * The bytes that are signed (RFC 6376 §3.7): the fields of h= in order, each name taking its instances from the bottom
 * up and nothing when they are used up (§5.4.2), then a signature field that is being made, without its final CRLF. The
 * caller's to keep.
 */
export function signedData(
  header: Header,
  names: readonly string[],
  canonicalization: Canonicalization,
  made: SignatureField,
): Uint8Array {
  return new CoveredFields(header.bytes, selectFields(header, names), canonicalization).signedWith(made);
}

/**
 * The same for a signature field of the header itself, `own`, without the value of its b=. It is never counted as one of the
 * h= fields. Only valid until something else is canonicalized.
 *
 * @param value where the raw b= value stands in the field, counted from behind its colon.
 */
export function dataToVerify(
  header: Header,
  names: readonly string[],
  canonicalization: Canonicalization,
  own: HeaderField,
  value: { readonly valueStart: number; readonly valueEnd: number },
): Uint8Array {
  const fields = selectFields(header, names, own);
  return canonicalizeWholeHeader(canonicalization, header.bytes, fields, signatureField(header, own, value));
}

/** The fields of h=, canonicalized once for all the signatures that are made over them. */
export class CoveredFields {
  readonly #canonicalizer: HeaderCanonicalizer;
  readonly #length: number;

  constructor(bytes: Uint8Array, fields: readonly HeaderField[], canonicalization: Canonicalization) {
    this.#canonicalizer = new HeaderCanonicalizer(canonicalization);
    this.#canonicalizer.addAll(bytes, fields);
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
  canonicalizer.addAll(field.bytes, [], field);
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
