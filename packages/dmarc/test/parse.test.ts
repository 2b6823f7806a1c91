import { describe, expect, it } from 'vitest';
import { dmarcLimits, DmarcRecordError, formatDmarcRecord, parseDmarcRecord } from '../src/index.ts';
import type { DmarcRecord } from '../src/index.ts';

function read(text: string): DmarcRecord {
  const parsed = parseDmarcRecord(text);
  if (parsed.kind !== 'usable') throw new Error(`${parsed.kind}: ${text}`);
  return parsed.record;
}

function faults(text: string): readonly string[] {
  const parsed = parseDmarcRecord(text);
  return parsed.kind === 'other' ? ['other'] : parsed.faults.map(({ problem, tag }) => `${problem} ${tag}`);
}

describe('RFC 9989 §4.7 the version', () => {
  it.each(['v=DMARC1', 'v=DMARC1;', 'V=DMARC1 ; p=none', 'v \t=\t DMARC1;p=none'])('accepts %j', (text) => {
    expect(parseDmarcRecord(text).kind).not.toBe('other');
  });

  it.each([
    '',
    'v=dmarc1; p=none',
    'v=DMARC12; p=none',
    'v=DMARC1 p=none',
    'p=none; v=DMARC1',
    ' v=DMARC1',
    'v=DMARC1,',
  ])('passes over %j', (text) => {
    expect(parseDmarcRecord(text)).toEqual({ kind: 'other' });
  });
});

describe('RFC 9989 §4.7 tags', () => {
  it('gives every tag its default', () => {
    expect(read('v=DMARC1; p=quarantine')).toEqual({
      p: 'quarantine',
      adkim: 'relaxed',
      aspf: 'relaxed',
      psd: 'u',
      testing: false,
      fo: ['0'],
      rua: [],
      ruf: [],
    });
  });

  it('reads every tag, in any order and any case, with spaces and tabs around', () => {
    expect(
      read(
        'v=DMARC1;T=Y ;\tpsd = N; ASPF=S; adkim\t=\ts; fo=1:d:s; np=REJECT; sp=Quarantine; p=None; ruf=mailto:f@example.org,https://example.org/f; rua=mailto:a@example.org',
      ),
    ).toEqual({
      p: 'none',
      sp: 'quarantine',
      np: 'reject',
      adkim: 'strict',
      aspf: 'strict',
      psd: 'n',
      testing: true,
      fo: ['1', 'd', 's'],
      rua: ['mailto:a@example.org'],
      ruf: ['mailto:f@example.org', 'https://example.org/f'],
    });
  });

  it('drops the obsolete report size', () => {
    expect(read('v=DMARC1; p=none; rua=mailto:a@example.org!10m, mailto:b@example.org!5').rua).toEqual([
      'mailto:a@example.org',
      'mailto:b@example.org',
    ]);
  });
});

describe('RFC 9989 §4.8 what does not follow the grammar is passed over', () => {
  it.each([
    ['v=DMARC1; p=none; bogus', 'syntax bogus'],
    ['v=DMARC1; p=none; x-y=1', 'syntax x-y=1'],
    ['v=DMARC1; p=none; =1', 'syntax =1'],
    ['v=DMARC1; p=none; adkim=x', 'invalid adkim'],
    ['v=DMARC1; p=none; aspf=', 'invalid aspf'],
    ['v=DMARC1; p=none; psd=maybe', 'invalid psd'],
    ['v=DMARC1; p=none; t=1', 'invalid t'],
    ['v=DMARC1; p=none; fo=0:1', 'invalid fo'],
    ['v=DMARC1; p=none; fo=d:d', 'invalid fo'],
    ['v=DMARC1; p=none; rua=postmaster@example.org', 'invalid rua'],
    ['v=DMARC1; p=none; ruf=mailto:a@example.org!big', 'invalid ruf'],
    ['v=DMARC1; p=none; rua=mailto:a@example.org, b@example.org', 'invalid rua'],
    ['v=DMARC1; p=none; pct=50', 'historic pct'],
    ['v=DMARC1; p=none; future=1', 'unknown future'],
    ['v=DMARC1; p=none; v=DMARC1', 'repeated v'],
  ])('%s: %s', (text, fault) => {
    expect(faults(text)).toEqual([fault]);
    expect(read(text)).toMatchObject({ p: 'none', adkim: 'relaxed', psd: 'u', testing: false, fo: ['0'] });
  });

  it('counts no value of a tag that is repeated', () => {
    expect(read('v=DMARC1; p=none; aspf=s; aspf=s').aspf).toBe('relaxed');
    expect(parseDmarcRecord('v=DMARC1; p=reject; p=reject').kind).toBe('unusable');
    expect(parseDmarcRecord('v=DMARC1; p=reject; sp=none; sp=none').kind).toBe('unusable');
  });
});

describe('RFC 9989 §4.10.1 a record without a valid policy', () => {
  it.each([
    'v=DMARC1; rua=mailto:a@example.org',
    'v=DMARC1; p=bogus; sp=reject; rua=mailto:a@example.org',
    'v=DMARC1; p=reject; sp=bogus; rua=mailto:a@example.org',
    'v=DMARC1; p=reject; np=; rua=bogus,mailto:a@example.org',
  ])('%s is as p=none', (text) => {
    const parsed = parseDmarcRecord(text);
    expect(parsed).toMatchObject({ kind: 'usable', policyAssumed: true, record: { p: 'none' } });
    expect(parsed).not.toHaveProperty('record.sp');
    expect(parsed).not.toHaveProperty('record.np');
  });

  it.each(['v=DMARC1', 'v=DMARC1; p=bogus; ruf=mailto:a@example.org', 'v=DMARC1; p=reject; np=x; rua=bogus'])(
    '%s is not usable',
    (text) => {
      expect(parseDmarcRecord(text).kind).toBe('unusable');
    },
  );
});

describe('limits', () => {
  it('does not read a record above the limit', () => {
    const text = `v=DMARC1; p=reject; x=${'x'.repeat(dmarcLimits.recordLength)}`;
    expect(parseDmarcRecord(text)).toMatchObject({ kind: 'unusable', faults: [{ problem: 'too-long' }] });
    expect(parseDmarcRecord(text, { ...dmarcLimits, recordLength: text.length }).kind).toBe('usable');
  });

  it('takes a bounded number of reporting URIs', () => {
    const uris = Array.from({ length: dmarcLimits.reportingUris + 1 }, (_, index) => `mailto:${index}@example.org`);
    const text = `v=DMARC1; p=none; rua=${uris.join(',')}`;
    expect(read(text).rua).toEqual(uris.slice(0, -1));
    expect(faults(text)).toEqual(['too-many rua']);
  });
});

describe('formatDmarcRecord', () => {
  it('leaves out what is default', () => {
    expect(formatDmarcRecord(read('v=DMARC1; p=reject; adkim=r; psd=u; t=n; fo=0'))).toBe('v=DMARC1; p=reject');
  });

  it('writes every tag', () => {
    expect(
      formatDmarcRecord({
        p: 'reject',
        sp: 'quarantine',
        np: 'none',
        adkim: 'strict',
        aspf: 'strict',
        psd: 'n',
        testing: true,
        fo: ['d', '1'],
        rua: ['mailto:a@example.org', 'mailto:b%2Cc@example.org'],
        ruf: ['mailto:f@example.org'],
      }),
    ).toBe(
      'v=DMARC1; p=reject; sp=quarantine; np=none; adkim=s; aspf=s; psd=n; t=y; fo=d:1; rua=mailto:a@example.org,mailto:b%2Cc@example.org; ruf=mailto:f@example.org',
    );
  });

  it.each([
    'a@example.org',
    'mailto:a@example.org!10m',
    'mailto:a,b@example.org',
    'mailto:a@b.org; p=none',
    'mailto:ä@b.org',
  ])('refuses %j as a reporting URI', (uri) => {
    expect(() => formatDmarcRecord({ p: 'none', rua: [uri] })).toThrow(DmarcRecordError);
  });

  it('refuses failure options that exclude each other', () => {
    expect(() => formatDmarcRecord({ p: 'none', fo: ['0', '1'] })).toThrow(DmarcRecordError);
    expect(() => formatDmarcRecord({ p: 'none', fo: ['d', 'd'] })).toThrow(DmarcRecordError);
    expect(() => formatDmarcRecord({ p: 'none', fo: [] })).toThrow(DmarcRecordError);
  });
});
