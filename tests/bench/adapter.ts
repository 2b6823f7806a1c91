/**
 * Zegel for benchmarks from outside: the calls a user would make, with default limits and every check, behind one object.
 *
 * Plain TypeScript that Node strips, so `import('…/tests/bench/adapter.ts')` is all it takes under Node 24.
 */
import { createPrivateKey } from 'node:crypto';
import { authenticate } from '@zegel/authentication';
import { createSigningKey, signMessage, verifyMessage } from '@zegel/dkim';
import { evaluateDmarc } from '@zegel/dmarc';
import { asBuffer, parseMessage, readAuthor } from '@zegel/message';
import { checkHost } from '@zegel/spf';
import packageJson from './package.json' with { type: 'json' };
import { NodeStyleResolver } from './src/node-style-resolver.ts';
import type { NodeStyleResolve } from './src/node-style-resolver.ts';

/** What a driver gives: one signing domain, a DNS in memory, and the session a message comes with. */
export interface BenchContext {
  readonly domain: string;
  readonly selector: string;
  /** PEM of an RSA key. */
  readonly privateKeyPem: string;
  /** PEM of an Ed25519 key. Its selector is `selector` with `-ed` behind it, unless `edSelector` says otherwise. */
  readonly edPrivateKeyPem?: string;
  readonly edSelector?: string;
  readonly resolver: NodeStyleResolve;
  readonly spf: { readonly ip: string; readonly helo: string; readonly sender: string };
}

/** One contestant. Booleans are true for a pass and false for everything else. */
export interface Bench {
  readonly name: string;
  readonly version: string;
  /** Signs with the RSA key, relaxed/relaxed: the DKIM-Signature field, CRLF ended. */
  sign(message: Buffer): Promise<Buffer>;
  /** Signs with both keys: two fields. */
  signDual(message: Buffer): Promise<Buffer>;
  /** DKIM alone: at least one signature, and each of them passes. */
  verify(message: Buffer): Promise<boolean>;
  /** SPF alone, for the session of the context. */
  spf(message: Buffer): Promise<boolean>;
  /**
   * DMARC alone: author, policy and alignment, for a message of which SPF has authenticated the sender's domain and DKIM
   * the signing domain.
   */
  dmarc(message: Buffer): Promise<boolean>;
  /** Everything: DKIM, SPF, DMARC, ARC, the client's name, and Authentication-Results. True when DMARC passes. */
  auth(message: Buffer): Promise<boolean>;
}

/** Reads the keys and keeps what a service would keep: key objects and DNS answers. */
export function createBench(context: BenchContext): Bench {
  const { domain, selector, spf: session } = context;
  const resolver = new NodeStyleResolver(context.resolver);
  const rsa = createSigningKey({ domain, selector, privateKey: createPrivateKey(context.privateKeyPem) });
  const ed25519 =
    context.edPrivateKeyPem === undefined
      ? undefined
      : createSigningKey({
          domain,
          selector: context.edSelector ?? `${selector}-ed`,
          privateKey: createPrivateKey(context.edPrivateKeyPem),
        });
  const rsaAlone = { keys: [rsa] };
  const both = { keys: ed25519 === undefined ? [rsa] : [rsa, ed25519] };
  const senderDomain = session.sender.slice(session.sender.lastIndexOf('@') + 1);
  const sessionContext = {
    session: { ip: session.ip, helo: session.helo },
    envelope: { mailFrom: session.sender },
  };

  return {
    name: 'zegel',
    version: packageJson.version,
    sign: async (message) => asBuffer(await signMessage(message, rsaAlone)),
    signDual: async (message) => asBuffer(await signMessage(message, both)),
    async verify(message) {
      const results = await verifyMessage(message, { resolver });
      return results.length > 0 && results.every(({ result }) => result === 'pass');
    },
    async spf() {
      const { ip, helo, sender } = session;
      const { result } = await checkHost({ ip, helo, mailFrom: sender, resolver });
      return result === 'pass';
    },
    async dmarc(message) {
      const author = readAuthor(parseMessage(message).header);
      if (!author.ok) return false;
      const { result } = await evaluateDmarc({
        authorDomains: author.domains,
        spf: { result: 'pass', domain: senderDomain },
        dkim: [{ result: 'pass', domain, selector }],
        resolver,
      });
      return result === 'pass';
    },
    async auth(message) {
      const { report } = await authenticate(message, sessionContext, { resolver, authservId: 'mx.example.net' });
      return report.dmarc.result === 'pass';
    },
  };
}
