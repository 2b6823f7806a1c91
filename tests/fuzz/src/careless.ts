/** Readers of a header who are less careful than we are, and than RFC 5322 asks for: what they see must not matter. */

/** What they take for the end of a line. */
export const carelessLineEnds: readonly RegExp[] = [/\r\n/, /\r\n|\n/, /\r\n|\n|\r/];

/** The values of what they take for fields of a name, blanks, controls and 8-bit octets around it read over. */
export function carelessFields(header: string, lineEnd: RegExp, name: string): readonly string[] {
  const beginning = new RegExp(`^[^!-~]*${name}[^!-~]*:`, 'i');
  return unfold(header.split(lineEnd)).flatMap((line) => {
    const start = beginning.exec(line)?.[0].length;
    return start === undefined ? [] : [line.slice(start)];
  });
}

function unfold(lines: readonly string[]): readonly string[] {
  const whole: string[] = [];
  for (const line of lines) {
    if (/^[ \t]/.test(line) && whole.length > 0) whole.push(`${whole.pop() ?? ''}${line}`);
    else whole.push(line);
  }
  return whole;
}
