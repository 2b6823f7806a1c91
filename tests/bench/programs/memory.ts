/**
 * `memory.ts stream-sign|stream-verify MEGABYTES` or `memory.ts verifications COUNT`, forked by the benchmark, which sends
 * the ground: measures the resident memory of a process of its own, and sends what it found.
 */
import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { authenticate } from '@zegel/authentication';
import { createSigningKey, verifyMessage } from '@zegel/dkim';
import { messageLimits } from '@zegel/message';
import { sign } from '@zegel/signing';
import { createBench } from '../adapter.ts';
import { body, header, message } from '../src/messages.ts';
import { NodeStyleResolver } from '../src/node-style-resolver.ts';
import type { GivenGround } from '../src/memory.ts';

const [what, amount = '0'] = process.argv.slice(2);
const [{ texts, ...given }] = (await once(process, 'message')) as [GivenGround];
const context = {
  ...given,
  resolver: async (name: string) => (texts[name] === undefined ? [] : [[texts[name]]]),
};
const resolver = new NodeStyleResolver(context.resolver);
const key = createSigningKey({
  domain: given.domain,
  selector: given.selector,
  privateKey: createPrivateKey(given.privateKeyPem),
});
const limits = { ...messageLimits, maxMessageBytes: 2 ** 40 };
const chunk = body('text', 64 * 1024);
/**
 * Megabytes of small messages that go before, until what runs often is compiled: a compiler takes some megabytes for a
 * moment.
 */
const warmMegabytes = 200;

let peakBytes = 0;

process.send?.(what === 'verifications' ? await manyVerifications(Number(amount)) : await streaming(Number(amount)));
process.disconnect();

/** What one large message adds to the memory of a process that has done the same with small ones before. */
async function streaming(megabytes: number): Promise<{ readonly beforeBytes: number; readonly peakBytes: number }> {
  for (let turn = 0; turn < warmMegabytes; turn++) await run(1);
  const beforeBytes = process.memoryUsage.rss();
  peakBytes = beforeBytes;
  await run(megabytes);
  return { beforeBytes, peakBytes };
}

async function run(megabytes: number): Promise<void> {
  const signature =
    what === 'stream-verify' ? Buffer.concat((await signStream(megabytes)).edits.prepend) : Buffer.alloc(0);
  if (what === 'stream-sign') {
    await signStream(megabytes);
    return;
  }
  const { report } = await authenticate(pieces(megabytes, signature), {}, { resolver, authservId: 'mx', limits });
  if (report.dkim[0]?.result !== 'pass') throw new Error('The signature does not verify');
}

async function signStream(megabytes: number): ReturnType<typeof sign> {
  const result = await sign(
    pieces(megabytes, Buffer.alloc(0)),
    {},
    { keySource: { activeKeys: async () => [key] }, limits },
  );
  if (result.result !== 'signed') throw new Error(`Not signed: ${result.code}`);
  return result;
}

async function* pieces(megabytes: number, signature: Buffer): AsyncGenerator<Uint8Array> {
  yield Buffer.concat([signature, Buffer.from(`${header(given.domain, 'text')}\r\n`)]);
  for (let sent = 0; sent < megabytes * 1e6; sent += chunk.length) {
    peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
    yield chunk;
  }
}

/** Resident memory over many verifications, at twenty places. */
async function manyVerifications(count: number): Promise<readonly number[]> {
  const bench = createBench(context);
  const raw = message(given.domain, 'text', 1_000);
  const signed = Buffer.concat([await bench.sign(raw), raw]);
  const resident: number[] = [];
  for (let at = 1; at <= count; at++) {
    const [result] = await verifyMessage(signed, { resolver });
    if (result?.result !== 'pass') throw new Error('The signature does not verify');
    if (at % Math.ceil(count / 20) === 0) resident.push(process.memoryUsage.rss());
  }
  return resident;
}
