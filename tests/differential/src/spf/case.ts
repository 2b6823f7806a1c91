/** Random SPF records in a small world of names, so that they refer to each other. */
import { seededRandom } from '@zegel/test-harness';
import type { SeededRandom } from '@zegel/test-harness';

/** A check to be made, and all the DNS there is. Plain JSON: pyspf gets it as it is. */
export interface SpfCase {
  readonly dns: Readonly<Record<string, SpfNames | 'TIMEOUT' | 'SERVFAIL'>>;
  readonly ip: string;
  readonly helo: string;
  readonly mailFrom: string;
}

interface SpfNames {
  TXT?: string[];
  A?: string[];
  AAAA?: string[];
  MX?: [number, string][];
  PTR?: string[];
}

type Choices = readonly [string, ...string[]];

/** Names with records of their own, one that has none, and one that sometimes fails. */
const sound: Choices = ['a.example.com', 'b.example.com', 'c.example.org', 'mail.example.com', 'x.example.net'];
const absent = 'none.example.com';
const failing = 'fail.example.com';
const names: Choices = [...sound, absent, failing];

const addresses4: Choices = ['192.0.2.1', '192.0.2.77', '198.51.100.9', '203.0.113.200'];
const addresses6: Choices = ['2001:db8::1', '2001:db8:1::9', '2001:db8:0:ffff::1'];
const helos: Choices = ['mail.example.com', 'x.example.net', 'OEM', '[192.0.2.1]', 'mail.example.com.'];
const localParts: Choices = ['user', 'us-er+tag', 'a.b', 'Us.Er-x_y', ''];

const macros: Choices = [
  '%{s}',
  '%{l}',
  '%{o}',
  '%{d}',
  '%{i}',
  '%{p}',
  '%{v}',
  '%{h}',
  '%{ir}',
  '%{d2}',
  '%{l-}',
  '%{lr-}',
  '%{l1r+-}',
  '%{D}',
  '%{S}',
  '%%',
  '%_',
  '%-',
  '%{d1r}',
  '%{i4r.}',
  '%{o99}',
  '%{h1}',
  '%{sr+-.}',
  '%{L=}',
];
const brokenMacros: Choices = [
  '%{d0}',
  '%{x}',
  '%{c}',
  '%{t}',
  '%{r}',
  '%{ir',
  '%(d)',
  '%',
  '%{d2',
  '%{d-2}',
  '%{}',
  '%{sr@.}',
];
const oddNames: Choices = [
  '',
  'com',
  'com.',
  'foo.123',
  'a..example.com',
  'foo:bar/baz.example.com',
  'x.-com',
  'x.com-',
  '1.2.3.4',

  'a_b.example',
  `${'x'.repeat(64)}.example.com`,
  '.com',
  'a,b.example.com',
  'a.example.com/',
  'xn--zckzah.example',
  'A.EXAMPLE.COM',
  `${'long.'.repeat(50)}example.com`,
  'a.example.com..',
  'com.a-b',
  'x.1a',
];
const cidrs: Choices = ['/24', '/0', '/32', '//64', '//0', '//128', '/24//64', '/0//0', '/1', '//1'];
const brokenCidrs: Choices = ['/33', '//129', '/08', '/', '//', '/8/64', '/x', '/-1', '//064', '/24/', '/ 24', '/+1'];
const oddIp4: Choices = ['192.0.2', '01.2.3.4', '1.2.3.256', '', '192.0.2.1.', '1.2.3.4.5', '192.0.2.1:25', '0.0.0.0'];
const oddIp6: Choices = [
  '::1.2.3.4',
  '::ffff:192.0.2.1',
  '2001:db8:::1',
  ':1',
  '',
  '2001:db8::1%eth0',
  '1:2:3:4:5:6:7:8:9',
  '::',
];

/**
 * How much goes wrong in a case, one in so many terms. Half of all cases hold no fault at all, so that they are
 * evaluated to their end.
 */
interface Mood {
  readonly faultOneIn: number;
  /** Records ask for much and the names have what they ask for, so that it is the ten look-ups that run out (RFC 7208 §4.6.4). */
  readonly thirsty: boolean;
}

/** The case of a seed and an index; always the same. */
export function spfCase(seed: number, index: number): SpfCase {
  const random = seededRandom(`spf/${seed}/${index}`);
  const mood: Mood = { faultOneIn: random.pick([1_000_000, 1_000_000, 40, 8]), thirsty: random.chance(6) };
  return {
    dns: zone(random, mood),
    ip: random.chance(4) ? random.pick([...addresses6, '::ffff:192.0.2.1']) : random.pick(addresses4),
    helo: random.pick(helos),
    // A null reverse-path now and then: the HELO name is checked in its place (RFC 7208 §2.4).
    mailFrom: random.chance(30) ? '' : `${random.pick(localParts)}@${random.pick(sound)}`,
  };
}

function zone(random: SeededRandom, mood: Mood): SpfCase['dns'] {
  const dns: Record<string, SpfNames | 'TIMEOUT' | 'SERVFAIL'> = {};
  for (const name of sound) {
    const entry: SpfNames = {};
    if (!random.chance(6))
      entry.TXT = random.chance(30) ? [record(random, mood), record(random, mood)] : [record(random, mood)];
    if (random.chance(10))
      entry.TXT = [...(entry.TXT ?? []), random.pick(['unrelated', 'v=spf10 -all', 'v=spf2.0/pra -all', 'spf1'])];
    if (mood.thirsty || !random.chance(3)) entry.A = several(random, 3, () => random.pick(addresses4));
    if (random.chance(3)) entry.AAAA = several(random, 2, () => random.pick(addresses6));
    if (mood.thirsty || random.chance(2)) {
      const count = random.chance(20) ? 11 : random.between(1, 3);
      entry.MX = Array.from({ length: count }, (_, preference) => [preference, random.pick(sound)]);
    }
    dns[name] = entry;
  }
  if (random.chance(3)) dns[failing] = random.pick(['TIMEOUT', 'SERVFAIL'] as const);
  const pointers = [
    ...addresses4.map((ip) => `${ip.split('.').toReversed().join('.')}.in-addr.arpa`),
    `1.${'0.'.repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa`,
  ];
  for (const name of pointers) if (!random.chance(3)) dns[name] = { PTR: several(random, 3, () => random.pick(sound)) };
  // What the macros above expand to.
  for (const name of [
    '1.2.0.192.a.example.com',
    'user.a.example.com',
    'a.example.com.b.example.com',
    'user.b.example.com',
  ]) {
    if (!random.chance(3)) dns[name] = { A: ['127.0.0.2'] };
  }
  return dns;
}

function several<Value>(random: SeededRandom, most: number, make: () => Value): Value[] {
  return Array.from({ length: random.between(1, most) }, make);
}

function record(random: SeededRandom, mood: Mood): string {
  const faulty = random.chance(mood.faultOneIn);
  const version = faulty
    ? random.pick(['v=spf1.', ' v=spf1', 'v=spf01', 'V=SPF1', 'v=SPF1'])
    : random.pick(['v=spf1', 'v=spf1', 'V=SPF1']);
  const length = mood.thirsty
    ? random.between(4, 13)
    : Math.trunc((random.between(1, 14) * random.between(0, 14)) / 14);
  const one = () => (mood.thirsty && !random.chance(8) ? thirstyTerm(random) : term(random, mood));
  const terms = Array.from({ length }, () => `${random.chance(20) ? '  ' : ' '}${one()}`);
  return `${version}${terms.join('')}${random.chance(20) ? ' ' : ''}`;
}

function term(random: SeededRandom, mood: Mood): string {
  if (random.chance(mood.faultOneIn)) return brokenTerm(random);
  const qualifier = random.chance(2) ? '' : random.pick(['+', '-', '~', '?']);
  const at = random.between(1, 100);
  const name = () => `:${domain(random, mood)}`;
  const own = () => (random.chance(3) ? '' : name());
  if (at <= 6) return `${qualifier}all`;
  if (at <= 26) return `${qualifier}a${own()}${cidr(random, mood)}`;
  if (at <= 38) return `${qualifier}mx${own()}${cidr(random, mood)}`;
  if (at <= 45) return `${qualifier}ptr${own()}`;
  if (at <= 58)
    return `${qualifier}ip4:${random.pick(addresses4)}${random.pick(['', '', '', '/24', '/0', '/32', '/31'])}`;
  if (at <= 66)
    return `${qualifier}ip6:${random.pick(addresses6)}${random.pick(['', '', '', '/64', '/0', '/128', '/33'])}`;
  if (at <= 80) return `${qualifier}include${name()}`;
  if (at <= 88) return `${qualifier}exists${name()}`;
  if (at <= 93) return `redirect=${domain(random, mood)}`;
  if (at <= 95) return `exp=${domain(random, mood)}`;
  if (at <= 97) return random.pick(['foo=bar', 'foo=%{d}', 'a.b-c_d=1', 'default=+', 'foo=', 'op=auth', 'x=/,;:']);
  return `${qualifier}${random.pick(['ALL', 'A', 'Mx', 'PTR', 'IP4:192.0.2.1', 'Include:a.example.com'])}`;
}

/** A term that asks for a name that is there, and seldom matches. */
function thirstyTerm(random: SeededRandom): string {
  const mechanism = random.pick(['a', 'a', 'mx', '?a', '-mx', 'include', 'ptr']);
  return `${mechanism}:${random.pick(sound)}${mechanism.endsWith('a') ? random.pick(['', '/32', '//128']) : ''}`;
}

function brokenTerm(random: SeededRandom): string {
  return random.pick([
    'all:a.example.com',
    'all/8',
    'all=',
    'include',
    'include:',
    'exists',
    'exists:',
    'ptr/24',
    'redirect=',
    'exp=',
    'a=',
    'ip4',
    'ip6',

    'ip4:',
    'foo',
    '-foo:bar',
    '1a',
    '+-all',
    '--all',
    '-',
    ':',
    '=',
    '/',
    'a:',
    'mx:',
    'a/',
    '\t',
    'a\tb',
    'al',
    'all,',
    '%{d}',

    'exp=a.example.com exp=a.example.com',
    'redirect=a.example.com redirect=a.example.com',
    'foo=%{x}',
    'foo=%',
    '-redirect=a.example.com',

    '_x=1',
    'x_y=1',
    '-x=1',
    'a.example.com',
    'ip:192.0.2.1',
    'ipv4:192.0.2.1',
    'include:a.example.com/24',
    'exists:a.example.com/24',
    'grüße',
    `ip4:${random.pick(oddIp4)}${random.pick(['', '/24', '/33', '//64'])}`,
    `ip6:${random.pick(oddIp6)}${random.pick(['', '/64', '/129', '//64'])}`,
    `a:${random.pick(oddNames)}`,
    `include:${random.pick(brokenMacros)}.${random.pick(names)}`,
  ] as const);
}

function domain(random: SeededRandom, mood: Mood): string {
  if (random.chance(mood.faultOneIn)) return random.pick(oddNames);
  if (random.chance(mood.faultOneIn)) return `${random.pick(brokenMacros)}.${random.pick(names)}`;
  const at = random.between(1, 100);
  if (at <= 65) return random.pick(names);
  if (at <= 80) return `${random.pick(macros)}.${random.pick(names)}`;
  if (at <= 87) return `${random.pick(names)}.${random.pick(macros)}`;
  if (at <= 95) return random.pick(macros);
  return `${random.pick(names)}.`;
}

function cidr(random: SeededRandom, mood: Mood): string {
  if (random.chance(mood.faultOneIn)) return random.pick(brokenCidrs);
  return random.chance(2) ? '' : random.pick(cidrs);
}
