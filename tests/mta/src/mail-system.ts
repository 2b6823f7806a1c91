import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { formatZoneRecord, signMessage, verifyMessage } from '@zegel/dkim';
import { ZoneResolver } from '@zegel/dns';
import type { SignatureVerdict } from '@zegel/interop/implementation';
import { startPeer } from '@zegel/interop/peer';
import { signingDomain } from '@zegel/interop/signing-domain';
import { freePort, startNsd, temporaryFolder } from '@zegel/test-harness';
import type { Mta, StartMta } from './mta.ts';
import { readRecipe } from './recipe.ts';
import type { SmtpSink } from './smtp-sink.ts';
import { startSmtpSink } from './smtp-sink.ts';
import { startZegel } from './zegel.ts';
import type { Zegel } from './zegel.ts';

/** The address from which example.org sends its mail. */
export const ownAddress = '127.0.0.7';

/** A folder of infra/mta. */
export type Recipe = 'postfix' | 'sendmail';

/** An MTA with Zegel behind it, both as the recipes say, a name server for both, and a sink for what the MTA sends on. */
export interface MailSystem extends AsyncDisposable {
  readonly mta: Mta;
  readonly zegel: Zegel;
  readonly sink: SmtpSink;
  /** What dkimpy says about each signature of a message, top down. */
  verify(raw: Uint8Array): Promise<readonly SignatureVerdict[]>;
  /** The same by our own code, for messages that take dkimpy long. */
  verifyLarge(raw: Uint8Array): Promise<readonly Pick<SignatureVerdict, 'selector' | 'result'>[]>;
  /** Signs as example.org would elsewhere, header and body in one canonicalization: the message with the signature on top. */
  signElsewhere(raw: Uint8Array, canonicalization?: 'simple' | 'relaxed'): Promise<Buffer>;
}

/** Starts everything for the recipe in a folder of infra/mta. */
export async function startMailSystem(startMta: StartMta, recipe: Recipe): Promise<MailSystem> {
  await using stack = new AsyncDisposableStack();
  const domain = stack.use(await signingDomain('example.org'));
  const peer = stack.use(await startPeer('dkimpy', domain));
  const records = Object.fromEntries(Object.entries(domain.records).map(([name, text]) => [name, { TXT: [text] }]));
  const dns = stack.use(await startNsd({ '.': zone(domain.records) }));
  const sink = stack.use(await startSmtpSink());
  const folder = stack.use(temporaryFolder('mta'));
  let zegel: Zegel | undefined;
  const startFilters = async (socket: string): Promise<number> => {
    const verifyPort = await freePort();
    const file = path.join(folder.path, 'zegel.yaml');
    writeFileSync(
      file,
      readRecipe(`${recipe}/zegel.yaml`, [
        [recipe === 'postfix' ? '/var/spool/postfix/zegel/submission.sock' : '/run/zegel/submission.sock', socket],
        ['8891', String(verifyPort)],
        ['/etc/zegel/keys/example.org/rsa.pem', path.join(domain.folder, 'rsa-sha256.pem')],
        ['/etc/zegel/keys/example.org/ed.pem', path.join(domain.folder, 'ed25519-sha256.pem')],
      ]),
    );
    zegel = stack.use(await startZegel(file, dns, folder));
    return verifyPort;
  };
  const mta = stack.use(await startMta({ sink: sink.port, startFilters }));
  if (zegel === undefined) throw new Error('The MTA was started without its filters');
  const all = stack.move();
  return {
    mta,
    zegel,
    sink,
    verify: (raw) => peer.verify(raw),
    verifyLarge: async (raw) => {
      const results = await verifyMessage(raw, { resolver: new ZoneResolver(records) });
      return results.map(({ result, selector = '' }) => ({ selector, result }));
    },
    signElsewhere: async (raw, kind = 'relaxed') => {
      const canonicalization = { header: kind, body: kind };
      return Buffer.concat([await signMessage(raw, { keys: [domain.keys['rsa-sha256']], canonicalization }), raw]);
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** The whole DNS: keys, SPF and a strict DMARC policy of example.org; nothing else exists. */
function zone(keys: Readonly<Record<string, string>>): string {
  return [
    '$TTL 300',
    '. SOA ns.example. postmaster.example. 1 3600 900 86400 60',
    '. NS ns.example.',
    `example.org. TXT "v=spf1 ip4:${ownAddress} -all"`,
    '_dmarc.example.org. TXT "v=DMARC1; p=reject"',
    ...Object.entries(keys).map(([name, record]) => formatZoneRecord(name, record)),
    '',
  ].join('\n');
}
