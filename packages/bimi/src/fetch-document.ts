/**
 * Fetches what a stranger's DNS record points to, without letting that stranger choose whom we talk to.
 *
 * Only https, on port 443 and to a domain name. The name is looked up once, through our resolver; every address must
 * be public; and the connection goes to an address that was checked, so that a second answer (DNS rebinding) cannot
 * lead elsewhere. No proxy, no cookies, no connection kept for the next.
 */
import { Agent, request as sendRequest } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { LookupFunction } from 'node:net';
import type { Resolver } from '@zegel/dns';
import { normalizeDomain } from '@zegel/message';
import type { FetchFailure } from './fetch-failure.ts';
import type { BimiLimits } from './limits.ts';
import { isPublicAddress } from './public-address.ts';

/** Where fetches may go. The defaults are the public internet; others are for tests and closed networks. */
export interface FetchNetwork {
  /** Whether a connection may be made to an address. Default: {@link isPublicAddress}. */
  readonly allowsAddress?: (address: string) => boolean;
  /** Ports a URL may name. Default: 443. */
  readonly ports?: readonly number[];
  /** PEM of the authorities that vouch for web servers. Default: those of Node. */
  readonly authorities?: readonly string[];
}

/** What is asked for. */
export interface DocumentRequest {
  readonly url: string;
  /** Media types that will do, the preferred one first; `''` lets the server leave it out. */
  readonly mediaTypes: readonly string[];
  readonly maxBytes: number;
  readonly signal?: AbortSignal | undefined;
}

/** A document, or why there is none. `url` is the one that answered or failed, after redirects. */
export type FetchedDocument =
  | { readonly status: 'fetched'; readonly url: string; readonly body: Buffer }
  | { readonly status: 'failed'; readonly url: string; readonly failure: FetchFailure };

export type DocumentFetcher = (request: DocumentRequest) => Promise<FetchedDocument>;

/** What a fetcher needs. */
export interface FetcherOptions {
  readonly resolver: Resolver;
  readonly limits: BimiLimits;
  readonly network?: FetchNetwork | undefined;
}

interface CheckedAddress {
  readonly address: string;
  readonly family: number;
}

/** Ends the fetch with a failure; never leaves this file. */
class Failed extends Error {
  readonly failure: FetchFailure;

  constructor(failure: FetchFailure) {
    super(failure);
    this.failure = failure;
  }
}

const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const maxHeaderBytes = 16 * 1024;

/** Makes a fetcher with the guards described above. It never rejects for what a server or the DNS does. */
export function createDocumentFetcher(options: FetcherOptions): DocumentFetcher {
  return async (request) => {
    const deadline = AbortSignal.timeout(options.limits.fetchTime);
    const signal = request.signal ? AbortSignal.any([deadline, request.signal]) : deadline;
    let url = request.url;
    try {
      for (let redirects = 0; ; redirects++) {
        const target = checkUrl(url, options);
        const addresses = await checkAddresses(target.hostname, options, signal);
        const response = await connect(target, addresses, request, options, signal);
        try {
          const location = redirectTarget(response, target);
          if (location === undefined) return { status: 'fetched', url, body: await readBody(response, request) };
          if (redirects === options.limits.redirects) throw new Failed('redirects');
          url = location;
        } finally {
          response.destroy();
        }
      }
    } catch (error) {
      return { status: 'failed', url, failure: signal.aborted ? 'timeout' : readFailure(error) };
    }
  };
}

function checkUrl(text: string, { limits, network }: FetcherOptions): URL {
  if (text.length > limits.urlLength) throw new Failed('too-long');
  const url = URL.parse(text);
  if (url === null || url.protocol !== 'https:') throw new Failed('not-https');
  if (url.username !== '' || url.password !== '') throw new Failed('credentials');
  const host = normalizeDomain(url.hostname);
  // The URL parser has written every form of an IPv4 address (octal, hexadecimal, one number) as a dotted quad.
  if (host === null || !host.includes('.') || isIP(host) !== 0) throw new Failed('not-a-domain');
  const ports = network?.ports ?? [443];
  if (!ports.includes(url.port === '' ? 443 : Number(url.port))) throw new Failed('port');
  return url;
}

/**
 * Every address of the host, if all of them may be talked to: a host with one forbidden address is not to be trusted
 * with the others.
 */
async function checkAddresses(
  host: string,
  { resolver, limits, network }: FetcherOptions,
  signal: AbortSignal,
): Promise<readonly CheckedAddress[]> {
  const answers = await Promise.all([
    resolver.resolve(host, 'A', { signal }),
    resolver.resolve(host, 'AAAA', { signal }),
  ]);
  const addresses: CheckedAddress[] = [];
  for (const answer of answers) {
    if (answer.status !== 'found') continue;
    for (const address of answer.records) addresses.push({ address, family: isIP(address) });
  }
  const allows = network?.allowsAddress ?? isPublicAddress;
  if (!addresses.every(({ address }) => allows(address))) throw new Failed('not-public');
  if (addresses.length > 0) return addresses.slice(0, limits.addresses);
  throw new Failed(answers.some((answer) => answer.status === 'temporary-failure') ? 'dns' : 'no-address');
}

function connect(
  url: URL,
  addresses: readonly CheckedAddress[],
  { mediaTypes }: DocumentRequest,
  { network }: FetcherOptions,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const lookup: LookupFunction = (_host, { all }, callback) => {
    const [first] = addresses;
    if (all === true) callback(null, [...addresses]);
    else callback(null, first?.address ?? '', first?.family ?? 0);
  };
  return new Promise((resolve, reject) => {
    const request = sendRequest(url, {
      // Its own agent: the global one may be told to use a proxy, which would do the look-up again.
      agent: new Agent({ keepAlive: false }),
      lookup,
      signal,
      maxHeaderSize: maxHeaderBytes,
      // Said outright, since an environment variable can turn it off.
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      ...(network?.authorities !== undefined && { ca: [...network.authorities] }),
      headers: { accept: mediaTypes.filter((type) => type !== '').join(', '), 'accept-encoding': 'identity' },
    });
    request.on('response', resolve);
    request.on('error', reject);
    request.end();
  });
}

/** The place a response redirects to, or undefined when it is the document itself. */
function redirectTarget(response: IncomingMessage, url: URL): string | undefined {
  const status = response.statusCode ?? 0;
  if (status === 200) return undefined;
  if (redirectStatuses.has(status)) {
    const target = URL.parse(response.headers.location ?? '', url.href);
    if (response.headers.location === undefined || target === null) throw new Failed('redirects');
    return target.href;
  }
  throw new Failed(status >= 500 || status === 429 ? 'server' : 'status');
}

async function readBody(response: IncomingMessage, { mediaTypes, maxBytes }: DocumentRequest): Promise<Buffer> {
  const {
    'content-type': type = '',
    'content-encoding': coding = 'identity',
    'content-length': size,
  } = response.headers;
  const mediaType = type.replace(/;.*/s, '').replaceAll(/[ \t]/g, '').toLowerCase();
  if (!mediaTypes.includes(mediaType)) throw new Failed('content-type');
  // A packed indicator (SVGZ) is often sent as gzip whatever is asked for; it is told by its first octets.
  if (!['identity', 'gzip', 'x-gzip'].includes(coding.toLowerCase())) throw new Failed('content-encoding');
  if (Number(size ?? 0) > maxBytes) throw new Failed('too-large');
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    if (!Buffer.isBuffer(chunk)) throw new Failed('http');
    length += chunk.length;
    if (length > maxBytes) throw new Failed('too-large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * Node's errors: a name of the operating system is the network's, `HPE_…` the HTTP parser's, all others come from TLS. An
 * error without a code is none of a server's.
 */
function readFailure(error: unknown): FetchFailure {
  if (error instanceof Failed) return error.failure;
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) throw error;
  const { code } = error;
  if (code.startsWith('HPE_')) return 'http';
  return /^E[A-Z0-9]+$/.test(code) && code !== 'EPROTO' ? 'network' : 'tls';
}
