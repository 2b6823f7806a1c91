/**
 * The last defence of the log: takes out what must never be in it, whoever put it there. The first defence is not to
 * log it; this one knows shapes, not meaning, so message content is nothing it could find.
 */

/** Names of properties whose value is never written. */
const secretProperties = [
  'authorization',
  'cookie',
  'token',
  'secret',
  'password',
  'masterKey',
  'privateKey',
  'pem',
  'raw',
  'body',
  'content',
  'query',
];

/**
 * Paths for pino's `redact`: any value of such a property at the top and one level below. (Each further level would cost
 * more than writing the line does; text is found at any depth by {@link redactLine}.)
 */
export const redactedPaths: readonly string[] = secretProperties.flatMap((property) => [property, `*.${property}`]);

/** What stands where a secret stood. */
export const REDACTED = '[redacted]';

/** The rest of a JSON string up to its closing quote; an escape is taken as a pair, so that the line stays JSON. */
const STRING_REST = String.raw`[^"\\]*(?:\\.[^"\\]*)*`;

/** In this order: properties named like secrets, API tokens, bearer credentials, PEM private keys, passwords in URLs, query strings. */
const shapes: readonly (readonly [RegExp, string])[] = [
  [new RegExp(`("(?:${secretProperties.join('|')})":")${STRING_REST}`, 'gi'), `$1${REDACTED}`],
  [/zgl_[A-Za-z0-9_-]+/g, REDACTED],
  [/bearer +[A-Za-z0-9._~+/=-]+/gi, `Bearer ${REDACTED}`],
  [new RegExp(`-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----${STRING_REST}`, 'g'), REDACTED],
  [/:\/\/[^\s"/@]{1,512}@/g, `://${REDACTED}@`],
  [/\?[A-Za-z0-9_.%-]{1,64}=[^\s"\\]*(?:\\.[^\s"\\]*)*/g, `?${REDACTED}`],
];

/** One log line without secrets and without the local parts of mail addresses. Linear in the line. */
export function redactLine(line: string): string {
  let out = line;
  for (const [shape, replacement] of shapes) out = out.replace(shape, replacement);
  return maskLocalParts(out);
}

const MASK = '***';
const beforeLocalPart = new Set(' \t\r\n"\'<>(),:;\\@[]');

/** `someone@example.org` → `***@example.org`: who wrote to whom is nobody's business, which domains failed is. */
function maskLocalParts(line: string): string {
  const parts: string[] = [];
  let copied = 0;
  for (let at = line.indexOf('@'); at !== -1; at = line.indexOf('@', at + 1)) {
    let start = at;
    while (start > copied && !beforeLocalPart.has(line.charAt(start - 1))) start--;
    start = Math.min(at, start + escapeRest(line, start));
    if (start === at) continue;
    parts.push(line.slice(copied, start), MASK);
    copied = at;
  }
  parts.push(line.slice(copied));
  return parts.join('');
}

/** Characters at `start` that belong to a JSON escape whose backslash stands before it (`\\n`, `\\u00e9`). */
function escapeRest(line: string, start: number): number {
  let backslashes = 0;
  while (line.charAt(start - 1 - backslashes) === '\\') backslashes++;
  if (backslashes % 2 === 0) return 0;
  return line.charAt(start) === 'u' ? 5 : 1;
}
