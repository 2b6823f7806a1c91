import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { parseHeader } from '@zegel/message';
import { describe, expect, it } from 'vitest';
import { bimiLimits } from '../src/index.ts';
import { readCertificateChain } from '../src/certificate-chain.ts';
import { readIndicator } from '../src/indicator.ts';
import { readSelector } from '../src/selector.ts';
import { makeAuthority } from './certificate.ts';
import { sampleSvg } from './indicator-sample.ts';

const root = makeAuthority('Root');
const below = makeAuthority('Below', root);

/** A text with some octets of it changed. */
const mutated = (text: Buffer) =>
  fc.array(fc.tuple(fc.nat(text.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }).map((changes) => {
    const bytes = Buffer.from(text);
    for (const [at, value] of changes) bytes[at] = value;
    return bytes;
  });

describe('what strangers write', () => {
  it('never makes the reader of an indicator throw', () => {
    const content = fc.oneof(
      mutated(sampleSvg),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    );
    fc.assert(
      fc.property(content, (bytes) => {
        expect(readIndicator(bytes, 1000).ok).toBeTypeOf('boolean');
      }),
    );
  });

  it('never makes the reader of a selector throw, nor gives a selector that is no name', () => {
    const tag = fc.constantFrom(
      'v=BIMI1',
      's=brand',
      's=a.b',
      'v',
      '=',
      ' ',
      '\t',
      ';',
      's=',
      'S=x',
      's=_',
      's=a..b',
      '\u00e9',
    );
    fc.assert(
      fc.property(
        fc.array(tag).map((parts) => parts.join(';')),
        (value) => {
          const selected = readSelector(parseHeader(Buffer.from(`BIMI-Selector: ${value}\r\n`)), bimiLimits);
          const name = selected.ok ? selected.selector : 'none';
          expect(name).toMatch(/^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/);
        },
      ),
    );
  });

  it('is no chain once a signed octet of it is changed', () => {
    const roots = [new X509Certificate(root.pem)];
    const pem = below.pem;
    expect(readCertificateChain(Buffer.from(pem), roots, 6).ok).toBe(true);
    const der = Buffer.from(pem.replaceAll(/-----[^-]+-----|\n/g, ''), 'base64');
    fc.assert(
      fc.property(mutated(der), (bytes) => {
        fc.pre(!bytes.equals(der));
        const changed = `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64')}\n-----END CERTIFICATE-----\n`;
        return !readCertificateChain(Buffer.from(changed), roots, 6).ok;
      }),
    );
  });
});
