import type { SeededRandom } from '@zegel/test-harness';

/** Octets above which no input grows: beyond the 64 KiB that a header field may have. */
export const maxInputOctets = 192 * 1024;

/** Octets that mean something in mail, in DNS text or to a careless reader. */
const telling = Buffer.from('\0\t\n\r "\\();:,.<>@=[]%/-+~?!*{}_#0199aAzZ\x7f\x80\xa0\xc3\xe2\xed\xff', 'latin1');
const numbers = ['0', '1', '-1', '00', '9', '10', '11', '33', '51', '128', '129', '255', '256', '998', '65536'].concat(
  '2147483647 4294967296 9007199254740992 99999999999999999999 1e9'.split(' '),
);

/** One input changed in one to six ways. `other` is an input to borrow from. */
export function mutate(input: Buffer, other: Buffer, tokens: readonly string[], random: SeededRandom): Buffer {
  let changed: Buffer = input;
  const steps = random.chance(3) ? random.between(2, 6) : 1;
  for (let step = 0; step < steps; step++) changed = changeOnce(changed, other, tokens, random);
  return changed.length > maxInputOctets ? changed.subarray(0, maxInputOctets) : changed;
}

type Change = (input: Buffer, other: Buffer, tokens: readonly string[], random: SeededRandom) => Buffer;

function changeOnce(input: Buffer, other: Buffer, tokens: readonly string[], random: SeededRandom): Buffer {
  return random.chance(150) ? bomb(input, tokens, random) : random.pick(changes)(input, other, tokens, random);
}

const changes: readonly [Change, ...Change[]] = [
  // One octet: any, a telling one, or one bit.
  (input, _other, _tokens, random) => {
    if (input.length === 0) return random.bytes(1);
    const copy = Buffer.from(input);
    const at = random.between(0, copy.length - 1);
    copy[at] = random.chance(2)
      ? anyOf(telling, random)
      : random.chance(2)
        ? (copy[at] ?? 0) ^ (1 << random.between(0, 7))
        : random.between(0, 255);
    return copy;
  },
  // Telling octets put in.
  (input, _other, _tokens, random) => {
    const at = random.between(0, input.length);
    return splice(input, at, at, Buffer.of(anyOf(telling, random)));
  },
  // A word of the format put in, or put in place of something.
  (input, _other, tokens, random) => {
    const at = random.between(0, input.length);
    return splice(input, at, at, tokenOf(tokens, random));
  },
  (input, _other, tokens, random) => {
    const { start, end } = range(input, random);
    return splice(input, start, end, tokenOf(tokens, random));
  },
  // Something taken out.
  (input, _other, _tokens, random) => {
    const { start, end } = range(input, random);
    return splice(input, start, end, nothing);
  },
  // Something repeated, here or elsewhere.
  (input, _other, _tokens, random) => {
    const { start, end } = range(input, random);
    const at = random.chance(2) ? end : random.between(0, input.length);
    return splice(input, at, at, input.subarray(start, end));
  },
  // Something of another input, in place or beside.
  (input, other, _tokens, random) => {
    const { start, end } = range(other, random);
    const at = random.between(0, input.length);
    const until = random.chance(2) ? at : Math.min(input.length, at + end - start);
    return splice(input, at, until, other.subarray(start, end));
  },
  // The beginning of one and the end of another.
  (input, other, _tokens, random) =>
    Buffer.concat([
      input.subarray(0, random.between(0, input.length)),
      other.subarray(random.between(0, other.length)),
    ]),
  // A number made another one.
  (input, _other, _tokens, random) => {
    const from = random.between(0, Math.max(0, input.length - 1));
    const found = /\d+/.exec(input.toString('latin1', from));
    if (found === null) return input;
    const start = from + found.index;
    const wanted = numbers[random.between(0, numbers.length - 1)] ?? '0';
    return splice(input, start, start + found[0].length, Buffer.from(wanted));
  },
  // The case of a stretch turned.
  (input, _other, _tokens, random) => {
    const { start, end } = range(input, random);
    const text = input.toString('latin1', start, end);
    const turned = text === text.toLowerCase() ? text.toUpperCase() : text.toLowerCase();
    // Beyond ASCII some letters change their number: those stretches stay.
    return turned.length === text.length ? splice(input, start, end, Buffer.from(turned, 'latin1')) : input;
  },
  changeLines,
];

/** Lines doubled, swapped, dropped, or taken from another input. */
function changeLines(input: Buffer, other: Buffer, _tokens: readonly string[], random: SeededRandom): Buffer {
  const lines = linesOf(input);
  if (lines.length === 0) return input;
  const index = () => random.between(0, lines.length - 1);
  const line = lines[index()] ?? nothing;
  const borrowed = linesOf(other);
  const kind = random.between(0, 3);
  if (kind === 0) lines.splice(index(), 0, line);
  if (kind === 1) lines.splice(index(), 1);
  if (kind === 2) {
    const [one, another] = [index(), index()];
    [lines[one], lines[another]] = [lines[another] ?? nothing, lines[one] ?? nothing];
  }
  if (kind === 3) lines.splice(index(), 0, borrowed[random.between(0, borrowed.length - 1)] ?? nothing);
  return Buffer.concat(lines);
}

/** A word or a stretch repeated until it is long. */
function bomb(input: Buffer, tokens: readonly string[], random: SeededRandom): Buffer {
  const { start, end } = range(input, random);
  const unit = random.chance(2) ? tokenOf(tokens, random) : input.subarray(start, Math.min(end, start + 200));
  if (unit.length === 0) return input;
  const octets = 2 ** random.between(8, 17);
  const at = random.between(0, input.length);
  return splice(input, at, at, Buffer.alloc(octets, unit));
}

const nothing = Buffer.alloc(0);

function splice(input: Buffer, start: number, end: number, between: Buffer): Buffer {
  return Buffer.concat([input.subarray(0, start), between, input.subarray(end)]);
}

/** A stretch of the input, most often a short one. */
function range(input: Buffer, random: SeededRandom): { readonly start: number; readonly end: number } {
  const start = random.between(0, input.length);
  const most = random.chance(4) ? input.length - start : Math.min(16, input.length - start);
  return { start, end: start + random.between(0, most) };
}

function anyOf(bytes: Buffer, random: SeededRandom): number {
  return bytes[random.between(0, bytes.length - 1)] ?? 0;
}

function tokenOf(tokens: readonly string[], random: SeededRandom): Buffer {
  return Buffer.from(tokens[random.between(0, tokens.length - 1)] ?? '', 'latin1');
}

/** The lines of an input, each with its LF. */
function linesOf(input: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0; start < input.length;) {
    const lf = input.indexOf(0x0a, start);
    const end = lf === -1 ? input.length : lf + 1;
    lines.push(input.subarray(start, end));
    start = end;
  }
  return lines;
}
