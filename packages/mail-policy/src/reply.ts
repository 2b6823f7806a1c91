import { fillTemplate } from '@zegel/message';

/** An SMTP reply (RFC 5321 §4.2, RFC 3463): a permanent or a temporary refusal. */
export interface SmtpReply {
  readonly code: 550 | 451;
  /** The enhanced status code, such as `5.7.1`. */
  readonly enhanced: string;
  /** One line of printable US-ASCII, at most 400 characters, without the codes. */
  readonly text: string;
}

const maxTextLength = 400;

/** A reply whose placeholders are filled from mail or DNS: what is not printable US-ASCII becomes `?`. */
export function smtpReply(code: SmtpReply['code'], enhanced: string, template: string, values: object = {}): SmtpReply {
  const text = fillTemplate(template, values).replaceAll(/[^ -~]/g, '?');
  return { code, enhanced, text: text.slice(0, maxTextLength) };
}
