import type { MacroList, Offer } from './agreement.ts';
import { macroListStages } from './agreement.ts';
import { encodeFrame } from './frame.ts';
import type { Frame } from './frame.ts';
import type { MilterLimits } from './limits.ts';
import { milterLimits } from './limits.ts';
import { encodeNumbers, PayloadReader, textParts } from './payload.ts';
import { formatReplyCode, parseReplyCode } from './reply-code.ts';
import type { ReplyCode } from './reply-code.ts';

/**
 * How a filter decides. At RCPT `reject`, `tempfail` and a reply code mean that recipient, at connect and HELO the SMTP
 * session, elsewhere the message. `connection-failure` and `shutdown` make the MTA end the SMTP session (421).
 */
export type Verdict =
  | { readonly kind: 'continue' | 'accept' | 'discard' | 'reject' | 'tempfail' | 'connection-failure' | 'shutdown' }
  | ({ readonly kind: 'reply-code' } & ReplyCode);

/** A change to a message: only in reply to its end, before the verdict. */
export type Modification =
  /** Adds a field at the bottom of the header. MTAs may reuse the place of a removed one: prefer `insert-header`. */
  | { readonly kind: 'add-header'; readonly name: Uint8Array; readonly value: Uint8Array }
  /** Adds a field at a place of the header, 0 being the top. */
  | { readonly kind: 'insert-header'; readonly index: number; readonly name: Uint8Array; readonly value: Uint8Array }
  /** Changes the `index`-th field (from 1) of a name; an empty value removes it. */
  | { readonly kind: 'change-header'; readonly index: number; readonly name: Uint8Array; readonly value: Uint8Array }
  /** A part of a new body. All parts follow one another. */
  | { readonly kind: 'replace-body'; readonly chunk: Uint8Array }
  /** `parameters` is one text of ESMTP parameters, empty for none. */
  | { readonly kind: 'change-sender'; readonly address: string; readonly parameters: string }
  | { readonly kind: 'add-recipient'; readonly address: string }
  | { readonly kind: 'add-recipient-with-parameters'; readonly address: string; readonly parameters: string }
  | { readonly kind: 'delete-recipient'; readonly address: string }
  /** Holds the message; one line of at most about 100 characters. */
  | { readonly kind: 'quarantine'; readonly reason: string };

/** What a filter says to an MTA (SMFIR_*). */
export type Reply =
  | Verdict
  | Modification
  /** No more body is needed. Only in reply to a body chunk, and only when agreed on. */
  | { readonly kind: 'skip' }
  /** Still at work: the MTA begins its time limit anew. */
  | { readonly kind: 'progress' }
  | ({ readonly kind: 'negotiate'; readonly macros: readonly MacroList[] } & Offer);

/** A frame read as a reply, or why it is none. */
export type ReplyResult =
  | { readonly ok: true; readonly reply: Reply }
  | { readonly ok: false; readonly code: 'reply.unknown' | 'reply.malformed'; readonly explanation: string };

const codes: Readonly<Record<Reply['kind'], string>> = {
  continue: 'c',
  accept: 'a',
  discard: 'd',
  reject: 'r',
  tempfail: 't',
  'connection-failure': 'f',
  shutdown: '4',
  'reply-code': 'y',
  skip: 's',
  progress: 'p',
  negotiate: 'O',
  'add-header': 'h',
  'insert-header': 'i',
  'change-header': 'm',
  'replace-body': 'b',
  'change-sender': 'e',
  'add-recipient': '+',
  'add-recipient-with-parameters': '2',
  'delete-recipient': '-',
  quarantine: 'q',
};

/** The longest body part in one reply, in bytes. */
export const maxReplacedChunkBytes = 65_535;

/** The most payload a reply's frame may hold, in bytes. */
export function maxReplyBytes(code: string, limits: MilterLimits = milterLimits): number {
  if (code === 'h' || code === 'i' || code === 'm') return limits.maxHeaderFrameBytes + 4;
  return code === 'b' ? maxReplacedChunkBytes : limits.maxTextFrameBytes;
}

/** A reply as a frame. Throws MilterEncodingError for a NUL in a text or header field, or a reply code that is none. */
export function encodeReply(reply: Reply): Buffer {
  return encodeFrame(codes[reply.kind], ...payloadOf(reply));
}

function payloadOf(reply: Reply): readonly Uint8Array[] {
  switch (reply.kind) {
    case 'negotiate':
      return [
        encodeNumbers(reply.version, reply.actions, reply.protocol),
        ...reply.macros.flatMap(({ stage, names }) => [
          encodeNumbers(macroListStages.indexOf(stage)),
          ...textParts(names.join(' ')),
        ]),
      ];
    case 'reply-code':
      return textParts(formatReplyCode(reply));
    case 'add-header':
      return textParts(reply.name, reply.value);
    case 'insert-header':
    case 'change-header':
      return [encodeNumbers(reply.index), ...textParts(reply.name, reply.value)];
    case 'replace-body':
      return [reply.chunk];
    case 'change-sender':
    case 'add-recipient-with-parameters':
      return reply.parameters === '' ? textParts(reply.address) : textParts(reply.address, reply.parameters);
    case 'add-recipient':
    case 'delete-recipient':
      return textParts(reply.address);
    case 'quarantine':
      return textParts(reply.reason);
    default:
      return [];
  }
}

/** Reads a frame that came from a filter. */
export function decodeReply({ code, payload }: Frame): ReplyResult {
  const reader = new PayloadReader(payload);
  switch (code) {
    case 'c':
      return whole(reader, { kind: 'continue' });
    case 'a':
      return whole(reader, { kind: 'accept' });
    case 'd':
      return whole(reader, { kind: 'discard' });
    case 'r':
      return whole(reader, { kind: 'reject' });
    case 't':
      return whole(reader, { kind: 'tempfail' });
    case 'f':
      return whole(reader, { kind: 'connection-failure' });
    case '4':
      return whole(reader, { kind: 'shutdown' });
    case 's':
      return whole(reader, { kind: 'skip' });
    case 'p':
      return whole(reader, { kind: 'progress' });
    case 'y': {
      const replyCode = parseReplyCode(reader.text());
      return replyCode === null ? malformed('reply-code') : whole(reader, { kind: 'reply-code', ...replyCode });
    }
    case 'h':
      return whole(reader, { kind: 'add-header', name: reader.bytes(), value: reader.bytes() });
    case 'i':
      return decodePlacedHeader('insert-header', reader);
    case 'm':
      return decodePlacedHeader('change-header', reader);
    case 'b':
      return { ok: true, reply: { kind: 'replace-body', chunk: payload } };
    case 'e':
      return decodeAddress('change-sender', reader);
    case '2':
      return decodeAddress('add-recipient-with-parameters', reader);
    case '+':
      return whole(reader, { kind: 'add-recipient', address: reader.text() });
    case '-':
      return whole(reader, { kind: 'delete-recipient', address: reader.text() });
    case 'q':
      return whole(reader, { kind: 'quarantine', reason: reader.text() });
    case 'O':
      return decodeNegotiation(reader);
    default:
      return { ok: false, code: 'reply.unknown', explanation: `a reply ${JSON.stringify(code)} that is none` };
  }
}

function whole(reader: PayloadReader, reply: Reply): ReplyResult {
  return reader.complete ? { ok: true, reply } : malformed(reply.kind);
}

function malformed(kind: Reply['kind']): ReplyResult {
  const explanation = `the reply ${codes[kind]} (${kind}): its payload is not of its form`;
  return { ok: false, code: 'reply.malformed', explanation };
}

function decodePlacedHeader(kind: 'insert-header' | 'change-header', reader: PayloadReader): ReplyResult {
  return whole(reader, { kind, index: reader.uint32(), name: reader.bytes(), value: reader.bytes() });
}

function decodeAddress(kind: 'change-sender' | 'add-recipient-with-parameters', reader: PayloadReader): ReplyResult {
  const address = reader.text();
  return whole(reader, { kind, address, parameters: reader.atEnd ? '' : reader.text() });
}

function decodeNegotiation(reader: PayloadReader): ReplyResult {
  const offer = { version: reader.uint32(), actions: reader.uint32(), protocol: reader.uint32() };
  const macros: MacroList[] = [];
  while (!reader.atEnd) {
    const stage = macroListStages[reader.uint32()];
    const names = reader.text().split(' ');
    if (stage === undefined || macros.length === macroListStages.length) return malformed('negotiate');
    macros.push({ stage, names: names.filter((name) => name !== '') });
  }
  return whole(reader, { kind: 'negotiate', ...offer, macros });
}
