import { parseMessage } from '@zegel/message';
import { withBareFolds } from './render-edits.ts';

/** A header field as a milter sees it: what follows the colon, without the last line end, folds as LF. */
export type MilterField = readonly [name: Uint8Array, value: Uint8Array];

/** A message as an MTA hands it to a filter. */
export interface MessageParts {
  readonly fields: readonly MilterField[];
  readonly body: Uint8Array;
}

/**
 * Takes a message apart as Postfix does: blanks between a name and its colon are dropped, and the first line that is no
 * header field begins the body.
 */
export function splitMessage(raw: Uint8Array): MessageParts {
  const { header, body } = parseMessage(raw);
  const fields: MilterField[] = [];
  for (const field of header.fields) {
    if (field.name === '') return { fields, body: raw.subarray(field.start) };
    const name = header.bytes.subarray(field.start, field.start + field.name.length);
    fields.push([name, withBareFolds(header.bytes.subarray(field.colon + 1, field.end))]);
  }
  return { fields, body };
}

/** The message that parts make: the opposite of {@link splitMessage}. Each LF of a field becomes CRLF, as in Postfix. */
export function joinMessage({ fields, body }: MessageParts): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [name, value] of fields) parts.push(name, Buffer.from(':'), withCrlf(value), Buffer.from('\r\n'));
  return Buffer.concat([...parts, Buffer.from('\r\n'), body]);
}

function withCrlf(value: Uint8Array): Uint8Array {
  return Buffer.from(Buffer.from(value).toString('latin1').replaceAll('\n', '\r\n'), 'latin1');
}
