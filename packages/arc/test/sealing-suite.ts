/** The sealing part of the public suite: its cases, and how we seal them. */
import { createPrivateKey } from 'node:crypto';
import { parseAuthenticationResults } from '@zegel/auth-results';
import type { AuthenticationResults } from '@zegel/auth-results';
import { createSigningKey } from '@zegel/dkim';
import { ZoneResolver } from '@zegel/dns';
import type { ZoneDeclaration } from '@zegel/dns';
import { fieldsNamed, fieldValue, parseMessage } from '@zegel/message';
import { loadConformance } from '@zegel/test-harness';
import { seal, verifyChain } from '../src/index.ts';
import type { ArcResult } from '../src/index.ts';

export interface SealingCase {
  readonly id: string;
  readonly message: string;
  readonly dns: ZoneDeclaration;
  readonly domain: string;
  readonly selector: string;
  readonly privateKey: string;
  readonly t: number;
  readonly sigHeaders: string;
  readonly srvId: string;
  /** Empty texts: must not be sealed. */
  readonly expect: { readonly AS: string; readonly AMS: string; readonly AAR: string };
}

export const sealingCases = loadConformance<{ readonly cases: readonly SealingCase[] }>('arc/sign.json').cases;

/** A case, sealed at its own time. */
export async function sealCase(
  entry: SealingCase,
): Promise<{ readonly chain: ArcResult; readonly fields: readonly string[]; readonly raw: Buffer }> {
  const message = Buffer.from(entry.message, 'utf8');
  const now = new Date(entry.t * 1000);
  const chain = await verifyChain(message, { resolver: new ZoneResolver(entry.dns), now });
  const fields = await seal(message, {
    key: createSigningKey({ ...entry, privateKey: createPrivateKey(entry.privateKey) }),
    authenticationResults: ownResults(message, entry.srvId),
    chain,
    now,
    fields: entry.sigHeaders.split(':'),
  });
  const raw = Buffer.concat([...fields, message]);
  return { chain, fields: fields.map((field) => Buffer.from(field).toString('latin1')), raw };
}

/** The suite has a sealer gather the fields of its own authserv-id; the verb is given the value. */
function ownResults(raw: Uint8Array, authservId: string): AuthenticationResults {
  const { header } = parseMessage(raw);
  const results = fieldsNamed(header, 'authentication-results')
    .map((field) => parseAuthenticationResults(fieldValue(header, field)))
    .flatMap((parsed) => (parsed.ok && parsed.value.authservId === authservId ? parsed.value.results : []));
  return { authservId, results };
}
