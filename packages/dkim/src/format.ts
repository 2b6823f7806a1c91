import type { Canonicalization } from '@zegel/canonicalization';
import { asBuffer } from '@zegel/message';
import type { SigningAlgorithm } from './signing-key.ts';

/** What goes into a DKIM-Signature field (RFC 6376 §3.5). */
export interface SignatureTags {
  readonly algorithm: SigningAlgorithm;
  readonly headerCanonicalization: Canonicalization;
  readonly bodyCanonicalization: Canonicalization;
  readonly domain: string;
  readonly selector: string;
  /** An address, or `@` and a domain. */
  readonly identity: string | undefined;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly expiration: number | undefined;
  readonly signedFields: readonly string[];
  /** Base64. */
  readonly bodyHash: string;
}

const lineLength = 76;

/**
 * The DKIM-Signature field with an empty b=, folded, without its final CRLF. b= stands last, so that a signature can be
 * appended without touching what was signed.
 */
export function formatUnsigned(tags: SignatureTags): string {
  const field = new FoldedField();
  field.add('v=1;');
  field.add(`a=${tags.algorithm};`);
  field.add(`c=${tags.headerCanonicalization}/${tags.bodyCanonicalization};`);
  field.add(`d=${tags.domain};`);
  field.add(`s=${tags.selector};`);
  if (tags.identity !== undefined) field.add(`i=${quotedPrintable(tags.identity)};`);
  field.add(`t=${tags.timestamp};`);
  if (tags.expiration !== undefined) field.add(`x=${tags.expiration};`);
  const last = tags.signedFields.length - 1;
  // Names in h= follow each other without white space unless a fold comes between them.
  for (const [place, name] of tags.signedFields.entries()) {
    const end = place === last ? ';' : ':';
    if (place === 0) field.add(`h=${name}${end}`);
    else field.addClose(name + end);
  }
  if (last === -1) field.add('h=;');
  field.add(`bh=${tags.bodyHash};`);
  field.add('b=');
  return field.text;
}

/** Builds a DKIM-Signature field, folded where a line would become too long. */
class FoldedField {
  text = 'DKIM-Signature:';
  #line = this.text.length;

  /** Adds a part behind a space or a fold. */
  add(part: string): void {
    if (this.#line + 1 + part.length > lineLength) {
      this.#fold(part);
      return;
    }
    this.text += ` ${part}`;
    this.#line += 1 + part.length;
  }

  /** Adds a part behind what is there or behind a fold. */
  addClose(part: string): void {
    if (this.#line + part.length > lineLength) {
      this.#fold(part);
      return;
    }
    this.text += part;
    this.#line += part.length;
  }

  #fold(part: string): void {
    this.text += `\r\n\t${part}`;
    this.#line = part.length + 1;
  }
}

/** Base64 as it stands behind `b=`: on lines of its own, each ended by CRLF. */
export function formatSignatureValue(signature: Uint8Array): string {
  const text = asBuffer(signature).toString('base64');
  let lines = '';
  for (let from = 0; from < text.length; from += 72) lines += `\r\n\t${text.slice(from, from + 72)}`;
  return `${lines}\r\n`;
}

/** DKIM-Quoted-Printable (RFC 6376 §2.11): every octet that may not stand in a tag value as `=` and two digits. */
export function quotedPrintable(text: string): string {
  return [...Buffer.from(text, 'utf8')]
    .map((octet) =>
      octet > 0x20 && octet < 0x7f && octet !== 0x3b && octet !== 0x3d
        ? String.fromCharCode(octet)
        : `=${octet.toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .join('');
}
