import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { formatKeyRecord, formatZoneRecord, generateKeyPair, isSelector, keyRecordName } from '@zegel/dkim';
import type { SigningAlgorithm } from '@zegel/dkim';
import { normalizeDomain } from '@zegel/message';
import { readArguments, required } from './arguments.ts';
import { UsageError, exitStatus } from './errors.ts';
import { asUsage } from './input.ts';

export const keygenUsage = `zegel keygen --domain D --selector S

Makes a DKIM key: the private key in S.D.pem (mode 0600), the record to publish in S.D.txt and on the screen.

  --domain D       the signing domain
  --selector S     the selector
  --algorithm A    rsa-sha256 (default) or ed25519-sha256
  --bits N         bits of an RSA key: 2048 (default) to 4096
  --out DIR        the folder for the files; default: here. Files that are there are never overwritten
`;

/** `zegel keygen`. */
export async function runKeygen(args: readonly string[]): Promise<number> {
  const options = readArguments(args, {
    domain: { type: 'string' },
    selector: { type: 'string' },
    algorithm: { type: 'string' },
    bits: { type: 'string' },
    out: { type: 'string' },
  });
  const domain = normalizeDomain(required(options.domain, '--domain'));
  const selector = required(options.selector, '--selector').toLowerCase();
  if (domain === null) throw new UsageError(`${options.domain} is not a domain name`);
  if (!isSelector(selector)) throw new UsageError(`${options.selector} is not a selector`);
  const { privateKey, publicKey } = await generateKeyPair(readAlgorithm(options.algorithm), {
    modulusLength: readBits(options.bits),
  });
  const record = formatZoneRecord(keyRecordName(selector, domain), formatKeyRecord(publicKey));
  const name = path.join(options.out ?? '.', `${selector}.${domain}`);
  await writeFiles(name, privateKey.export({ format: 'pem', type: 'pkcs8' }), `${record}\n`);
  process.stderr.write(`The private key is in ${name}.pem, the record to publish in ${name}.txt:\n`);
  process.stdout.write(`${record}\n`);
  return exitStatus.done;
}

function readAlgorithm(text = 'rsa-sha256'): SigningAlgorithm {
  if (text === 'rsa-sha256' || text === 'ed25519-sha256') return text;
  throw new UsageError(`--algorithm ${text}: known are rsa-sha256 and ed25519-sha256`);
}

function readBits(text = '2048'): number {
  const bits = /^\d{4}$/.test(text) ? Number(text) : 0;
  if (bits >= 2048 && bits <= 4096) return bits;
  throw new UsageError(`--bits ${text}: an RSA key has 2048 to 4096`);
}

/** Both files or none: a key whose record is not there would be used without being published. */
async function writeFiles(name: string, pem: string | Buffer, record: string): Promise<void> {
  try {
    await mkdir(path.dirname(name), { recursive: true });
    await writeFile(`${name}.pem`, pem, { mode: 0o600, flag: 'wx' });
    try {
      await writeFile(`${name}.txt`, record, { mode: 0o644, flag: 'wx' });
    } catch (error) {
      await rm(`${name}.pem`, { force: true });
      throw error;
    }
  } catch (error) {
    throw asUsage(error);
  }
}
