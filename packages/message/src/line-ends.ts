/**
 * Line ends (RFC 5321 §2.3.8, RFC 5322 §2.2): only CRLF ends a line of a message in transit.
 *
 * Files saved by mail programs and Maildir often hold bare LF throughout. A door that takes files or HTTP bodies
 * reads such input as CRLF; anything mixed is content, which sign() refuses and verification takes as it is.
 */

const CR = 0x0d;
const LF = 0x0a;

/**
 * Input from a file or HTTP door as the core wants it. When the first line ends in a bare LF and there is no CR at all,
 * every LF becomes CRLF and `normalized` is true; everything else is handed back as it came.
 */
export function normalizeLineEnds(raw: Uint8Array): { readonly raw: Uint8Array; readonly normalized: boolean } {
  const firstLf = raw.indexOf(LF);
  if (firstLf === -1 || raw.includes(CR)) return { raw, normalized: false };
  let lines = 1;
  for (let at = raw.indexOf(LF, firstLf + 1); at !== -1; at = raw.indexOf(LF, at + 1)) lines++;
  const out = new Uint8Array(raw.length + lines);
  let written = 0;
  let from = 0;
  for (let at = firstLf; at !== -1; at = raw.indexOf(LF, from)) {
    out.set(raw.subarray(from, at), written);
    written += at - from;
    out[written++] = CR;
    out[written++] = LF;
    from = at + 1;
  }
  out.set(raw.subarray(from), written);
  return { raw: out, normalized: true };
}
