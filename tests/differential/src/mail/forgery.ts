/** DKIM-Signature fields with something odd about them, and with hashes that fit. */
import type { SeededRandom } from '@zegel/test-harness';
import { bodyHash, canonicalBody, signatureFor } from './forge.ts';
import type { CutMessage } from './forge.ts';
import { signingDomains } from './key-records.ts';
import type { KeyRecords } from './key-records.ts';

/** t= of what is signed here, and times on either side of it that no clock of a test machine will ever reach. */
const signedAt = 1_700_000_000;
const longAgo = 1_000_000_000;
const farAhead = 4_102_444_800;

type Words = readonly [string, ...string[]];

const kinds = ['simple', 'relaxed'] as const;

/** One DKIM-Signature field, CRLF ended; one character is one byte. */
export function forgeSignature(message: CutMessage, records: KeyRecords, random: SeededRandom): string {
  const own = random.chance(3);
  const { selector, key } = own ? random.pick(records.odd) : random.pick(records.sound);
  const domain = own ? signingDomains[0] : random.pick(signingDomains);
  const header = random.pick(kinds);
  const body = random.pick(kinds);
  const canonical = canonicalBody(message.body, body);
  const names = chooseNames(message, random);
  let hashed = canonical;

  let tags: [string, string][] = [
    ['v', '1'],
    ['a', key.algorithm],
    ['c', `${header}/${body}`],
    ['d', domain],
    ['s', selector],
    ['h', names.join(':')],
    ['bh', ''],
    ['b', ''],
  ];
  const set = (name: string, value: string) => {
    const tag = tags.find(([other]) => other === name);
    if (tag === undefined) tags.splice(random.between(0, tags.length), 0, [name, value]);
    else tag[1] = value;
  };
  const add = (name: string, value: string) => tags.splice(random.between(0, tags.length), 0, [name, value]);
  const mayHave = (oneIn: number, name: string, value: () => string) => {
    if (random.chance(oneIn)) set(name, value());
  };

  mayHave(2, 't', () => String(signedAt));
  mayHave(8, 'x', () => String(farAhead));
  mayHave(8, 'q', () => 'dns/txt');
  mayHave(6, 'i', () => `${random.pick(['', 'user', 'a.b+c'])}@${random.pick(['', '', 'sub.'])}${domain}`);
  mayHave(16, 'z', () => 'From:a|To:b=3Bc');
  if (random.chance(12)) {
    const length = random.pick([
      canonical.length,
      canonical.length,
      0,
      Math.trunc(canonical.length / 2),
      canonical.length + 10,
    ]);
    set('l', String(length));
    hashed = canonical.slice(0, length);
  }
  const oddValues: Readonly<Record<string, () => string>> = {
    v: () => random.pick(['2', '01', '', '1.0', '0.5', '1 ', 'DKIM1', '1 1'] satisfies Words),
    a: () =>
      random.pick([
        'RSA-SHA256',
        'rsa-sha1',
        'rsa-sha512',
        'rsa',
        'ed25519-sha256',
        'Ed25519-SHA256',
        'rsa - sha256',
        'rsa-sha256-x',
        'rsa-sha256',
        'sha256-rsa',
        '',
        '1-2',
      ] satisfies Words),
    c: () =>
      random.pick([
        'relaxed',
        'simple',
        'relaxed/',
        '/relaxed',
        'relaxed/relaxed/x',
        'RELAXED/Simple',
        'Simple/RELAXED',
        'relaxed / simple',
        'nofws',
        '',
        'relaxed/\r\n relaxed',
        'simple/nofws',
      ] satisfies Words),
    d: () =>
      random.pick([
        domain.toUpperCase(),
        `${domain}.`,
        `${domain} `,
        'absent.test',
        'exam ple.test',
        '',
        'test',
        `.${domain}`,
        'a..test',
        'b\u00c3\u00bccher.test',
        '[192.0.2.1]',
        '_x.example.test',
        'example.test\r\n',
        `user@${domain}`,
        'example.test/x',
      ] satisfies Words),
    s: () =>
      random.pick([
        selector.toUpperCase(),
        '',
        `${selector}.`,
        `${selector} `,
        'a..b',
        'no such',
        'absent',
        'rsa._domainkey',
        `_${selector}`,
        `\r\n ${selector}`,
        `-${selector}`,
      ] satisfies Words),
    h: () => oddNames(names, random),
    i: () =>
      random.pick([
        `@${domain}`,
        `@x${domain}`,
        '@other.example',
        'user',
        '',
        `user=40x@${domain}`,
        `us=65r@${domain}`,
        `@${domain}.`,
        `"a b"@${domain}`,
        `a"b@${domain}`,
        `@${domain.toUpperCase()}`,
        `@sub.${domain}`,
        `a@b@${domain}`,
        ` user@${domain} `,
        `u ser@${domain}`,
        `@.${domain}`,
        `j\u00c3\u00bcrgen@${domain}`,
        `=@${domain}`,
        `a..b@${domain}`,
        `@a_b.${domain}`,
        `(x)@${domain}`,
      ] satisfies Words),
    l: () =>
      random.pick([
        String(canonical.length),
        `0${canonical.length}`,
        '-1',
        '',
        '1 0',
        '0x10',
        '+5',
        '1e2',
        '9'.repeat(76),
        '9'.repeat(77),
        '1.0',
        `${canonical.length} `,
        '\u0661',
      ] satisfies Words),
    t: () =>
      random.pick([
        String(farAhead),
        '',
        '1e9',
        '-1',
        '123456789012',
        '1234567890123',
        '12 34',
        '0',
        '+1',
        '1.5',
        '0x1',
        'now',
        `${signedAt}\r\n `,
      ] satisfies Words),
    x: () =>
      random.pick([
        String(longAgo),
        String(signedAt),
        String(signedAt - 1),
        String(signedAt + 1),
        '',
        '1e9',
        '-1',
        '999999999999',
        '9999999999999',
        '12 34',
        '0',
        String(farAhead),
        '*',
      ] satisfies Words),
    q: () =>
      random.pick([
        'dns',
        'DNS/TXT',
        'dns/txt:foo',
        'foo:dns/txt',
        'http',
        'dns / txt',
        '',
        ' dns/txt ',
        'dns/txt:',
        'dns/txt/x',
        'foo : dns/txt',
      ] satisfies Words),
    z: () => random.pick(['', 'x', 'From:a;', 'a|b', '=', 'a=\r\n =20b'] satisfies Words),
  };
  const faults: readonly [() => void, ...(() => void)[]] = [
    ...Object.entries(oddValues).map(
      ([name, value]) =>
        () =>
          set(name, value()),
    ),
    () => (tags = tags.filter(([name]) => name !== random.pick(['v', 'a', 'c', 'd', 's', 'h', 'bh', 't']))),
    () => add(...random.pick(tags as [[string, string], ...[string, string][]])),
    () => add(random.pick(['t', 'x', 'q', 'n', 'X', 'i', 'v', 'bh']), random.pick(['', '1', 'dns/txt', 'note'])),
    () =>
      add(
        random.pick([
          'X',
          'foo',
          'a_b',
          'V',
          '1a',
          '_x',
          'a-b',
          '',
          'a b',
          '\u00e4',
          'r',
          'bH',
          'constructor',
          '__proto__',
        ]),
        random.pick(['', '1', 'a b', '"q;', 'a=b', '\u00e4', '(c)', 'a\u0001b', 'a\u000bb', '=', ' \t ']),
      ),
    () => (tags = tags.toSorted(() => (random.chance(2) ? 1 : -1))),
    () => {
      const tag = random.pick(tags as [[string, string], ...[string, string][]]);
      tag[0] = tag[0].toUpperCase();
    },
  ] as unknown as readonly [() => void, ...(() => void)[]];
  // Half the fields are in order but for their form; the others have a fault, or two.
  if (random.chance(2)) for (let count = random.pick([1, 1, 2]); count > 0; count -= 1) random.pick(faults)();
  if (random.chance(3)) tags = shuffled(tags, random);

  const hash = bodyHash(hashed);
  const oddHash = random.chance(30)
    ? random.pick([
        hash.replace('=', ''),
        `${hash}=`,
        hash.replaceAll('/', '_'),
        `${hash} x`,
        '',
        bodyHash('other'),
        `${hash.slice(0, 10)}!${hash.slice(10)}`,
      ])
    : hash;
  for (const tag of tags) if (tag[0] === 'bh' && tag[1] === '') tag[1] = oddHash;
  return writeField(tags, message, header, key, random);
}

/** Which fields are signed: From, then others as they stand or not, as often as they stand or not. */
function chooseNames(message: CutMessage, random: SeededRandom): string[] {
  const present = message.fields
    .map((field) =>
      field
        .slice(0, Math.max(0, field.indexOf(':')))
        .replace(/[ \t]+$/u, '')
        .toLowerCase(),
    )
    .filter((name) => name !== '' && /^[!-9<-~]+$/u.test(name));
  const names = ['from', ...present.filter(() => random.chance(2)).slice(0, 40)];
  if (random.chance(3))
    names.push(random.pick(['from', 'subject', 'reply-to', 'x-absent', 'dkim-signature', 'received', 'comments']));
  return random.chance(4) ? shuffled(names, random) : names;
}

function oddNames(names: readonly string[], random: SeededRandom): string {
  const list = names.join(':');
  return random.pick([
    names.join(' : '),
    names.join(':\r\n\t'),
    names.join('\r\n :'),
    names.join('::'),
    `${list}:`,
    `:${list}`,
    list.toUpperCase(),
    list.replace('from', 'fr om'),
    list.replaceAll('from', 'x-from'),
    list.replace('from', 'From '),
    `${list}:x y`,
    `${list}:b\u00c3\u00bcc`,
    `${list}:*`,
    '',
    'from',
    names.join(','),
    names.join(': :'),
    `${list}${':x-absent'.repeat(120)}`,
    `${list}:bh=x`,
  ]);
}

function shuffled<Value>(values: readonly Value[], random: SeededRandom): Value[] {
  const result = [...values];
  for (let at = result.length - 1; at > 0; at -= 1) {
    const other = random.between(0, at);
    [result[at], result[other]] = [result[other]!, result[at]!];
  }
  return result;
}

/** Writes the tags down, folded in odd places or none, signs what is written, and puts the signature in. */
function writeField(
  tags: readonly [string, string][],
  message: CutMessage,
  kind: 'simple' | 'relaxed',
  key: Parameters<typeof signatureFor>[5],
  random: SeededRandom,
): string {
  const airy = random.chance(2);
  const fws = () => (airy && random.chance(3) ? random.pick([' ', '\t', '\r\n ', '\r\n\t', '  ', ' \r\n\t ']) : '');
  const gap = random.pick([' ', ' ', '', '\r\n\t', '\r\n ', '\t']);
  const name = random.pick([
    'DKIM-Signature:',
    'DKIM-Signature:',
    'DKIM-Signature:',
    'dkim-signature:',
    'DKIM-SIGNATURE:',
    'DKIM-Signature :',
    'Dkim-Signature:',
  ]);
  const parts = tags.map(([tag, value]) => {
    const spread =
      tag === 'h' || tag === 'bh'
        ? value.replaceAll(tag === 'h' ? ':' : /(?<=.{20})(?=.{10})/gu, (found) => `${fws()}${found}`)
        : value;
    return { tag, text: `${fws()}${tag}${fws()}=`, value: tag === 'b' ? value : `${fws()}${spread}${fws()}` };
  });
  const at = parts.findIndex(({ tag }) => tag === 'b');
  const written = parts.map(({ text, value }) => `${text}${value}`);
  const end = random.pick(['', '', '', ';', ';', '; ', ';\r\n ', ';;', ';x', ' ', '\r\n\t', ';=']);
  if (at === -1) return `${name} ${written.join(';')}${end}\r\n`;
  const before = `${name} ${[...written.slice(0, at), parts[at]!.text].join(`;${gap}`)}`;
  const after = `${[parts[at]!.value, ...written.slice(at + 1)].join(`;${gap}`)}${end}`;
  const names = (tags.find(([tag]) => tag === 'h')?.[1] ?? '')
    .split(':')
    .map((item) => item.replaceAll(/^[ \t\r\n]+|[ \t\r\n]+$/gu, '').toLowerCase());
  // White space behind b= belongs to its value, and is not signed (RFC 6376 §3.5).
  const signature = signatureFor(message, names, kind, before, after.replace(/^[ \t\r\n]+/u, ''), key);
  return `${before}${disguised(signature, random)}${after}\r\n`;
}

/** The signature as somebody might write it: mostly folded or not, now and then no base64. */
function disguised(signature: string, random: SeededRandom): string {
  if (random.chance(20)) {
    return random.pick([
      signature.replace(/=+$/u, ''),
      `${signature}=`,
      signature.replaceAll('/', '_'),
      `${signature} x`,
      '',
      `!${signature}`,
      `${signature}AAAA`,
      signature.slice(4),
      `${signature.slice(0, 50)}\u000b${signature.slice(50)}`,
      `${signature.slice(0, 50)}=${signature.slice(50)}`,
    ]);
  }
  const width = random.pick([0, 0, 60, 73, 1 + random.between(0, 20)]);
  const lines =
    width === 0
      ? signature
      : signature.replaceAll(new RegExp(`.{${width}}`, 'gu'), `$&${random.pick([' ', '\r\n ', '\r\n\t  '])}`);
  return `${random.pick(['', '', ' ', '\r\n '])}${lines}${random.pick(['', '', ' ', '\r\n\t'])}`;
}
