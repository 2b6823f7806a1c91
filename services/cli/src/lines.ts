const LF = 0x0a;

/**
 * The lines of a stream, without their ends (LF or CRLF), the last one also without an end. A line above `maxBytes` comes as
 * null and is not kept.
 *
 * (Node's readline also ends lines at U+2028 and a lone CR, which may stand in JSON, and has no limit.)
 */
export async function* readLines(
  input: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<string | null, void, undefined> {
  let parts: Uint8Array[] = [];
  let size = 0;
  const add = (part: Uint8Array): void => {
    size += part.length;
    if (size > maxBytes) parts = [];
    else parts.push(part);
  };
  const take = (): string | null => {
    const line = size > maxBytes ? null : Buffer.concat(parts, size).toString('utf8');
    parts = [];
    size = 0;
    return line?.endsWith('\r') === true ? line.slice(0, -1) : line;
  };
  for await (const chunk of input) {
    let from = 0;
    for (let lf = chunk.indexOf(LF); lf !== -1; lf = chunk.indexOf(LF, from)) {
      add(chunk.subarray(from, lf));
      yield take();
      from = lf + 1;
    }
    add(chunk.subarray(from));
  }
  if (size > 0) yield take();
}
