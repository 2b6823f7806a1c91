/** Changes to a signed message: some that a signature must survive, some that it must not, and plain damage. */
import type { SeededRandom } from '@zegel/test-harness';
import { cutMessage } from './forge.ts';

type Change = (text: string, random: SeededRandom) => string;

/** What may be done to a signed message. One character is one byte. */
const changes: Readonly<Record<string, Change>> = {
  // Survived by both body forms, or by relaxed alone.
  'add blank lines at the end': (text, random) =>
    inBody(text, (body) => `${body}${'\r\n'.repeat(random.between(1, 4))}`),
  'remove blank lines at the end': (text) => inBody(text, (body) => body.replace(/(\r\n)(?:\r\n)+$/u, '$1')),
  'remove the last line end': (text) => inBody(text, (body) => body.replace(/\r\n$/u, '')),
  'add white space at the end of a line': (text, random) =>
    inBody(text, (body) => atLine(body, random, (line) => `${line}${random.pick([' ', '\t', ' \t '])}`)),
  'change a run of white space': (text, random) =>
    inBody(text, (body) => body.replace(/[ \t]+/u, random.pick([' ', '\t', '   ', '']))),
  'white space of Unicode in the body': (text, random) =>
    inBody(text, (body) =>
      atLine(body, random, (line) => `${line}${random.pick(['\u000b', '\u000c', '\u00a0', '\u0000'])}`),
    ),
  'white space line at the end': (text, random) =>
    inBody(text, (body) => `${body}${random.pick([' ', '\t', ' \r\n', ' \r\n\r\n', '\r\n \r\n'])}`),
  // Never survived, unless l= lets it.
  'add a line of body': (text) => inBody(text, (body) => `${body}more\r\n`),
  'put a line before the body': (text) => inBody(text, (body) => `first\r\n${body}`),
  'cut the body': (text, random) => inBody(text, (body) => body.slice(0, random.between(0, body.length))),
  'no body at all': (text) => text.slice(0, endOfHeader(text)),
  'no empty line': (text) => text.slice(0, endOfHeader(text)).replace(/\r\n$/u, ''),
  // Header: forms that relaxed does not see.
  'refold a field': (text, random) =>
    atField(text, random, (field) =>
      field.replace(/(?<=.) (?=\S)/u, random.pick(['\r\n ', '\r\n\t', '  ', '\t', ' \r\n  '])),
    ),
  'unfold a field': (text, random) => atField(text, random, (field) => field.replaceAll(/\r\n(?=[ \t])/gu, '')),
  'other case in a name': (text, random) =>
    atField(text, random, (field) =>
      field.replace(/^[^:]*/u, (name) => (random.chance(2) ? name.toUpperCase() : name.toLowerCase())),
    ),
  'white space around a colon': (text, random) =>
    atField(text, random, (field) =>
      field.replace(/[ \t]*:[ \t]*/u, random.pick([':', ': ', ':  ', ' : ', ':\t', '\t:', ':\r\n '])),
    ),
  'white space at the end of a field': (text, random) =>
    atField(text, random, (field) => field.replace(/\r\n$/u, `${random.pick([' ', '\t', ' \r\n '])}\r\n`)),
  // Header: other fields.
  'another From on top': (text, random) =>
    `From: ${random.pick(['victim@example.test', 'other@other.test', ''])}\r\n${text}`,
  'another From below': (text) => intoHeader(text, 'From: other@other.test\r\n', 'end'),
  'another Subject': (text, random) => intoHeader(text, 'Subject: another\r\n', random.pick(['top', 'end'])),
  'unsigned field on top': (text) => `X-New: value\r\n${text}`,
  'remove a field': (text, random) => atField(text, random, () => ''),
  'repeat a field': (text, random) => atField(text, random, (field) => `${field}${field}`),
  'swap two fields': (text, random) => {
    const { fields, body } = cutMessage(Buffer.from(text, 'latin1'));
    if (fields.length < 2) return text;
    const at = random.between(0, fields.length - 2);
    return `${fields.toSpliced(at, 2, fields[at + 1]!, fields[at]!).join('')}\r\n${body}`;
  },
  'signature at the end of the header': (text) => {
    const { fields, body } = cutMessage(Buffer.from(text, 'latin1'));
    return `${[...fields.slice(1), fields[0]].join('')}\r\n${body}`;
  },
  'junk signatures on top': (text, random) =>
    `${Array.from({ length: random.between(1, 12) }, (_, at) => `DKIM-Signature: v=1; a=rsa-sha256; d=junk${at}.test; s=x; h=from; bh=AAAA; b=AAAA\r\n`).join('')}${text}`,
  'the same signature again': (text) => `${cutMessage(Buffer.from(text, 'latin1')).fields[0] ?? ''}${text}`,
  // Lines that are no fields.
  'a line that is no field': (text, random) =>
    intoHeader(
      text,
      random.pick([
        'no colon\r\n',
        ': no name\r\n',
        'sp ace: x\r\n',
        '\u00e4: x\r\n',
        '>From x\r\n',
        'From x\r\n',
        'X\u0001: y\r\n',
      ]),
      random.pick(['top', 'end']),
    ),
  'a fold before the first field': (text) => ` ${text}`,
  'an empty line on top': (text) => `\r\n${text}`,
  'an empty line in the header': (text, random) => atField(text, random, (field) => `\r\n${field}`),
  'a white space line in the header': (text, random) =>
    atField(text, random, (field) => `${field}${random.pick([' ', '\t', '  \t'])}\r\n`),
  // Line ends that are none.
  'bare LF in the body': (text, random) => inBody(text, (body) => insert(body, random, '\n')),
  'bare CR in the body': (text, random) => inBody(text, (body) => insert(body, random, '\r')),
  'bare LF in the header': (text, random) => intoPlace(text, random, '\n'),
  'bare CR in the header': (text, random) => intoPlace(text, random, '\r'),
  'bare line ends throughout': (text) => text.replaceAll('\r\n', '\n'),
  'CR CR LF': (text, random) => inBody(text, (body) => atLine(body, random, (line) => `${line}\r`)),
  // Damage.
  'NUL in the header': (text, random) => intoPlace(text, random, '\u0000'),
  'NUL in the body': (text, random) => inBody(text, (body) => insert(body, random, '\u0000')),
  '8-bit in the header': (text, random) => intoPlace(text, random, '\u00e9'),
  'one byte changed': (text, random) => {
    const at = random.between(0, Math.max(0, Math.min(text.length, 3000) - 1));
    return `${text.slice(0, at)}${String.fromCharCode(random.between(0, 255))}${text.slice(at + 1)}`;
  },
  'one byte removed': (text, random) => {
    const at = random.between(0, Math.max(0, Math.min(text.length, 3000) - 1));
    return `${text.slice(0, at)}${text.slice(at + 1)}`;
  },
  'one byte changed in the signature': (text, random) => {
    const end = text.indexOf('\r\nReceived');
    const at = random.between(15, Math.max(16, end));
    return `${text.slice(0, at)}${random.pick([';', '=', ' ', 'A', ':', '\t', '\u000b', '\u00a0', '@', '"'])}${text.slice(at + random.between(0, 1))}`;
  },
  'a piece doubled': (text, random) => {
    const from = random.between(0, Math.min(text.length, 2000));
    const to = Math.min(text.length, from + random.between(1, 60));
    return `${text.slice(0, to)}${text.slice(from)}`;
  },
};

const changeNames = Object.keys(changes) as [string, ...string[]];

/** A message changed in so many ways, and what was done to it. */
export function mutate(
  raw: Uint8Array,
  count: number,
  random: SeededRandom,
): { raw: Buffer; mutations: readonly string[] } {
  let text = Buffer.from(raw).toString('latin1');
  const mutations = Array.from({ length: count }, () => random.pick(changeNames));
  for (const name of mutations) text = changes[name]!(text, random);
  return { raw: Buffer.from(text, 'latin1'), mutations };
}

/** Where the header ends: behind its last CRLF. */
function endOfHeader(text: string): number {
  if (text.startsWith('\r\n')) return 0;
  const end = text.indexOf('\r\n\r\n');
  return end === -1 ? text.length : end + 2;
}

function inBody(text: string, change: (body: string) => string): string {
  const end = endOfHeader(text);
  return end === text.length ? text : `${text.slice(0, end + 2)}${change(text.slice(end + 2))}`;
}

function atLine(body: string, random: SeededRandom, change: (line: string) => string): string {
  const lines = body.split('\r\n');
  const at = random.between(0, Math.max(0, lines.length - 2));
  return lines.with(at, change(lines[at] ?? '')).join('\r\n');
}

function atField(text: string, random: SeededRandom, change: (field: string) => string): string {
  const { fields } = cutMessage(Buffer.from(text.slice(0, endOfHeader(text) + 2), 'latin1'));
  if (fields.length === 0) return text;
  const at = random.between(0, fields.length - 1);
  return `${fields.with(at, change(fields[at] ?? '')).join('')}${text.slice(endOfHeader(text))}`;
}

function intoHeader(text: string, line: string, place: 'top' | 'end'): string {
  const at = place === 'top' ? 0 : endOfHeader(text);
  return `${text.slice(0, at)}${line}${text.slice(at)}`;
}

/** Anywhere in the header. */
function intoPlace(text: string, random: SeededRandom, what: string): string {
  const at = random.between(0, Math.max(0, endOfHeader(text) - 2));
  return `${text.slice(0, at)}${what}${text.slice(at)}`;
}

function insert(text: string, random: SeededRandom, what: string): string {
  const at = random.between(0, text.length);
  return `${text.slice(0, at)}${what}${text.slice(at)}`;
}
