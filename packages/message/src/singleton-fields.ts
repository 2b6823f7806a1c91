/**
 * Fields of which RFC 5322 §3.6 and RFC 2045 §3 allow one. A message with more of them shows different things to different
 * programs.
 */
export const singletonFields: readonly string[] = [
  'from',
  'sender',
  'reply-to',
  'to',
  'cc',
  'bcc',
  'subject',
  'date',
  'message-id',
  'in-reply-to',
  'references',
  'mime-version',
  'content-type',
  'content-transfer-encoding',
];
