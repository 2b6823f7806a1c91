import { ZoneResolver } from '@zegel/dns';
import type { ZoneDeclaration } from '@zegel/dns';
import { describe, expect, it } from 'vitest';
import { dmarcCodes } from '../src/codes.ts';
import { evaluateDmarc } from '../src/index.ts';
import type { DkimIdentifier, DmarcCode, SpfIdentifier } from '../src/index.ts';
import { policies } from './recording-resolver.ts';

interface Message {
  readonly authors?: readonly string[];
  readonly spf?: SpfIdentifier;
  readonly dkim?: DkimIdentifier;
  readonly zone: ZoneDeclaration;
}

const reject = policies({ 'example.com': 'v=DMARC1; p=reject' });
const pass = (domain: string) => ({ domain, result: 'pass' }) as const;

/** A message for each code; one that is forgotten here does not compile. */
const messages: Readonly<Record<DmarcCode, Message>> = {
  'dmarc.pass-both': { zone: reject, spf: pass('example.com'), dkim: pass('example.com') },
  'dmarc.pass-dkim': { zone: reject, dkim: pass('example.com') },
  'dmarc.pass-spf': { zone: reject, spf: pass('example.com') },
  'dmarc.not-aligned': { zone: reject, spf: pass('example.org') },
  'dmarc.not-authenticated': { zone: reject },
  'dmarc.no-record': { zone: {} },
  'dmarc.several-records': { zone: policies({ 'example.com': ['v=DMARC1; p=none', 'v=DMARC1; p=none'] }) },
  'dmarc.record-unusable': { zone: policies({ 'example.com': 'v=DMARC1' }) },
  'dmarc.policy-temporary-failure': { zone: policies({ 'example.com': 'SERVFAIL' }) },
  'dmarc.alignment-temporary-failure': {
    zone: policies({ 'example.com': 'v=DMARC1; p=reject', 'a.example.com': 'SERVFAIL' }),
    dkim: pass('a.example.com'),
  },
  'dmarc.identifier-temporary-error': { zone: reject, spf: { domain: 'example.com', result: 'temperror' } },
  'dmarc.existence-temporary-failure': {
    authors: ['a.example.com'],
    zone: { ...policies({ 'example.com': 'v=DMARC1; p=reject; np=none' }), 'a.example.com': 'TIMEOUT' },
  },
  'dmarc.no-author-domain': { authors: [], zone: reject },
  'dmarc.invalid-author-domain': { authors: ['[192.0.2.1]'], zone: reject },
  'dmarc.several-author-domains': { authors: ['example.com', 'example.org'], zone: reject },
};

describe('every code can be reached, and its texts are filled in', () => {
  for (const [code, { authors = ['example.com'], spf, dkim, zone }] of Object.entries(messages)) {
    it(`reaches ${code}`, async () => {
      const result = await evaluateDmarc({
        authorDomains: authors,
        spf,
        dkim: dkim ? [dkim] : [],
        resolver: new ZoneResolver(zone),
      });
      expect(result.code).toBe(code);
      expect(result.result).toBe(dmarcCodes[result.code].result);
      for (const text of [result.explanation, result.advice ?? 'none.']) {
        expect(text).not.toMatch(/[{}]|undefined|""|\s\s| [.,]/);
        expect(text).toMatch(/\.$|…$/);
      }
    });
  }
});
