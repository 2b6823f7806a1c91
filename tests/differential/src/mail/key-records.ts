/** The key records of a run: good ones, and every way to get them wrong that we could think of. */
import type { ZoneDeclaration, ZoneEntry } from '@zegel/dns';
import { seededRandom } from '@zegel/test-harness';
import type { SeededRandom } from '@zegel/test-harness';
import { testKeys } from './keys.ts';
import type { KeyName, TestKey } from './keys.ts';

/** Where a key may be looked for, and the key that signs there. */
export interface Selector {
  readonly selector: string;
  readonly key: TestKey;
}

export interface KeyRecords {
  readonly zone: ZoneDeclaration;
  /** The two whose records are as they should be: they stand below every signing domain. */
  readonly sound: readonly [Selector, Selector];
  /** Those whose records are of all kinds, below the first signing domain alone. */
  readonly odd: readonly [Selector, ...Selector[]];
}

export const signingDomains = [
  'example.test',
  'mail.example.test',
  'deep.sub.example.test',
  'other.test',
  'xn--bcher-kva.test',
] as const;

/** How many records are made by chance, beside the ones that are written down. */
const randomRecords = 600;

export function keyRecords(seed: number): KeyRecords {
  const zone: Record<string, ZoneEntry> = {};
  const sound = [
    { selector: 'rsa', key: testKeys['rsa-2048'] },
    { selector: 'ed', key: testKeys.ed25519 },
  ] as const;
  for (const domain of signingDomains) {
    for (const { selector, key } of sound) {
      zone[`${selector}._domainkey.${domain}`] = { TXT: [`v=DKIM1; k=${typeOf(key)}; p=${key.published}`] };
    }
  }
  const odd: Selector[] = [];
  const publish = (name: KeyName, entry: ZoneEntry) => {
    const selector = `k${odd.length}`;
    odd.push({ selector, key: testKeys[name] });
    if (entry !== 'NXDOMAIN') zone[`${selector}._domainkey.${signingDomains[0]}`] = entry;
  };
  for (const [name, entry] of writtenRecords()) publish(name, entry);
  const random = seededRandom(`keys/${seed}`);
  for (let count = 0; count < randomRecords; count += 1) {
    const name = random.pick(['rsa-2048', 'rsa-2048', 'ed25519'] as const);
    publish(name, { TXT: [randomRecord(testKeys[name], random)] });
  }
  return { zone, sound, odd: odd as [Selector, ...Selector[]] };
}

function typeOf(key: TestKey): string {
  return key.name.startsWith('rsa') ? 'rsa' : 'ed25519';
}

function writtenRecords(): [KeyName, ZoneEntry][] {
  const list: [KeyName, ZoneEntry][] = [];
  const { published: rsa, bare: pkcs1 } = testKeys['rsa-2048'];
  const { published: ed } = testKeys.ed25519;
  const good = `v=DKIM1; k=rsa; p=${rsa}`;
  const text = (name: KeyName, ...records: string[]) => list.push([name, { TXT: records }]);
  for (const name of ['rsa-768', 'rsa-1024', 'rsa-4096', 'rsa-8192', 'rsa-2048-exponent-3'] as const) {
    text(name, `v=DKIM1; p=${testKeys[name].published}`);
    text(name, `v=DKIM1; p=${testKeys[name].bare}`);
  }
  text('rsa-2048', `v=DKIM1; p=${pkcs1}`);
  text('rsa-2048', `p=${pkcs1}`);
  text('rsa-2048', `v=DKIM1; k=rsa; p=${testKeys['rsa-2048-other'].published}`);
  text('ed25519', `v=DKIM1; k=ed25519; p=${testKeys['ed25519-other'].published}`);
  text('rsa-2048', `v=DKIM1; k=ed25519; p=${ed}`);
  text('ed25519', `v=DKIM1; k=rsa; p=${rsa}`);
  text('ed25519', `v=DKIM1; p=${ed}`);
  text('ed25519', `v=DKIM1; k=ed25519; p=MCowBQYDK2VwAyEA${ed}`);
  text('rsa-2048', good, good);
  text('rsa-2048', good, `v=DKIM1; k=rsa; p=${testKeys['rsa-2048-other'].published}`);
  text('rsa-2048', 'v=spf1 -all', good);
  text('rsa-2048', good, 'some other text');
  text('rsa-2048', 'v=DKIM2; p=', good);
  text('rsa-2048', 'v=spf1 -all');
  text('rsa-2048', '');
  text('rsa-2048', 'v=DKIM1; p=');
  text('rsa-2048', 'v=DKIM1; p=; n=gone');
  list.push(
    ['rsa-2048', 'NXDOMAIN'],
    ['rsa-2048', 'SERVFAIL'],
    ['ed25519', 'TIMEOUT'],
    ['rsa-2048', { A: ['192.0.2.1'] }],
  );
  // One record in several character-strings, as long ones must be (RFC 6376 §3.6.2.2).
  list.push(['rsa-2048', { TXT: [[good.slice(0, 100), good.slice(100, 300), good.slice(300)]] }]);
  list.push(['rsa-2048', { CNAME: [`rsa._domainkey.${signingDomains[1]}`] }]);
  list.push(['rsa-2048', { CNAME: ['nowhere.test'] }]);
  return list;
}

const blank = ['', '', '', '', ' ', '  ', '\t', ' \t '] as const;

/** A key record with something odd about it, right or wrong. */
function randomRecord(key: TestKey, random: SeededRandom): string {
  const type = typeOf(key);
  let tags: [string, string][] = [
    ['v', 'DKIM1'],
    ['k', type],
    ['p', random.chance(3) ? key.bare : key.published],
  ];
  const value = (name: string) => tags.find(([tag]) => tag === name)?.[1] ?? '';
  const set = (name: string, text: string) => {
    const tag = tags.find(([other]) => other === name);
    if (tag === undefined) tags.splice(random.between(0, tags.length), 0, [name, text]);
    else tag[1] = text;
  };
  const add = (name: string, text: string) => tags.splice(random.between(1, tags.length), 0, [name, text]);
  const changes: readonly [() => void, ...(() => void)[]] = [
    () => set('v', random.pick(['DKIM1', 'dkim1', 'DKIM2', 'DKIM1 ', 'DKIM 1', '', '1', 'DKIM1\u00a0'])),
    () => (tags = tags.filter(([name]) => name !== random.pick(['v', 'k']))),
    () => (tags = tags.filter(([name]) => name !== 'p')),
    () => (tags = tags.toReversed()),
    () => set('k', random.pick(['rsa', 'RSA', 'Rsa', 'ed25519', 'ED25519', 'dsa', '', 'rsa ', 'r sa', 'rsa:ed25519'])),
    () =>
      add(
        'h',
        random.pick([
          'sha256',
          'sha1',
          'sha1:sha256',
          'sha256:sha1',
          'SHA256',
          ' sha1 : sha256 ',
          '',
          'sha512',
          ':',
          'sha256:',
          '*',
          'sha 256',
        ]),
      ),
    () =>
      add(
        's',
        random.pick([
          'email',
          '*',
          'tlsrpt',
          'email:tlsrpt',
          'EMAIL',
          '',
          'tlsrpt : email',
          '* ',
          'e mail',
          'email:',
          'foo:*',
        ]),
      ),
    () => add('t', random.pick(['y', 's', 'y:s', 's:y', 'Y', 'S', '', ' y : s ', 'x', 'y s', 'ys', ':s'])),
    () =>
      add('n', random.pick(['a note', '', 'quoted "text" (and this)', 'a=b', 'Grüße', '=3B', 'a\u000bb', 'tab\there'])),
    () => add('g', random.pick(['*', '', 'user'])),
    () =>
      add(
        random.pick(['x', 'X', 'a_1', '1a', '_a', 'a-b', 'a b', '', 'P', 'ä', 'v2']),
        random.pick(['', 'text', 'a b', '1']),
      ),
    () => add(random.pick(['p', 'k', 'n', 'v', 's']), random.pick(['', key.published, 'rsa', '*', 'DKIM1'])),
    () => set('p', spaced(value('p'), random)),
    () => set('p', value('p').replace(/=+$/u, '')),
    () => set('p', `${value('p')}${random.pick(['=', '==', 'A', 'AAAA', '!', '"', ' extra', '\\;'])}`),
    () => set('p', value('p').replaceAll('+', '-').replaceAll('/', '_')),
    () => set('p', value('p').slice(0, random.between(0, value('p').length))),
    () => set('p', `${random.pick(['"', '=', '-----BEGIN PUBLIC KEY-----', '\u200b'])}${value('p')}`),
    () =>
      set(
        'p',
        value('p').replace(/./u, () => random.pick(['A', 'N', '*', 'é'])),
      ),
  ];
  for (let count = random.between(0, 2); count >= 0; count -= 1) random.pick(changes)();
  const separator = random.pick(['; ', ';', ' ;', ';  ', ' ; ', ';\t']);
  const written = tags.map(([name, text]) =>
    random.chance(6)
      ? `${random.pick(blank)}${name}${random.pick(blank)}=${random.pick(blank)}${text}${random.pick(blank)}`
      : `${name}=${text}`,
  );
  const end = random.pick(['', '', '', ';', '; ', ';;', ' ', ';x', ';\t;', '\u000b', '\r\n', ' \r\n ', ';\r\n']);
  const begin = random.chance(20) ? random.pick([' ', ';', '\t', '\ufeff', '"', '=']) : '';
  return `${begin}${written.join(separator)}${end}`;
}

/** Text with white space in a few places. */
function spaced(text: string, random: SeededRandom): string {
  let result = text;
  for (let count = random.between(1, 4); count > 0; count -= 1) {
    const at = random.between(0, result.length);
    result = `${result.slice(0, at)}${random.pick([' ', '\t', '  ', '\r\n ', ' ', '\n', '\u000b', '\u00a0'])}${result.slice(at)}`;
  }
  return result;
}
