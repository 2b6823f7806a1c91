/**
 * The last defence of the log: takes out what must never be in it, whoever put it there. The first defence is not to
 * log it; this one knows shapes, not meaning, so message content is nothing it could find.
 */

/** What stands where a secret stood. */
const REDACTED = '[redacted]';

/** Names of properties whose value is never written, whatever it is and however deep it lies; in lower case. */
const secretProperties = new Set([
  'authorization',
  'cookie',
  'token',
  'secret',
  'password',
  'masterkey',
  'privatekey',
  'pem',
  'raw',
  'body',
  'content',
  'query',
]);

/** In a JSON text nothing but a property looks like this: within a string the quotes have backslashes. */
const secretProperty = new RegExp(`"(?:${[...secretProperties].join('|')})":`, 'i');

/** The rest of a JSON string up to its closing quote; an escape is taken as a pair, so that the line stays JSON. */
const STRING_REST = String.raw`[^"\\]*(?:\\.[^"\\]*)*`;

/** In this order: API tokens, bearer credentials, PEM private keys, passwords in URLs, query strings. */
const shapes: readonly (readonly [RegExp, string])[] = [
  [/zgl_[A-Za-z0-9_-]+/g, REDACTED],
  [/bearer +[A-Za-z0-9._~+/=-]+/gi, `Bearer ${REDACTED}`],
  [new RegExp(`-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----${STRING_REST}`, 'g'), REDACTED],
  [/:\/\/[^\s"/@]{1,512}@/g, `://${REDACTED}@`],
  [/\?[A-Za-z0-9_.%-]{1,64}=[^\s"\\]*(?:\\.[^\s"\\]*)*/g, `?${REDACTED}`],
];

/** Whether a line may hold any of it; most hold none, and this one look is all that they cost. */
const suspicious = new RegExp(`[?@]|zgl_|bearer |PRIVATE KEY|${secretProperty.source}`, 'i');

/** One log line, a JSON object, without secrets and without the local parts of mail addresses. Linear in the line. */
export function redactLine(line: string): string {
  if (!suspicious.test(line)) return line;
  let out = secretProperty.test(line) ? redactProperties(line) : line;
  for (const [shape, replacement] of shapes) out = out.replace(shape, replacement);
  return maskLocalParts(out);
}

function redactProperties(line: string): string {
  const redacted = JSON.stringify(JSON.parse(line), (name, value: unknown) =>
    secretProperties.has(name.toLowerCase()) ? REDACTED : value,
  );
  return line.endsWith('\n') ? `${redacted}\n` : redacted;
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
