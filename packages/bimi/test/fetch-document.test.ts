import { createServer } from 'node:net';
import { ZoneResolver } from '@zegel/dns';
import type { Resolver, ZoneDeclaration } from '@zegel/dns';
import { describe, expect, it, onTestFinished } from 'vitest';
import { bimiLimits, createDocumentFetcher } from '../src/index.ts';
import type { BimiLimits, FetchedDocument, FetchNetwork } from '../src/index.ts';
import { sampleSvg } from './indicator-sample.ts';
import { redirect, serve, startWebServer, webAuthority } from './web-server.ts';
import type { Handler, WebServer } from './web-server.ts';

const loopback: ZoneDeclaration = {
  'www.example.com': { A: ['127.0.0.1'] },
  'other.example.com': { A: ['127.0.0.1'] },
};

interface Setting extends FetchNetwork {
  readonly resolver?: Resolver;
  readonly limits?: Partial<BimiLimits>;
  readonly signal?: AbortSignal;
}

/** Fetches with the guards of production, except for what a setting opens. */
function get(url: string, { resolver = new ZoneResolver(loopback), limits, signal, ...network }: Setting = {}) {
  const fetchDocument = createDocumentFetcher({ resolver, limits: { ...bimiLimits, ...limits }, network });
  return fetchDocument({ url, mediaTypes: ['image/svg+xml'], maxBytes: 1000, signal });
}

async function serverOf(
  paths: Readonly<Record<string, Handler>>,
  options?: { address?: string; port?: number },
): Promise<WebServer> {
  const server = await startWebServer(paths, options);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

/** Opens the loopback server to fetches, and nothing else. */
const opened = ({ port }: WebServer, setting: Setting = {}): Setting => ({
  allowsAddress: (address) => address === '127.0.0.1',
  ports: [port],
  authorities: [webAuthority.pem],
  ...setting,
});

const failure = (document: FetchedDocument) => (document.status === 'failed' ? document.failure : document.status);

describe('a document over https', () => {
  it('is fetched from the address that our resolver gave', async () => {
    const server = await serverOf({ '/logo.svg': serve('image/svg+xml; charset=utf-8', sampleSvg) });
    const url = `https://www.example.com:${server.port}/logo.svg`;
    expect(await get(url, opened(server))).toEqual({ status: 'fetched', url, body: sampleSvg });
  });

  it('may be one redirect away, on any host that is allowed', async () => {
    const server = await serverOf({
      '/once': (request, response) => redirect(`https://other.example.com:${server.port}/logo.svg`)(request, response),
      '/relative': redirect('/logo.svg'),
      '/twice': redirect('/relative'),
      '/nowhere': (_request, response) => response.writeHead(302).end(),
      '/logo.svg': serve('image/svg+xml', sampleSvg),
    });
    const base = `https://www.example.com:${server.port}`;
    expect(await get(`${base}/once`, opened(server))).toMatchObject({
      status: 'fetched',
      url: `https://other.example.com:${server.port}/logo.svg`,
    });
    expect(failure(await get(`${base}/relative`, opened(server)))).toBe('fetched');
    expect(failure(await get(`${base}/twice`, opened(server)))).toBe('redirects');
    expect(failure(await get(`${base}/nowhere`, opened(server)))).toBe('redirects');
  });
});

describe('request forgery', () => {
  it('takes no URL but https, to a domain name, on port 443', async () => {
    for (const [url, expected] of [
      ['http://www.example.com/', 'not-https'],
      ['file:///etc/passwd', 'not-https'],
      ['data:image/svg+xml,x', 'not-https'],
      ['gopher://www.example.com/', 'not-https'],
      ['https:', 'not-https'],
      ['https://user:secret@www.example.com/', 'credentials'],
      ['https://127.0.0.1/', 'not-a-domain'],
      ['https://0x7f.1/', 'not-a-domain'],
      ['https://2130706433/', 'not-a-domain'],
      ['https://017700000001/', 'not-a-domain'],
      ['https://8.8.8.8/', 'not-a-domain'],
      ['https://[::1]/', 'not-a-domain'],
      ['https://[::ffff:169.254.169.254]/', 'not-a-domain'],
      ['https://localhost/', 'not-a-domain'],
      ['https://metadata/', 'not-a-domain'],
      ['https://www.example.com:22/', 'port'],
      ['https://www.example.com:6379/', 'port'],
      [`https://www.example.com/${'a'.repeat(3000)}`, 'too-long'],
    ]) {
      expect(failure(await get(url!)), url).toBe(expected);
    }
  });

  it('refuses every class of address that is not public, also beside a public one', async () => {
    const addresses = {
      A: [
        '0.0.0.0',
        '10.0.0.1',
        '100.64.0.1',
        '127.0.0.1',
        '169.254.169.254',
        '172.16.0.1',
        '192.0.2.1',
        '192.168.0.1',
        '198.18.0.1',
        '224.0.0.1',
        '255.255.255.255',
      ],
      AAAA: [
        '::',
        '::1',
        '::ffff:127.0.0.1',
        '64:ff9b::7f00:1',
        '2002:7f00:1::',
        '2001:db8::1',
        'fc00::1',
        'fe80::1',
        'ff02::1',
      ],
    };
    for (const [type, list] of Object.entries(addresses)) {
      for (const address of list) {
        const alone = new ZoneResolver({ 'www.example.com': { [type]: [address] } });
        expect(failure(await get('https://www.example.com/', { resolver: alone })), address).toBe('not-public');
        const beside = new ZoneResolver({
          'www.example.com': { A: ['8.8.8.8'], [type]: type === 'A' ? ['8.8.8.8', address] : [address] },
        });
        expect(failure(await get('https://www.example.com/', { resolver: beside })), address).toBe('not-public');
      }
    }
  });

  it('refuses an alias that leads inside', async () => {
    const resolver = new ZoneResolver({
      'www.example.com': { CNAME: ['metadata.internal.example'] },
      'metadata.internal.example': { A: ['169.254.169.254'] },
    });
    expect(failure(await get('https://www.example.com/', { resolver }))).toBe('not-public');
  });

  it('connects to the address that was checked when the next answer is another (DNS rebinding)', async () => {
    const outside = await serverOf(
      { '/': serve('image/svg+xml', sampleSvg), '/again': redirect('/') },
      { address: '127.0.0.2' },
    );
    const inside = await serverOf(
      { '/': serve('image/svg+xml', sampleSvg) },
      { address: '127.0.0.3', port: outside.port },
    );
    let asked = 0;
    const rebinding: Resolver = {
      resolve: (name, type, options) => {
        const address = type === 'A' && asked++ > 0 ? '127.0.0.3' : '127.0.0.2';
        return new ZoneResolver({ 'www.example.com': { A: [address] } }).resolve(name, type, options);
      },
    };
    const setting = opened(outside, { resolver: rebinding, allowsAddress: (address) => address === '127.0.0.2' });
    const base = `https://www.example.com:${outside.port}`;
    expect(failure(await get(`${base}/`, setting))).toBe('fetched');
    expect(asked).toBe(1);
    expect(failure(await get(`${base}/`, setting))).toBe('not-public');
    asked = 0;
    // A redirect to the same host is a new look-up, and a new check.
    expect(failure(await get(`${base}/again`, setting))).toBe('not-public');
    expect(inside.connections()).toBe(0);
  });

  it('checks where a redirect leads as it checked the first URL', async () => {
    const targets = [
      ['http://169.254.169.254/latest/meta-data/', 'not-https'],
      ['https://169.254.169.254/', 'not-a-domain'],
      ['https://inside.example.com/', 'port'],
      ['file:///etc/passwd', 'not-https'],
      ['//user@www.example.com/', 'credentials'],
    ] as const;
    const server = await serverOf(Object.fromEntries(targets.map(([to], index) => [`/${index}`, redirect(to)])));
    for (const [index, [to, expected]] of targets.entries()) {
      const document = await get(`https://www.example.com:${server.port}/${index}`, opened(server));
      expect(document, to).toMatchObject({ status: 'failed', failure: expected });
    }
    const inside = await serverOf({ '/': redirect(`https://inside.example.com:${server.port}/`) });
    const resolver = new ZoneResolver({ ...loopback, 'inside.example.com': { A: ['10.0.0.1'] } });
    const setting = opened(inside, { resolver, ports: [inside.port, server.port] });
    expect(failure(await get(`https://www.example.com:${inside.port}/`, setting))).toBe('not-public');
  });
});

const endless: Handler = (_request, response) => {
  response.writeHead(200, { 'content-type': 'image/svg+xml' });
  const chunk = Buffer.alloc(16 * 1024, 0x20);
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', more);
  more();
};

describe('hostile web servers', () => {
  it('sends more than the limit, announced or not', async () => {
    const server = await serverOf({
      '/announced': serve('image/svg+xml', Buffer.alloc(1001), { 'content-length': '1001' }),
      '/endless': endless,
      '/limit': serve('image/svg+xml', Buffer.alloc(1000)),
    });
    const base = `https://www.example.com:${server.port}`;
    expect(failure(await get(`${base}/announced`, opened(server)))).toBe('too-large');
    expect(failure(await get(`${base}/endless`, opened(server)))).toBe('too-large');
    expect(failure(await get(`${base}/limit`, opened(server)))).toBe('fetched');
  });

  it('never answers, or never ends', async () => {
    const server = await serverOf({
      '/silent': () => undefined,
      '/slow': (_request, response) => response.writeHead(200, { 'content-type': 'image/svg+xml' }).write('<svg'),
    });
    for (const path of ['/silent', '/slow']) {
      const url = `https://www.example.com:${server.port}${path}`;
      expect(failure(await get(url, opened(server, { limits: { fetchTime: 300 } }))), path).toBe('timeout');
      expect(failure(await get(url, opened(server, { signal: AbortSignal.timeout(300) }))), path).toBe('timeout');
    }
  });

  it('does not finish the TLS handshake', async () => {
    const mute = createServer(() => undefined);
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void mute.close());
    const bound = mute.address();
    const port = bound !== null && typeof bound === 'object' ? bound.port : 0;
    const setting: Setting = { allowsAddress: () => true, ports: [port], limits: { fetchTime: 300 } };
    expect(failure(await get(`https://www.example.com:${port}/`, setting))).toBe('timeout');
  });

  it('sends something else than was asked for', async () => {
    const server = await serverOf({
      '/html': serve('text/html', '<svg/>'),
      '/untyped': (_request, response) => response.writeHead(200).end('<svg/>'),
      '/lookalike': serve('image/svg+xml-not', '<svg/>'),
      '/brotli': serve('image/svg+xml', 'x', { 'content-encoding': 'br' }),
      '/500': (_request, response) => response.writeHead(500).end(),
      '/429': (_request, response) => response.writeHead(429).end(),
      '/204': (_request, response) => response.writeHead(204).end(),
      '/garbage': (request) => request.socket.end('SSH-2.0-OpenSSH\r\n\r\n'),
      '/hangup': (request) => request.socket.destroy(),
      '/header': (_request, response) => response.writeHead(200, { 'x-large': 'a'.repeat(20_000) }).end(),
    });
    const expected = {
      '/html': 'content-type',
      '/untyped': 'content-type',
      '/lookalike': 'content-type',
      '/brotli': 'content-encoding',
      '/404': 'status',
      '/500': 'server',
      '/429': 'server',
      '/204': 'status',
      '/garbage': 'http',
      '/hangup': 'network',
      '/header': 'http',
    };
    for (const [path, word] of Object.entries(expected)) {
      expect(failure(await get(`https://www.example.com:${server.port}${path}`, opened(server))), path).toBe(word);
    }
  });

  it('has a certificate nobody trusts, or one for another name', async () => {
    const server = await serverOf({ '/': serve('image/svg+xml', sampleSvg) });
    const { port } = server;
    expect(failure(await get(`https://www.example.com:${port}/`, opened(server, { authorities: [] })))).toBe('tls');
    const resolver = new ZoneResolver({ 'wrong.example.com': { A: ['127.0.0.1'] } });
    expect(failure(await get(`https://wrong.example.com:${port}/`, opened(server, { resolver })))).toBe('tls');
    expect(server.asked).toEqual([]);
  });

  it('is not blamed for what is broken on our side', async () => {
    const resolver: Resolver = { resolve: () => Promise.reject(new Error('broken')) };
    await expect(get('https://www.example.com/', { resolver })).rejects.toThrow('broken');
  });

  it('is not there', async () => {
    const server = await startWebServer({});
    const setting = opened(server);
    await server[Symbol.asyncDispose]();
    const url = `https://www.example.com:${server.port}/`;
    expect(failure(await get(url, setting))).toBe('network');
    expect(failure(await get(url, { ...setting, resolver: new ZoneResolver({}) }))).toBe('no-address');
    const failing = new ZoneResolver({ 'www.example.com': 'SERVFAIL' });
    expect(failure(await get(url, { ...setting, resolver: failing }))).toBe('dns');
  });
});
