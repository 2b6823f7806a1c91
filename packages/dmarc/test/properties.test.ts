import { ZoneResolver } from '@zegel/dns';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluateDmarc, findOrganizationalDomain, formatDmarcRecord, parseDmarcRecord } from '../src/index.ts';
import type { DmarcRecord } from '../src/index.ts';
import { policies } from './recording-resolver.ts';

const policy = fc.constantFrom('none', 'quarantine', 'reject');
const mode = fc.constantFrom('relaxed', 'strict');
const uris = fc.array(
  fc.constantFrom('mailto:a@example.org', 'https://example.org/report?x=1', 'mailto:b%2Cc@example.org', 'x:y'),
  { maxLength: 4 },
);
const failureOptions = fc
  .tuple(fc.constantFrom<'0' | '1' | undefined>('0', '1', undefined), fc.subarray<'d' | 's'>(['d', 's']))
  .map(([outcome, mechanisms]) => [...(outcome ? [outcome] : []), ...mechanisms])
  .filter((options) => options.length > 0);

const records: fc.Arbitrary<DmarcRecord> = fc.record(
  {
    p: policy,
    sp: policy,
    np: policy,
    adkim: mode,
    aspf: mode,
    psd: fc.constantFrom('y', 'n', 'u'),
    testing: fc.boolean(),
    fo: failureOptions,
    rua: uris,
    ruf: uris,
  },
  { requiredKeys: ['p', 'adkim', 'aspf', 'psd', 'testing', 'fo', 'rua', 'ruf'] },
);

/** Text made of what records are made of, so that it comes near to being one. */
const nearRecords = fc
  .array(
    fc.oneof(
      fc.constantFrom('v=DMARC1', ';', '=', ' ', '\t', ',', ':', '!', 'p', 'sp', 'np', 'rua', 'fo', 'none', 'reject'),
      fc.constantFrom('mailto:a@b', '!10m', 'psd=y', 't', '%', '%2', '\u0000', 'ÿ', 'pct=1', 'adkim=s', 'ruf=', 'd:s'),
      fc.string({ unit: 'binary', maxLength: 5 }),
    ),
    { maxLength: 60 },
  )
  .map((parts) => parts.join(''));

describe('parseDmarcRecord', () => {
  it('reads back what formatDmarcRecord writes', () => {
    fc.assert(
      fc.property(records, (record) => {
        const parsed = parseDmarcRecord(formatDmarcRecord(record));
        expect(parsed).toEqual({ kind: 'usable', record, policyAssumed: false, faults: [] });
      }),
    );
  });

  it('never throws, and whatever it reads can be written and read again', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          nearRecords,
          nearRecords.map((rest) => `v=DMARC1;${rest}`),
        ),
        (text) => {
          const parsed = parseDmarcRecord(text);
          if (parsed.kind !== 'usable') return;
          const again = parseDmarcRecord(formatDmarcRecord(parsed.record));
          expect(again).toMatchObject({ kind: 'usable', record: parsed.record });
        },
      ),
      { numRuns: 1000 },
    );
  });
});

/** Few labels and few names, so that domains, records and failures meet. */
const labels = fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 4 });
const published = fc.constantFrom(
  'v=DMARC1; p=reject',
  'v=DMARC1; p=quarantine; sp=none; np=reject',
  'v=DMARC1; p=none; psd=y',
  'v=DMARC1; p=reject; psd=n',
  'v=DMARC1; psd=y',
  'v=DMARC1; p=reject; adkim=s',
);

/** An author with records, signers and a failing name about it: each is a part of the author's name, or lies below one. */
const situations = labels.chain((author) => {
  const ancestors = author.map((_label, index) => author.slice(index).join('.'));
  const ancestor = fc.constantFrom(...ancestors);
  const relative = fc
    .tuple(fc.array(fc.constantFrom('a', 'b'), { maxLength: 2 }), ancestor)
    .map(([prefix, base]) => [...prefix, base].join('.'));
  return fc.record({
    author: fc.constant(author.join('.')),
    zone: fc.dictionary(fc.oneof(ancestor, relative), published, { maxKeys: 4 }),
    signers: fc.array(relative, { minLength: 1, maxLength: 3 }),
    failed: fc.oneof(ancestor, relative),
  });
});
const possibleRecords = ['v=spf1', 'v=DMARC1; p=reject', 'v=DMARC1; p=reject; psd=y', 'v=DMARC1; p=reject; psd=n'];

function evaluate(
  zone: Readonly<Record<string, string>>,
  author: string,
  signers: readonly string[],
): ReturnType<typeof evaluateDmarc> {
  return evaluateDmarc({
    authorDomain: author,
    dkim: signers.map((domain) => ({ domain, result: 'pass' })),
    resolver: new ZoneResolver(policies(zone)),
  });
}

describe('evaluateDmarc', () => {
  it('gives with failed look-ups only the verdict that every possible answer would give', async () => {
    await fc.assert(
      fc.asyncProperty(situations, async ({ zone, author, signers, failed }) => {
        const uncertain = await evaluate({ ...zone, [failed]: 'SERVFAIL' }, author, signers);
        if (uncertain.result === 'temperror') return;
        for (const possible of possibleRecords) {
          const certain = await evaluate({ ...zone, [failed]: possible }, author, signers);
          expect(certain.result).toBe(uncertain.result);
          expect(certain.disposition).toBe(uncertain.disposition);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('passes exactly when some signer has the author’s organizational domain, each found by itself', async () => {
    await fc.assert(
      fc.asyncProperty(situations, async ({ zone, author, signers }) => {
        const found = await evaluate(zone, author, signers);
        if (found.policy === undefined) return;
        const organizations = await Promise.all(
          [author, ...signers].map((domain) =>
            findOrganizationalDomain(domain, { resolver: new ZoneResolver(policies(zone)) }),
          ),
        );
        const [own, ...others] = organizations.map((organization) =>
          organization.status === 'found' ? organization.domain : organization.status,
        );
        const isAligned = (signer: string, index: number) =>
          signer === author || (found.policy?.adkim === 'relaxed' && others[index] === own);
        expect(found.result).toBe(signers.some(isAligned) ? 'pass' : 'fail');
      }),
      { numRuns: 500 },
    );
  });
});
