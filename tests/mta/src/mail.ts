/** A message of lines, each ended with CRLF. */
export function mail(...lines: readonly string[]): Buffer {
  return Buffer.from(lines.map((line) => `${line}\r\n`).join(''));
}

/** The fields of a message's header, top down, folded ones whole and without their last CRLF. */
export function fieldsOf(raw: Uint8Array): readonly string[] {
  const [header = ''] = Buffer.from(raw).toString('latin1').split('\r\n\r\n', 1);
  return header.split(/\r\n(?![ \t])/u);
}

/** Those of them with one name. */
export function fieldsNamed(raw: Uint8Array, name: string): readonly string[] {
  return fieldsOf(raw).filter((field) => field.toLowerCase().startsWith(`${name.toLowerCase()}:`));
}
