import { MilterEncodingError } from './errors.ts';

/** An SMTP reply of the filter's own words (RFC 5321 §4.2, RFC 3463), which the MTA gives to its client. */
export interface ReplyCode {
  /** 400 to 599. */
  readonly code: number;
  /** As in `5.7.1`, of the class of `code`; null for none. */
  readonly enhanced: string | null;
  /** Printable; LF separates lines. A line holds at most 500 characters. */
  readonly text: string;
}

const maxLineLength = 500;
const linePattern = /^([45]\d\d)(?:[ -]|$)(?:([45]\.\d{1,3}\.\d{1,3})(?: |$))?([^\r\n]*)$/;

/**
 * The text of an SMFIR_REPLYCODE, one line or several, with each `%` doubled: MTAs read a single one as a macro. Throws
 * MilterEncodingError when this would be no SMTP reply.
 */
export function formatReplyCode({ code, enhanced, text }: ReplyCode): string {
  if (!Number.isInteger(code) || code < 400 || code > 599) {
    throw new MilterEncodingError(`a filter's reply code is from 400 to 599, not ${code}`);
  }
  if (enhanced !== null && !(/^[45]\.\d{1,3}\.\d{1,3}$/.test(enhanced) && enhanced[0] === String(code)[0])) {
    throw new MilterEncodingError(`${enhanced} is no enhanced status code of the class of ${code}`);
  }
  const lines = text.split('\n');
  // oxlint-disable-next-line no-control-regex -- control characters are what must not be in a reply
  if (lines.some((line) => line.length > maxLineLength || /[\u0000-\u001F\u007F]/.test(line))) {
    throw new MilterEncodingError(`a line of a reply is printable and no longer than ${maxLineLength} characters`);
  }
  const status = enhanced === null ? '' : `${enhanced} `;
  return lines
    .map((line, index) => `${code}${index < lines.length - 1 ? '-' : ' '}${status}${line}`)
    .join('\r\n')
    .replaceAll('%', '%%');
}

/** Reads what {@link formatReplyCode} writes, or null. A `%` that is not doubled stays as it is. */
export function parseReplyCode(formatted: string): ReplyCode | null {
  const texts: string[] = [];
  let first: Pick<ReplyCode, 'code' | 'enhanced'> | null = null;
  for (const line of formatted.replaceAll('%%', '%').split('\r\n')) {
    const match = linePattern.exec(line);
    if (match === null) return null;
    const [, code, enhanced = null, text = ''] = match;
    first ??= { code: Number(code), enhanced };
    if (first.code !== Number(code)) return null;
    texts.push(text);
  }
  return first === null ? null : { ...first, text: texts.join('\n') };
}
