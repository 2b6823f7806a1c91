import { gzipSync } from 'node:zlib';
import { ZoneResolver } from '@zegel/dns';
import type { ZoneDeclaration } from '@zegel/dns';
import { parseHeader } from '@zegel/message';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bimiCodes, createBimiCheck } from '../src/index.ts';
import type { BimiCode, BimiDmarc, BimiOptions, BimiVerdict } from '../src/index.ts';
import { bundledMarkRoots } from '../src/mark-roots.ts';
import { makeAuthority, makeMarkCertificate } from './certificate.ts';
import type { MarkOptions } from './certificate.ts';
import { sampleSvg } from './indicator-sample.ts';
import { serve, startWebServer, webAuthority } from './web-server.ts';
import type { Handler, WebServer } from './web-server.ts';

const markRoot = makeAuthority('Mark Authority');
const markIntermediate = makeAuthority('Mark Issuer', markRoot);
/** The same name, another key. */
const impostor = makeAuthority('Mark Issuer');
const pretender = makeAuthority('Pretender', markIntermediate, false);
const now = new Date('2026-06-01T12:00:00Z');

const bundle = (options: Partial<MarkOptions> = {}, issuer = markIntermediate) =>
  makeMarkCertificate({ svg: sampleSvg, ...options }, issuer) + markIntermediate.pem;
const pem = (text: string) => serve('application/pem-certificate-chain', text);
const svg = (text: string | Buffer) => serve('image/svg+xml', text);
const svgOf = (inside: string) => svg(sampleSvg.toString().replace('</svg>', `${inside}</svg>`));

const paths: Readonly<Record<string, Handler>> = {
  '/logo.svg': svg(sampleSvg),
  '/logo.svgz': svg(gzipSync(sampleSvg)),
  '/bomb.svgz': svg(gzipSync(Buffer.alloc(8 * 1024 * 1024, 0x20))),
  '/broken.svgz': svg(gzipSync(sampleSvg).subarray(0, 40)),
  '/other.svg': svg(sampleSvg.toString().replace('#c30', '#0c3')),
  '/tiny.svg': svg(sampleSvg.toString().replace('tiny-ps', 'tiny')),
  '/script.svg': svgOf('<script>1</script>'),
  '/prefixed-script.svg': svgOf('<svg:script>1</svg:script>'),
  '/image.svg': svgOf('<image href="#a"/>'),
  '/event.svg': svgOf('<g onload="go()"/>'),
  '/link.svg': svgOf('<use href="https://tracker.example/"/>'),
  '/xlink.svg': svgOf("<use xlink:href = '//tracker.example/'/>"),
  '/style.svg': svgOf('<g style="fill:url( https://tracker.example/)"/>'),
  '/entity.svg': svg(`<!DOCTYPE svg [<!ENTITY a "aaaaaaaa">]>${sampleSvg.toString()}`),
  '/inner.svg': svgOf('<defs><g id="a"/></defs><use href="#a" fill="url(#a)"/>'),
  '/busy': (_request, response) => response.writeHead(503).end(),
  '/vmc.pem': pem(bundle()),
  '/cmc.pem': pem(bundle({ mark: 'Prior Use Mark' })),
  '/root-only.pem': pem(makeMarkCertificate({ svg: sampleSvg }, markRoot)),
  '/with-root.pem': pem(bundle() + markRoot.pem),
  '/forged.pem': pem(bundle({}, impostor)),
  '/forged-root.pem': pem(makeMarkCertificate({ svg: sampleSvg }, makeAuthority('Mark Authority'))),
  '/self-signed.pem': pem(makeMarkCertificate({ svg: sampleSvg }, impostor) + impostor.pem),
  '/expired.pem': pem(bundle({ validTo: new Date('2026-05-31T00:00:00Z') })),
  '/web.pem': pem(bundle({ purpose: '1.3.6.1.5.5.7.3.1' })),
  '/not-an-authority.pem': pem(
    makeMarkCertificate({ svg: sampleSvg }, pretender) + pretender.pem + markIntermediate.pem,
  ),
  '/long.pem': pem(bundle() + markIntermediate.pem.repeat(6)),
  '/cut.pem': pem(bundle().slice(0, -40)),
  '/empty.pem': pem('no certificate'),
  '/junk.pem': pem('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
  '/begins.pem': pem('-----BEGIN CERTIFICATE-----'.repeat(9000)),
  '/stranger.pem': pem(bundle({ domains: ['example.org'] })),
  '/selector.pem': pem(bundle({ domains: ['default._bimi.example.com'] })),
  '/no-mark.pem': pem(bundle({ withoutMark: true })),
  '/wrong-hash.pem': pem(bundle({ hashed: Buffer.from('another image') })),
  '/png.pem': pem(bundle({ mediaType: 'image/png' })),
};

let server: WebServer;
beforeAll(async () => {
  server = await startWebServer(paths);
});
afterAll(() => server[Symbol.asyncDispose]());

const enforced: BimiDmarc = {
  result: 'pass',
  authorDomain: 'example.com',
  organizationalDomain: 'example.com',
  policy: { domain: 'example.com', record: 'v=DMARC1; p=reject', p: 'reject', testing: false },
};
const atSubdomain: BimiDmarc = { ...enforced, authorDomain: 'news.example.com' };

interface Message {
  readonly dmarc?: BimiDmarc;
  readonly header?: string;
  /** The TXT records at the default selector of example.com; `$` stands for the web server. */
  readonly record?: string | readonly string[];
  readonly zone?: ZoneDeclaration;
  readonly signal?: AbortSignal;
  readonly options?: Partial<BimiOptions>;
}

async function check({ dmarc = enforced, header, record, zone = {}, signal, options }: Message): Promise<BimiVerdict> {
  const base = `https://www.example.com:${server.port}`;
  const texts = (record === undefined ? [] : [record].flat()).map((text) => text.replaceAll('$', base));
  const resolver = new ZoneResolver({
    'www.example.com': { A: ['127.0.0.1'] },
    ...(texts.length > 0 && { 'default._bimi.example.com': { TXT: texts } }),
    ...zone,
  });
  const bimi = createBimiCheck({
    resolver,
    findOrganizationalDomain: async () => ({ status: 'found', domain: 'example.com' }),
    network: {
      allowsAddress: (address) => address === '127.0.0.1',
      ports: [server.port],
      authorities: [webAuthority.pem],
    },
    markRoots: [markRoot.pem],
    now: () => now,
    ...options,
  });
  return bimi({ header: parseHeader(Buffer.from(header ?? 'From: a@example.com\r\n')), dmarc, signal });
}

const logo = 'v=BIMI1; l=$/logo.svg; a=';
const withMark = (path: string) => `v=BIMI1; l=$/logo.svg; a=$${path}`;
const policy = (change: object): BimiDmarc => ({ ...enforced, policy: { ...enforced.policy!, ...change } });
const selector = (value: string) => `From: a@example.com\r\nBIMI-Selector: ${value}\r\n`;

/** What is wrong with each. */
const invalidIndicators = {
  '/tiny.svg': /Tiny PS/,
  '/script.svg': /more than draw/,
  '/prefixed-script.svg': /more than draw/,
  '/image.svg': /more than draw/,
  '/event.svg': /event attribute/,
  '/link.svg': /outside/,
  '/xlink.svg': /outside/,
  '/style.svg': /outside/,
  '/entity.svg': /entities/,
  '/bomb.svgz': /unpacked/,
  '/broken.svgz': /unpacked/,
};
const invalidCertificates = {
  '/forged.pem': /not signed/,
  '/forged-root.pem': /trusted/,
  '/self-signed.pem': /trusted/,
  '/expired.pem': /expired/,
  '/web.pem': /Extended Key Usage/,
  '/not-an-authority.pem': /not a certificate authority/,
  '/long.pem': /too long/,
  '/cut.pem': /cut off/,
  '/empty.pem': /no certificate in PEM/,
  '/junk.pem': /no certificate/,
  '/begins.pem': /cut off/,
};

/** Messages for each code; one that is forgotten here does not compile. */
const messages: Readonly<Record<BimiCode, Readonly<Record<string, Message>>>> = {
  'bimi.pass-evidence': {
    'a registered mark': { record: withMark('/vmc.pem') },
    'a packed indicator': { record: 'v=BIMI1; l=$/logo.svgz; a=$/vmc.pem' },
    'a chain without intermediates': { record: withMark('/root-only.pem') },
    'a chain that ends in the root': { record: withMark('/with-root.pem') },
    'a certificate for the selector': { record: withMark('/selector.pem') },
  },
  'bimi.pass-no-evidence': {
    'an empty a=': { record: logo },
    'no a=': { record: 'v=BIMI1; l=$/logo.svg' },
    'other texts beside the record': { record: ['site-verification=1', logo] },
    'a packed indicator': { record: 'v=BIMI1; l=$/logo.svgz;' },
    'references within the image': { record: 'v=BIMI1; l=$/inner.svg;' },
    'the record of the organization': { dmarc: atSubdomain, record: logo },
    'a selector of its own': {
      header: selector('v=BIMI1; s=brand'),
      zone: { 'brand._bimi.example.com': { CNAME: ['default._bimi.example.com'] } },
      record: logo,
    },
    'a folded selector': { header: selector('v=BIMI1;\r\n\ts = default ;'), record: logo },
  },
  'bimi.declined': { 'empty l= and a=': { record: 'v=BIMI1; l=; a=;' } },
  'bimi.no-record': {
    'no name': {},
    'only other texts': { record: 'v=spf1 -all' },
    'a selector that does not exist does not fall back': { header: selector('v=BIMI1; s=brand'), record: logo },
  },
  'bimi.dmarc-not-passed': {
    fail: { dmarc: { ...enforced, result: 'fail' }, record: logo },
    'no policy': { dmarc: { result: 'none', authorDomain: 'example.com' }, record: logo },
    'no author': { dmarc: { result: 'permerror' }, record: logo },
  },
  'bimi.dmarc-not-enforced': {
    'p=none': { dmarc: policy({ p: 'none', record: 'v=DMARC1; p=none' }), record: logo },
    'sp=none': { dmarc: policy({ sp: 'none', record: 'v=DMARC1; p=reject; sp=none' }), record: logo },
    't=y': { dmarc: policy({ testing: true, record: 'v=DMARC1; p=reject; t=y' }), record: logo },
    pct: { dmarc: policy({ p: 'quarantine', record: 'v=DMARC1; p=quarantine; pct=50' }), record: logo },
    'an organizational domain that does not': {
      dmarc: { ...atSubdomain, policy: { ...enforced.policy!, domain: 'news.example.com' } },
      zone: { '_dmarc.example.com': { TXT: ['v=DMARC1; p=none'] } },
      record: logo,
    },
  },
  'bimi.several-authors': {
    'two addresses': { header: 'From: a@example.com, b@example.com\r\n', record: logo },
    'two fields': { header: 'From: a@example.com\r\nFrom: a@example.com\r\n', record: logo },
  },
  'bimi.selector-invalid': {
    'two fields': { header: `${selector('v=BIMI1; s=a')}BIMI-Selector: v=BIMI1; s=b\r\n`, record: logo },
    'no version': { header: selector('s=default'), record: logo },
    'another version': { header: selector('v=BIMI2; s=default'), record: logo },
    'the version in lower case': { header: selector('v=bimi1; s=default'), record: logo },
    'no selector': { header: selector('v=BIMI1;'), record: logo },
    'two selectors': { header: selector('v=BIMI1; s=default; s=default'), record: logo },
    'no name': { header: selector('v=BIMI1; s=../..'), record: logo },
    'a label that is too long': { header: selector(`v=BIMI1; s=${'a'.repeat(64)}`), record: logo },
    'a field that is too long': { header: selector(`v=BIMI1; s=default;${' \r\n '.repeat(20_000)}`), record: logo },
  },
  'bimi.several-records': { two: { record: [logo, logo] } },
  'bimi.record-too-long': { '5,000 characters': { record: `${logo};x=${'x'.repeat(5000)}` } },
  'bimi.record-unusable': {
    'no l=': { record: 'v=BIMI1; a=$/vmc.pem' },
    'http in l=': { record: 'v=BIMI1; l=http://www.example.com/logo.svg' },
    'http in a=': { record: 'v=BIMI1; l=$/logo.svg; a=http://www.example.com/vmc.pem' },
    'no URL': { record: 'v=BIMI1; l=logo.svg' },
  },
  'bimi.dns-temporary-failure': {
    'of the record': { zone: { 'default._bimi.example.com': 'SERVFAIL' } },
    'of the organization': {
      dmarc: { ...enforced, organizationalDomain: undefined } as unknown as BimiDmarc,
      options: { findOrganizationalDomain: async () => ({ status: 'temporary-failure', name: '_dmarc.com' }) },
      record: logo,
    },
    'of the policy of the organization': {
      dmarc: { ...atSubdomain, policy: { ...enforced.policy!, domain: 'news.example.com' } },
      zone: { '_dmarc.example.com': 'TIMEOUT' },
      record: logo,
    },
    'when there is no time left': { record: logo, signal: AbortSignal.abort() },
  },
  'bimi.location-refused': {
    'an address inside': {
      record: 'v=BIMI1; l=https://inside.example.com/logo.svg',
      zone: { 'inside.example.com': { A: ['10.0.0.1'] } },
      options: { network: {} },
    },
    'a certificate inside': {
      record: 'v=BIMI1; l=$/logo.svg; a=https://169.254.169.254/latest/meta-data/',
    },
    'another port': { record: 'v=BIMI1; l=https://www.example.com:22/logo.svg' },
  },
  'bimi.document-unavailable': {
    'no indicator': { record: 'v=BIMI1; l=$/no.svg' },
    'no certificate': { record: withMark('/no.pem') },
    'a certificate as indicator': { record: 'v=BIMI1; l=$/vmc.pem' },
    'an indicator as certificate': { record: withMark('/logo.svg') },
  },
  'bimi.document-temporary-failure': {
    'a busy server': { record: 'v=BIMI1; l=$/busy' },
    'a busy server of certificates': { record: withMark('/busy') },
  },
  'bimi.indicator-invalid': Object.fromEntries(
    Object.keys(invalidIndicators).map((path) => [path, { record: `v=BIMI1; l=$${path}; a=$/vmc.pem` }]),
  ),
  'bimi.certificate-invalid': Object.fromEntries(
    Object.keys(invalidCertificates).map((path) => [path, { record: withMark(path) }]),
  ),
  'bimi.certificate-domain-mismatch': { 'another domain': { record: withMark('/stranger.pem') } },
  'bimi.certificate-mark-invalid': {
    'no mark': { record: withMark('/no-mark.pem') },
    'a hash of another image': { record: withMark('/wrong-hash.pem') },
    'a mark that is no SVG': { record: withMark('/png.pem') },
  },
  'bimi.indicator-mismatch': { 'another image': { record: 'v=BIMI1; l=$/other.svg; a=$/vmc.pem' } },
};

describe('every code can be reached, and its texts are filled in', () => {
  for (const [code, cases] of Object.entries(messages)) {
    for (const [name, message] of Object.entries(cases)) {
      it(`${code}: ${name}`, async () => {
        const verdict = await check(message);
        expect(verdict).toMatchObject({ code });
        expect(verdict.result).toBe(bimiCodes[verdict.code].result);
        for (const text of [verdict.explanation, verdict.advice ?? 'none.']) {
          expect(text).not.toMatch(/[{}]|undefined|\s\s| [.,]|(?<!\w)\?/);
          expect(text).toMatch(/\.$/);
        }
      });
    }
  }
});

describe('what a verdict rests on', () => {
  it('names the record, the documents and the certificate', async () => {
    const verdict = await check({ record: withMark('/vmc.pem'), dmarc: atSubdomain });
    const base = `https://www.example.com:${server.port}`;
    expect(verdict).toMatchObject({
      result: 'pass',
      domain: 'example.com',
      selector: 'default',
      location: `${base}/logo.svg`,
      authority: `${base}/vmc.pem`,
      authorityResult: 'pass',
      evidence: {
        dnsName: 'default._bimi.example.com',
        record: `v=BIMI1; l=${base}/logo.svg; a=${base}/vmc.pem`,
        ttl: 300,
        indicator: { bytes: sampleSvg.length },
        vmc: {
          type: 'VMC',
          mark: 'Registered Mark',
          organization: 'Example Corporation',
          issuer: 'Mark Issuer',
          domains: ['example.com'],
          validTo: '2049-01-01T00:00:00.000Z',
        },
      },
    });
    expect(verdict.explanation).toBe(
      'The indicator of example.com is valid, and a mark certificate of Mark Issuer vouches for it.',
    );
  });

  it('tells a mark without a trademark', async () => {
    const { evidence } = await check({ record: withMark('/cmc.pem') });
    expect(evidence.vmc).toMatchObject({ type: 'CMC', mark: 'Prior Use Mark' });
  });

  it('says authority=fail for a certificate that is not valid, and none for one that was not had', async () => {
    expect((await check({ record: withMark('/forged.pem') })).authorityResult).toBe('fail');
    expect((await check({ record: withMark('/busy') })).authorityResult).toBe('none');
    expect((await check({ record: logo })).authorityResult).toBe('none');
  });

  it('says what is wrong with an indicator or a certificate', async () => {
    for (const [path, reason] of Object.entries(invalidIndicators)) {
      expect((await check({ record: `v=BIMI1; l=$${path}` })).evidence.reason, path).toMatch(reason);
    }
    for (const [path, reason] of Object.entries(invalidCertificates)) {
      expect((await check({ record: withMark(path) })).evidence.reason, path).toMatch(reason);
    }
  });

  it('says where a fetch ended', async () => {
    const { evidence } = await check({ record: 'v=BIMI1; l=$/no.svg' });
    const url = `https://www.example.com:${server.port}/no.svg`;
    expect(evidence.fetchFailure).toEqual({ url, failure: 'status' });
  });
});

describe('what is asked and fetched', () => {
  it('is nothing before DMARC has passed under an enforced policy', async () => {
    const asked: string[] = [];
    const before = server.asked.length;
    const resolver: BimiOptions['resolver'] = {
      resolve: async (name) => {
        asked.push(name);
        return { status: 'nxdomain', ttl: 0, authentic: false, cnames: [] };
      },
    };
    for (const dmarc of [{ ...enforced, result: 'fail' }, policy({ p: 'none' }), policy({ testing: true })]) {
      await check({ dmarc, record: logo, options: { resolver } });
    }
    expect(asked).toEqual([]);
    expect(server.asked.length).toBe(before);
  });

  it('is one name and one document for a record without evidence', async () => {
    const asked: string[] = [];
    const zone = new ZoneResolver({ 'default._bimi.example.com': { TXT: ['v=BIMI1; l=https://www.example.com/'] } });
    const resolver: BimiOptions['resolver'] = {
      resolve: (name, type, options) => {
        asked.push(`${name} ${type}`);
        return zone.resolve(name, type, options);
      },
    };
    await check({ options: { resolver, network: {} } });
    expect(asked).toEqual(['default._bimi.example.com TXT', 'www.example.com A', 'www.example.com AAAA']);
  });
});

describe('the mark roots', () => {
  const options = {
    resolver: new ZoneResolver({}),
    findOrganizationalDomain: async () => ({ status: 'invalid-domain' }) as const,
  };

  it('are those of mailauth unless others are named', async () => {
    const header = parseHeader(Buffer.from('From: a@example.com\r\n'));
    expect(await createBimiCheck(options)({ header, dmarc: enforced })).toMatchObject({ result: 'none' });
    const issuers = bundledMarkRoots().map((root) => root.subject);
    expect(issuers.some((subject) => subject.includes('DigiCert Verified Mark Root CA'))).toBe(true);
  });

  it('must be certificates', () => {
    expect(() => createBimiCheck({ ...options, markRoots: ['nonsense'] })).toThrow(/PEM/);
  });
});
