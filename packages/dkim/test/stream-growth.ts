/**
 * `node stream-growth.ts sign|verify MEGABYTES`: signs or verifies a message of that size in chunks of 64 KiB, and
 * prints by how many bytes the process grew meanwhile, at most. A process of its own, so that nothing else grows in it.
 */
import { generateKeyPairSync } from 'node:crypto';
import { ZoneResolver } from '@zegel/dns';
import { parseHeader } from '@zegel/message';
import { beginSigning, beginVerification, createSigningKey, formatKeyRecord } from '../src/index.ts';

const [, , mode = 'sign', megabytes = '100'] = process.argv;
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const key = createSigningKey({ domain: 'example.org', selector: 's', privateKey });
const resolver = new ZoneResolver({ 's._domainkey.example.org': { TXT: [formatKeyRecord(publicKey)] } });
const header = Buffer.from('From: ann@example.org\r\nSubject: large\r\n');
const chunk = Buffer.alloc(64 * 1024, 'Text that  is\tto be relaxed, \r\n   a line of it after the other.\r\n\r\n');
const chunks = Number(megabytes) * 16;

let most = 0;
await run(mode, 16);
const before = process.memoryUsage.rss();
most = before;
await run(mode, chunks);
process.stdout.write(String(most - before));

async function run(what: string, count: number): Promise<void> {
  const signature = await sign(count);
  if (what === 'sign') return;
  const verification = beginVerification(parseHeader(Buffer.concat([signature, header])), { resolver });
  feed(verification, count);
  const [result] = await verification.end();
  if (result?.result !== 'pass') throw new Error(result?.code);
}

async function sign(count: number): Promise<Uint8Array> {
  const signing = beginSigning(parseHeader(header), { keys: [key] });
  feed(signing, count);
  const outcome = await signing.end();
  if (!outcome.ok) throw new Error(outcome.problem.code);
  return outcome.signatures[0]!.field;
}

/** The same chunk over and over: what grows is not the reader's. */
function feed(target: { body(chunk: Uint8Array): void }, count: number): void {
  for (let turn = 0; turn < count; turn++) {
    target.body(chunk);
    most = Math.max(most, process.memoryUsage.rss());
  }
}
