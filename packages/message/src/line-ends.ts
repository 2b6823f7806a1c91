/**
 * Line ends (RFC 5321 §2.3.8, RFC 5322 §2.2): only CRLF ends a line of a message in transit.
 *
 * Files saved by mail programs and Maildir often hold bare LF throughout. A door that takes files or HTTP bodies
 * reads such input as CRLF; anything mixed is content, which sign() refuses and verification takes as it is.
 */

const CR = 0x0d;
const LF = 0x0a;

/** Octets of a line that are looked at one by one: for lines of two octets a search each would cost ten times as much. */
const shortLine = 16;

/** Follows line ends across chunks and remembers whether a CR or LF stood alone. Linear, no copies. */
export class LineEndWatch {
  #endedInCr = false;
  #bare = false;

  /** True once a CR without LF behind it, or an LF without CR before it, was seen. Final after {@link end}. */
  get bare(): boolean {
    return this.#bare;
  }

  update(chunk: Uint8Array): void {
    if (this.#bare || chunk.length === 0) return;
    let from = 0;
    if (this.#endedInCr) {
      if (chunk[0] !== LF) {
        this.#bare = true;
        return;
      }
      from = 1;
      this.#endedInCr = false;
    }
    let quiet = 0;
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at];
      if (byte === CR && at === chunk.length - 1) {
        this.#endedInCr = true;
      } else if (byte === LF || (byte === CR && chunk[at + 1] !== LF)) {
        this.#bare = true;
        return;
      } else if (byte === CR) {
        at++;
        quiet = 0;
      } else if (++quiet === shortLine) {
        const cr = chunk.indexOf(CR, at);
        const lf = chunk.indexOf(LF, at);
        if (cr === -1 || (lf !== -1 && lf < cr)) {
          this.#bare = lf !== -1;
          return;
        }
        at = cr - 1;
        quiet = 0;
      }
    }
  }

  /** Call when no more bytes follow: a CR at the very end stands alone too. */
  end(): void {
    if (this.#endedInCr) this.#bare = true;
  }
}

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
