const LF = 0x0a;

/** Octets looked at one by one: a native search costs as much as about this many, and the lines of most headers are shorter. */
const shortLine = 100;

/** Offset of the next LF from `from` on, or -1. For lines of any length; linear. */
export function nextLineFeed(bytes: Uint8Array, from: number): number {
  const near = Math.min(bytes.length, from + shortLine);
  for (let at = from; at < near; at++) if (bytes[at] === LF) return at;
  return bytes.indexOf(LF, near);
}
