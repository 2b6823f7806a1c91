/** A field that is to be signed: what stands before and behind the value of b=, without the final CRLF. */
export interface UnsignedField {
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

const lineLength = 76;
/** A space, since dkimpy finds the ARC-Message-Signature of a set by " i=1;", and i= may be the first on its line. */
const newLine = '\r\n ';

/**
 * An ARC-Seal or ARC-Message-Signature field with an empty b=, folded. Tags stand in the order of the alphabet, as the
 * public test suite has them, with one space or fold between.
 */
export function formatUnsigned(name: string, tags: Readonly<Record<string, string>>): UnsignedField {
  const sorted = Object.entries(tags).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const at = sorted.findIndex(([tag]) => tag > 'b');
  const words = (part: typeof sorted): readonly string[] => part.map(([tag, value]) => `${tag}=${value};`);
  const before = `${fold(`${name}:`, words(sorted.slice(0, at)))}${newLine}b=`;
  const after = fold(';', words(sorted.slice(at)), lineLength);
  return { name, before, after: after.slice(0, -1) };
}

/**
 * The field with the signature in its place, CRLF at the end. The signature is one word on a line of its own, since seals
 * are made over it: white space within it would be signed too, and lost by whoever folds it anew. Only what no line may
 * hold (RFC 5322 §2.1.1), which no key of a usual size makes, is folded.
 */
export function formatSigned({ before, after }: UnsignedField, signature: Uint8Array): Uint8Array {
  const lines =
    Buffer.from(signature)
      .toString('base64')
      .match(/.{1,900}/g) ?? [];
  return Buffer.from(`${before}${lines.join(newLine)}${after}\r\n`, 'utf8');
}

/** Appends words, each behind a space, or behind a fold where the line would grow too long. h= folds at its colons. */
function fold(start: string, words: readonly string[], column = start.length): string {
  let text = start;
  let line = column;
  let glued = false;
  for (const part of words.flatMap((word) => word.split(/(?<=:)/))) {
    const space = glued ? '' : ' ';
    if (line + space.length + part.length > lineLength) {
      text += newLine + part;
      line = part.length + 1;
    } else {
      text += space + part;
      line += space.length + part.length;
    }
    glued = part.endsWith(':');
  }
  return text;
}
