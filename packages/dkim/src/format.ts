import type { Canonicalization } from '@zegel/canonicalization';
import type { SigningAlgorithm } from './signing-key.ts';

/** What goes into a DKIM-Signature field (RFC 6376 §3.5). */
export interface SignatureTags {
  readonly algorithm: SigningAlgorithm;
  readonly headerCanonicalization: Canonicalization;
  readonly bodyCanonicalization: Canonicalization;
  readonly domain: string;
  readonly selector: string;
  /** An address, or `@` and a domain. */
  readonly identity?: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly expiration?: number;
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
  const parts = [
    'v=1;',
    `a=${tags.algorithm};`,
    `c=${tags.headerCanonicalization}/${tags.bodyCanonicalization};`,
    `d=${tags.domain};`,
    `s=${tags.selector};`,
    ...(tags.identity === undefined ? [] : [`i=${quotedPrintable(tags.identity)};`]),
    `t=${tags.timestamp};`,
    ...(tags.expiration === undefined ? [] : [`x=${tags.expiration};`]),
    ...`h=${tags.signedFields.join(':')};`.split(/(?<=:)/),
    `bh=${tags.bodyHash};`,
    'b=',
  ];
  let field = 'DKIM-Signature:';
  let line = field.length;
  let glued = false;
  for (const part of parts) {
    // Names in h= follow each other without white space unless a fold comes between them.
    const space = glued ? '' : ' ';
    if (line + space.length + part.length > lineLength) {
      field += `\r\n\t${part}`;
      line = part.length + 1;
    } else {
      field += space + part;
      line += space.length + part.length;
    }
    glued = part.endsWith(':');
  }
  return field;
}

/** Base64 as it stands behind `b=`: on lines of its own, each ended by CRLF. */
export function formatSignatureValue(signature: Uint8Array): string {
  const text = Buffer.from(signature).toString('base64');
  const lines = text.match(/.{1,72}/g) ?? [];
  return `${lines.map((line) => `\r\n\t${line}`).join('')}\r\n`;
}

/** DKIM-Quoted-Printable (RFC 6376 §2.11): every octet that may not stand in a tag value as `=` and two digits. */
function quotedPrintable(text: string): string {
  return [...Buffer.from(text, 'utf8')]
    .map((octet) =>
      octet > 0x20 && octet < 0x7f && octet !== 0x3b && octet !== 0x3d
        ? String.fromCharCode(octet)
        : `=${octet.toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .join('');
}
