import { ZoneResolver } from '@zegel/dns';
import type { Resolver } from '@zegel/dns';
import { beforeAll, describe, expect, it } from 'vitest';
import { arcCodes, verifyChain } from '../src/index.ts';
import type { ArcCode, ArcLimits } from '../src/index.ts';
import { now, passOn, plainMessage, testSealer, zoneOf } from './sealer.ts';

let chain: string;
let resolver: Resolver;

beforeAll(async () => {
  const sealer = await testSealer('list.test');
  resolver = zoneOf(sealer);
  const twice = await passOn(await passOn(plainMessage, sealer, resolver), sealer, resolver);
  chain = twice.toString('latin1');
});

/** Changes one field of the chain of two sets: the text behind its name, the tag i= included. */
function edited(name: string, instance: number, change: (field: string) => string): string {
  const field = new RegExp(`^${name}:(?:[^\\r]|\\r\\n )*\\bi=${instance};(?:[^\\r]|\\r\\n[ \\t])*\\r\\n`, 'm').exec(
    chain,
  )?.[0];
  if (field === undefined) throw new Error(`No ${name} of set ${instance}`);
  return chain.replace(field, () => change(field));
}

interface Situation {
  readonly code: ArcCode;
  readonly what: string;
  readonly message: () => string;
  readonly limits?: Partial<ArcLimits>;
  readonly resolver?: Resolver;
  /** What the verdict points at. */
  readonly evidence?: object;
}

const [aar, ams, as] = ['ARC-Authentication-Results', 'ARC-Message-Signature', 'ARC-Seal'] as const;

const situations: readonly Situation[] = [
  { code: 'arc.none', what: 'no ARC fields', message: () => plainMessage.toString('latin1') },
  { code: 'arc.pass', what: 'an untouched chain', message: () => chain },
  {
    code: 'arc.chain-ended',
    what: 'cv=fail in the newest seal, whatever else is wrong',
    message: () => edited(as, 2, (field) => field.replace('cv=pass', 'cv=FAIL')).replace('ARC-Message', 'X-Message'),
    evidence: { instance: 2, cv: 'fail' },
  },
  {
    code: 'arc.too-many-sets',
    what: '51 fields of one name',
    message: () => `${'ARC-Seal: i=1\r\n'.repeat(51)}${plainMessage.toString('latin1')}`,
    evidence: { limit: 50 },
  },
  { code: 'arc.too-long', what: 'more bytes than allowed', message: () => chain, limits: { maxChainBytes: 1_000 } },
  {
    code: 'arc.field-too-long',
    what: 'a field with more bytes than allowed',
    message: () => chain,
    limits: { maxSignatureBytes: 300 },
    evidence: { limit: 300 },
  },
  {
    code: 'arc.instance-invalid',
    what: 'i=51',
    message: () => edited(as, 2, (field) => field.replace('i=2', 'i=51')),
    evidence: { field: as },
  },
  {
    code: 'arc.instance-invalid',
    what: 'i=0',
    message: () => edited(ams, 1, (field) => field.replace('i=1', 'i=0')),
    evidence: { field: ams },
  },
  {
    code: 'arc.instance-invalid',
    what: 'no i= in ARC-Authentication-Results',
    message: () => edited(aar, 1, (field) => field.replace('i=1; ', '')),
    evidence: { field: aar },
  },
  {
    code: 'arc.repeated-field',
    what: 'a field that stands twice',
    message: () => edited(ams, 1, (field) => field + field),
    evidence: { instance: 1, field: ams },
  },
  {
    code: 'arc.missing-field',
    what: 'a set without ARC-Authentication-Results',
    message: () => edited(aar, 2, () => ''),
    evidence: { instance: 2, field: aar },
  },
  {
    code: 'arc.missing-set',
    what: 'a second set without a first',
    message: () =>
      chain.replaceAll(/^ARC-(?:[^\r]|\r\n[ \t])*\r\n/gm, (field) => (field.includes('i=1;') ? '' : field)),
    evidence: { instance: 1 },
  },
  {
    code: 'arc.tag-syntax',
    what: 'two semicolons in a row',
    message: () => edited(as, 2, (field) => field.replace('cv=', ';cv=')),
    evidence: { field: as },
  },
  {
    code: 'arc.repeated-tag',
    what: 'a tag that stands twice',
    message: () => edited(ams, 2, (field) => field.replace('d=', 'd=list.test; d=')),
    evidence: { field: ams, tag: 'd' },
  },
  {
    code: 'arc.missing-tag',
    what: 'a seal without d=',
    message: () => edited(as, 1, (field) => field.replace('d=', 'D=')),
    evidence: { instance: 1, field: as, tag: 'd' },
  },
  {
    code: 'arc.missing-tag',
    what: 'a seal without cv=',
    message: () => edited(as, 1, (field) => field.replace('cv=', 'xcv=')),
    evidence: { instance: 1, field: as, tag: 'cv' },
  },
  {
    code: 'arc.missing-tag',
    what: 'a newest message signature without bh=',
    message: () => edited(ams, 2, (field) => field.replace('bh=', 'xh=')),
    evidence: { instance: 2, field: ams, tag: 'bh' },
  },
  {
    code: 'arc.invalid-tag',
    what: 'cv= with another word',
    message: () => edited(as, 1, (field) => field.replace('cv=none', 'cv=temperror')),
    evidence: { instance: 1, field: as, tag: 'cv' },
  },
  {
    code: 'arc.invalid-tag',
    what: 'a query method other than dns/txt',
    message: () => edited(ams, 2, (field) => field.replace('s=rsa', 'q=http; s=rsa')),
    evidence: { instance: 2, field: ams, tag: 'q' },
  },
  {
    code: 'arc.cv-unexpected',
    what: 'cv=none above the first set',
    message: () => edited(as, 2, (field) => field.replace('cv=pass', 'cv=none')),
    evidence: { instance: 2, cv: 'none' },
  },
  {
    code: 'arc.cv-unexpected',
    what: 'cv=fail below the newest set',
    message: () => edited(as, 1, (field) => field.replace('cv=none', 'cv=fail')),
    evidence: { instance: 1, cv: 'fail' },
  },
  {
    code: 'arc.seal-has-fields',
    what: 'h= in a seal',
    message: () => edited(as, 1, (field) => field.replace('i=1', 'h=from; i=1')),
    evidence: { instance: 1, field: as },
  },
  {
    code: 'arc.seal-covered',
    what: 'a message signature over ARC-Seal',
    message: () => edited(ams, 2, (field) => field.replace(' h=', ' h=ARC-Seal : ')),
    evidence: { instance: 2, field: ams },
  },
  {
    code: 'arc.from-not-signed',
    what: 'a message signature that leaves From out',
    message: () => edited(ams, 2, (field) => field.replaceAll('from:', 'form:')),
    evidence: { instance: 2, field: ams },
  },
  {
    code: 'arc.too-many-signed-fields',
    what: 'more names in h= than allowed',
    message: () => chain,
    limits: { maxSignedFields: 5 },
    evidence: { instance: 2, limit: 5 },
  },
  {
    code: 'arc.message-signature-failed',
    what: 'a changed body',
    message: () => `${chain}Buy now!\r\n`,
    evidence: { instance: 2, field: ams },
  },
  {
    code: 'arc.seal-failed',
    what: 'a changed result in the first set',
    message: () => edited(aar, 1, (field) => field.replace('dmarc=pass', 'dmarc=fail')),
    evidence: { instance: 2, field: as },
  },
  {
    code: 'arc.dns-failure',
    what: 'a key that cannot be fetched',
    message: () => chain,
    resolver: new ZoneResolver({ 'rsa._domainkey.list.test': 'SERVFAIL' }),
  },
];

describe('RFC 8617 §5.2: every outcome has a code', () => {
  it.each(situations)('$code: $what', async ({ code, message, limits, resolver: other, evidence }) => {
    const verdict = await verifyChain(Buffer.from(message(), 'latin1'), {
      resolver: other ?? resolver,
      now,
      ...(limits === undefined ? {} : { limits }),
    });
    expect(verdict.code).toBe(code);
    expect(verdict.result).toBe(arcCodes[code].result);
    expect(verdict.evidence).toMatchObject(evidence ?? {});
    // Every placeholder is filled: an empty one shows as a question mark.
    expect(verdict.explanation).not.toMatch(/[?{}]/);
    expect(verdict.advice ?? '').not.toMatch(/[?{}]/);
  });

  it('reaches every code', () => {
    expect(new Set(situations.map(({ code }) => code))).toEqual(new Set(Object.keys(arcCodes)));
  });
});
