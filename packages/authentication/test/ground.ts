import { generateKeyPairSync } from 'node:crypto';
import { createSigningKey, signMessage } from '@zegel/dkim';
import type { SigningKey } from '@zegel/dkim';
import { ZoneResolver } from '@zegel/dns';
import type { DnsAnswer, RecordType, Resolver, ZoneDeclaration } from '@zegel/dns';
import { authenticate } from '../src/index.ts';
import type { AuthenticationContext, AuthenticationOptions, AuthenticationResult } from '../src/index.ts';

/** The time of every test. */
export const now = new Date('2026-11-24T04:00:00Z');

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const keyRecord = `v=DKIM1; k=ed25519; p=${publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64')}`;

/** A domain of good name, the one whose name is misused, and the attacker's own. */
export const zone: ZoneDeclaration = {
  'example.com': { TXT: ['v=spf1 ip4:192.0.2.1 -all'] },
  's._domainkey.example.com': { TXT: [keyRecord] },
  '_dmarc.example.com': { TXT: ['v=DMARC1; p=reject'] },
  'mx.example.com': { TXT: ['v=spf1 ip4:192.0.2.1 -all'], A: ['192.0.2.1'] },
  '1.2.0.192.in-addr.arpa': { PTR: ['mx.example.com'] },
  'attack.test': { TXT: ['v=spf1 ip4:192.0.2.66 -all'] },
  's._domainkey.attack.test': { TXT: [keyRecord] },
  '_dmarc.attack.test': { TXT: ['v=DMARC1; p=none'] },
};

export const resolver = new ZoneResolver(zone);

export const keyFor = (domain: string): SigningKey => createSigningKey({ domain, selector: 's', privateKey });

export const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');

export const message = 'From: Ann <ann@example.com>\r\nSubject: Hi\r\n\r\nHello.\r\n';

export const session = { ip: '192.0.2.1', helo: 'mx.example.com' };
export const context: AuthenticationContext = { session, envelope: { mailFrom: 'ann@example.com' } };

export const options: AuthenticationOptions = { resolver, authservId: 'mx.example.net', now };

export async function signed(text = message, domain = 'example.com'): Promise<string> {
  const field = await signMessage(bytesOf(text), { keys: [keyFor(domain)], now });
  return Buffer.from(field).toString('latin1') + text;
}

export function check(
  text: string,
  changes: { readonly context?: AuthenticationContext; readonly options?: Partial<AuthenticationOptions> } = {},
): Promise<AuthenticationResult> {
  return authenticate(bytesOf(text), changes.context ?? context, { ...options, ...changes.options });
}

/** Answers nothing, ever. */
export const silent: Resolver = { resolve: () => new Promise(() => {}) };

/** Keeps what it was asked. */
export class RecordingResolver implements Resolver {
  readonly asked: string[] = [];

  resolve<T extends RecordType>(name: string, type: T): Promise<DnsAnswer<T>> {
    this.asked.push(`${name} ${type}`);
    return resolver.resolve(name, type);
  }
}
