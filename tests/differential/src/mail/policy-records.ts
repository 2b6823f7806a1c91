/** DMARC and SPF records for the domains that occur in From, by chance. */
import type { ZoneDeclaration, ZoneEntry } from '@zegel/dns';
import type { SeededRandom } from '@zegel/test-harness';

const policyNames = [
  '_dmarc.example.test',
  '_dmarc.mail.example.test',
  '_dmarc.sub.example.test',
  '_dmarc.deep.sub.example.test',
  '_dmarc.test',
  '_dmarc.other.test',
  '_dmarc.psd.test',
  '_dmarc.xn--bcher-kva.test',
  '_dmarc.f.g.h.i.j.example.test',
] as const;

/** The domains that SPF lets 192.0.2.1 send for, beside DMARC records of all kinds. */
export function policyRecords(random: SeededRandom): ZoneDeclaration {
  const zone: Record<string, ZoneEntry> = {
    'dangling.example.test': { CNAME: ['nowhere.absent'] },
    'mail.example.test': { A: ['192.0.2.1'], TXT: ['v=spf1 ip4:192.0.2.1 -all'] },
    'other.test': { A: ['192.0.2.1'], TXT: ['v=spf1 ip4:192.0.2.1 -all'] },
    'example.test': random.chance(10) ? 'SERVFAIL' : { TXT: ['v=spf1 ip4:192.0.2.1 -all'] },
  };
  for (const name of policyNames) {
    const usual = name === '_dmarc.example.test' || name === '_dmarc.other.test';
    if (!random.chance(usual ? 8 : 4) !== usual) continue;
    zone[name] = random.chance(30) ? random.pick(['SERVFAIL', 'TIMEOUT'] as const) : { TXT: texts(random) };
  }
  return zone;
}

function texts(random: SeededRandom): string[] {
  const list = [random.chance(3) ? oddRecord(random) : record(random)];
  if (random.chance(20)) list.push(record(random));
  if (random.chance(20)) list.unshift(random.pick(['unrelated', 'v=spf1 -all', 'v=DMARC2; p=reject', '']));
  return list;
}

function record(random: SeededRandom): string {
  const tags = ['v=DMARC1', `p=${random.pick(['none', 'quarantine', 'reject'])}`];
  const mayHave = (oneIn: number, tag: string, values: readonly [string, ...string[]]) => {
    if (random.chance(oneIn)) tags.splice(random.between(1, tags.length), 0, `${tag}=${random.pick(values)}`);
  };
  mayHave(3, 'sp', ['none', 'quarantine', 'reject']);
  mayHave(3, 'np', ['none', 'quarantine', 'reject']);
  mayHave(4, 'adkim', ['r', 's']);
  mayHave(4, 'aspf', ['r', 's']);
  mayHave(6, 'psd', ['y', 'n', 'u']);
  mayHave(6, 't', ['y', 'n']);
  mayHave(6, 'pct', ['0', '50', '100']);
  mayHave(5, 'rua', [
    'mailto:d@example.test',
    'mailto:a@example.test,mailto:b@other.test',
    'mailto:d@example.test!10m',
  ]);
  mayHave(8, 'fo', ['0', '1', 'd:s']);
  return tags.join(random.pick(['; ', ';', ' ; ']));
}

/** A record with something wrong, or only rare, about it. */
function oddRecord(random: SeededRandom): string {
  const good = record(random);
  const make: readonly [() => string, ...(() => string)[]] = [
    () =>
      good.replace(
        'v=DMARC1',
        random.pick([
          'V=DMARC1',
          'v=dmarc1',
          'v = DMARC1',
          'v=DMARC1 ',
          ' v=DMARC1',
          'v=DMARC10',
          'v=DMARC1.',
          'v=',
          'v=DMARC1\t',
          '\tv=DMARC1',
        ]),
      ),
    () =>
      good.replace(
        /p=[a-z]+/u,
        random.pick([
          'p=',
          'p=Reject',
          'p=REJECT',
          'p=foo',
          'p = reject',
          'P=reject',
          'p=reject ',
          'p=re ject',
          '',
          'p=none; p=reject',
          'p=reject; p=reject',
          'p="reject"',
        ]),
      ),
    () =>
      `${good}${random.pick([';', ';;', '; ', ' ', ';x', '; =', ';x=', '; adkim=S', '; adkim=x', '; adkim=', '; aspf= s', '; psd=Y', '; psd=x', '; t=Y', '; t=x', '; sp=foo', '; np=foo', '; sp=', '; sp=REJECT', '; rua=', '; rua=foo', '; ruf=mailto:x@y', '; rua=mailto:x@y,', '\t', '; fo=x'])}`,
    () => good.split(';').toReversed().join(';'),
    () => good.replaceAll(';', random.pick([',', ';;', ';\t', '; ;'])),
    () => good.replaceAll('=', random.pick([' = ', ' =', '= ', '=='])),
    () => 'v=DMARC1',
    () => 'v=DMARC1;',
    () => 'v=DMARC1; rua=mailto:d@example.test',
    () => 'v=DMARC1; p=foo; rua=mailto:d@example.test',
    () => 'v=DMARC1; sp=reject; rua=mailto:d@example.test',
    () => 'v=DMARC1; p=reject; sp=foo; rua=mailto:d@example.test',
    () => `${good}; x=${'a'.repeat(random.between(1, 5000))}`,
    () => good.toUpperCase(),
    () => `${good}; n=gr\u00fc\u00dfe`,
  ];
  return random.pick(make)();
}
