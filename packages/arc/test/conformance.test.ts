import { parseTagList } from '@zegel/dkim';
import { ZoneResolver } from '@zegel/dns';
import type { ZoneDeclaration } from '@zegel/dns';
import { loadConformance } from '@zegel/test-harness';
import { describe, expect, it } from 'vitest';
import { verifyChain } from '../src/index.ts';
import { sealCase, sealingCases } from './sealing-suite.ts';
import type { SealingCase } from './sealing-suite.ts';

interface ValidationCase {
  readonly id: string;
  readonly message: string;
  readonly encoding?: string;
  readonly dns: ZoneDeclaration;
  readonly expect: string;
}

/**
 * The suite was written for drafts 12 and 16 of what became RFC 8617. Where they differ, the RFC decides: an
 * ARC-Message-Signature "has the same syntax and semantics as the DKIM-Signature field" (§4.1.2), beside v= and i=.
 */
const draftEra: Readonly<Record<string, string>> = {
  'arc-val/ams_fields_h_empty': 'RFC 6376 §3.5: h= is required and "MUST NOT be empty"',
  'arc-val/ams_fields_c_na': 'RFC 6376 §3.5: without c= the canonicalization is simple/simple',
};

const bytes = ({ message, encoding }: ValidationCase): Buffer =>
  Buffer.from(message, encoding === 'base64' ? 'base64' : 'utf8');

const load = (name: string): readonly ValidationCase[] =>
  loadConformance<{ readonly cases: readonly ValidationCase[] }>(`arc/${name}.json`).cases;

describe('conformance: chain validation (RFC 8617 §5.2)', () => {
  const cases = load('validation');

  it.each(cases.filter(({ id }) => !(id in draftEra)))('$id is $expect', async (entry) => {
    const verdict = await verifyChain(bytes(entry), { resolver: new ZoneResolver(entry.dns) });
    expect(verdict.result, `${verdict.code}: ${verdict.explanation}`).toBe(entry.expect);
  });

  const ofDrafts = cases.filter(({ id }) => id in draftEra);
  for (const entry of ofDrafts) {
    it(`${entry.id} is not ${entry.expect} any more (against the suite; ${draftEra[entry.id]})`, async () => {
      const verdict = await verifyChain(bytes(entry), { resolver: new ZoneResolver(entry.dns) });
      expect(verdict.result).toBe('fail');
    });
  }

  it('names two cases of the drafts', () => {
    expect(ofDrafts).toHaveLength(2);
  });
});

describe('conformance: real sealed mail', () => {
  it.each(load('real'))('$id', async (entry) => {
    const verdict = await verifyChain(bytes(entry), { resolver: new ZoneResolver(entry.dns) });
    expect(verdict.result, `${verdict.code}: ${verdict.explanation}`).toBe(entry.expect);
  });
});

describe('conformance: sealing (RFC 8617 §5.1)', () => {
  const sealed = sealingCases.filter((entry) => entry.expect.AS !== '');

  it.each(sealed.filter(({ id }) => !foreignSignatures.includes(id)))('$id: every tag, b= included', async (entry) => {
    const { fields, chain, raw } = await sealCase(entry);
    const again = await verifyChain(raw, { resolver: new ZoneResolver(entry.dns) });
    expectSet(fields, entry.expect, (tags) => tags);
    expect(again.result, again.explanation).toBe(chain.result === 'fail' ? 'fail' : 'pass');
    expect(again.sets).toBe(chain.sets + 1);
  });

  it.each(sealed.filter(({ id }) => foreignSignatures.includes(id)))(
    '$id: every tag but b= (against the suite; an RSA key has one signature for what it signs, and ours holds)',
    async (entry) => {
      const { fields, raw } = await sealCase(entry);
      const again = await verifyChain(raw, { resolver: new ZoneResolver(entry.dns) });
      expectSet(fields, entry.expect, (tags) => ({ ...tags, b: '' }));
      expect(again.code, again.explanation).toBe('arc.pass');
    },
  );

  it.each(sealingCases.filter((entry) => entry.expect.AS === ''))('$id: is not sealed', async (entry) => {
    const { chain, fields } = await sealCase(entry);
    expect(chain.code).toBe('arc.chain-ended');
    expect(fields).toEqual([]);
  });
});

/**
 * Upstream does not run these, and what their b= signs is not the message: not their h= in any order, with or without
 * ARC-Authentication-Results, with the ARC-Message-Signature as given or in the order of the other sealers' tags.
 */
const foreignSignatures: readonly string[] = [
  'arc-sign-unused/header_order',
  'arc-sign-unused/sig_header_dup_once',
  'arc-sign-unused/sig_header_dup_twice',
  'arc-sign-unused/header_non',
];

type TagValues = Readonly<Record<string, string>>;

function expectSet(
  [as = '', ams = '', aar = '']: readonly string[],
  expected: SealingCase['expect'],
  compared: (tags: TagValues) => TagValues,
): void {
  expect(compared(tagsOf(ams))).toEqual(compared(tagsOf(`ARC-Message-Signature: ${expected.AMS}`)));
  expect(compared(tagsOf(as))).toEqual(compared(tagsOf(`ARC-Seal: ${expected.AS}`)));
  expect(unfold(aar)).toBe(unfold(`ARC-Authentication-Results: ${expected.AAR}`));
}

function unfold(text: string): string {
  return text.replaceAll(/[ \t\r\n]+/g, ' ').trim();
}

function tagsOf(field: string): TagValues {
  const text = field.slice(field.indexOf(':') + 1).trimEnd();
  const list = parseTagList(text.replaceAll(/\r?\n[ \t]*/g, '\r\n '));
  if (!list.ok) throw new Error(`Not a list of tags: ${field}`);
  return Object.fromEntries([...list.tags].map(([name, { value }]) => [name, value.replaceAll(/[ \t\r\n]/g, '')]));
}
