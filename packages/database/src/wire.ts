/**
 * The frames of PostgreSQL's frontend/backend protocol 3.0, as far as a session on PGlite needs them: a frame is a type
 * byte, a big-endian length that counts itself, and a body.
 */

/** What a complete frame holds. `bytes` is the whole frame. */
export interface Frame {
  readonly type: string;
  readonly bytes: Buffer;
}

const HEADER = 5;

/** Makes one frame. */
export function frame(type: string, ...body: readonly (Buffer | string)[]): Buffer {
  const parts = body.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\0`) : part));
  const length = parts.reduce((sum, part) => sum + part.length, 4);
  const header = Buffer.alloc(HEADER);
  header.write(type, 0, 'latin1');
  header.writeUInt32BE(length, 1);
  return Buffer.concat([header, ...parts]);
}

/** Splits bytes into complete frames, and says how many bytes they take and how many the next frame needs in all. */
export function splitFrames(bytes: Buffer): { frames: Frame[]; taken: number; needed: number } {
  const frames: Frame[] = [];
  let at = 0;
  while (bytes.length - at >= HEADER) {
    const end = at + 1 + bytes.readUInt32BE(at + 1);
    if (end > bytes.length) return { frames, taken: at, needed: end - at };
    frames.push({ type: String.fromCharCode(bytes[at] ?? 0), bytes: bytes.subarray(at, end) });
    at = end;
  }
  return { frames, taken: at, needed: HEADER };
}

/** The zero-terminated text that starts at an offset, and where it ends. */
export function textAt(bytes: Buffer, offset: number): { text: string; next: number } {
  const end = bytes.indexOf(0, offset);
  return end < 0
    ? { text: bytes.toString('utf8', offset), next: bytes.length }
    : { text: bytes.toString('utf8', offset, end), next: end + 1 };
}

/** The statement text a frontend frame carries: Query has it at once, Parse after the statement's name. */
export function statementOf({ type, bytes }: Frame): string | null {
  if (type === 'Q') return textAt(bytes, HEADER).text;
  if (type === 'P') return textAt(bytes, textAt(bytes, HEADER).next).text;
  return null;
}

/** The channel of a NotificationResponse: it comes after the sender's process id. */
export function channelOf({ bytes }: Frame): string {
  return textAt(bytes, HEADER + 4).text;
}

/** An ErrorResponse. Severity FATAL tells the client that the session is over. */
export function errorFrame(severity: 'ERROR' | 'FATAL', sqlState: string, message: string): Buffer {
  return frame('E', `S${severity}`, `V${severity}`, `C${sqlState}`, `M${message}`, Buffer.alloc(1));
}

/** LISTEN, UNLISTEN and what implies it, as a statement by itself; comments before it are skipped. */
export type Subscription =
  | { readonly verb: 'listen' | 'unlisten'; readonly channel: string }
  | { readonly verb: 'unlisten-all' };

const LEADING_COMMENTS = /^(?:[ \t\r\n]|--[^\n]*(?:\n|$)|\/\*[^*]*\*+(?:[^/*][^*]*\*+)*\/)*/;
const SUBSCRIPTION = /^(LISTEN|UNLISTEN)[ \t\r\n]+(?:"((?:[^"]|"")+)"|([A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)|\*)/i;

/** The subscription a statement makes or ends, null when it is another statement. Quoted names keep their case. */
export function subscriptionOf(statement: string): Subscription | null {
  const text = statement.slice(LEADING_COMMENTS.exec(statement)?.[0].length ?? 0);
  if (/^DISCARD[ \t\r\n]+ALL\b/i.test(text)) return { verb: 'unlisten-all' };
  const match = SUBSCRIPTION.exec(text);
  if (match === null) return null;
  const channel = match[2]?.replaceAll('""', '"') ?? match[3]?.toLowerCase();
  const verb = match[1]?.toUpperCase() === 'LISTEN' ? 'listen' : 'unlisten';
  if (channel !== undefined) return { verb, channel };
  return verb === 'unlisten' ? { verb: 'unlisten-all' } : null;
}
