import { describe, expect, it } from 'vitest';
import { verifyMessage } from '@zegel/dkim';
import { createGround } from '../src/ground.ts';
import { message } from '../src/messages.ts';
import { NodeStyleResolver } from '../src/node-style-resolver.ts';
import { startRivals } from '../src/rival-processes.ts';

describe('rivals in processes of their own', () => {
  it('sign with the keys of the benchmark, once to be looked at and then as often as is said', async () => {
    const ground = createGround();
    using rivals = await startRivals(ground, ['nodemailer']);
    const [nodemailer] = rivals.running;
    expect(nodemailer?.operations).toEqual(['sign']);
    const raw = message(ground.domain, 'text', 1000);
    const prepared = await nodemailer?.prepare('sign', raw);
    const field = prepared?.result;
    const signed = Buffer.concat([field instanceof Uint8Array ? field : Buffer.alloc(0), raw]);
    const results = await verifyMessage(signed, { resolver: new NodeStyleResolver(ground.resolver) });
    expect(results.map(({ result }) => result)).toEqual(['pass']);
    expect(await prepared?.run(3)).toBeGreaterThan(0);
  });

  it('are an error when their process ends', async () => {
    await expect(startRivals(createGround(), ['nobody'])).rejects.toThrow('ended without an answer');
  });
});
