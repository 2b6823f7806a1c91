import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { CachingResolver } from '@zegel/dns/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { check, context, message, signed } from './ground.ts';

/** A name server that takes every question and answers none. */
let server: Socket;
let questions = 0;
let resolver: CachingResolver;

beforeAll(async () => {
  server = createSocket('udp4', () => questions++);
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  // Only the message's own deadline can end the wait within the time that a test has.
  resolver = new CachingResolver({ servers: [`127.0.0.1:${server.address().port}`], deadlineMs: 3_600_000 });
});

afterAll(async () => {
  await resolver.close();
  server.close();
});

const sealed =
  'ARC-Seal: i=1; cv=none; a=rsa-sha256; d=example.com; s=s; b=AAAA\r\n' +
  'ARC-Message-Signature: i=1; a=rsa-sha256; d=example.com; s=s; bh=AAAA; h=from; b=AAAA\r\n' +
  'ARC-Authentication-Results: i=1; mx.example.com; none\r\n';

describe('a name server that never answers', () => {
  it('makes every verdict a temporary error, once the deadline is there', async () => {
    const text = sealed + (await signed());
    const { report, edits } = await check(text, { context, options: { resolver, limits: { dnsDeadline: 200 } } });
    expect(questions).toBeGreaterThan(0);
    expect(report.dkim).toMatchObject([{ result: 'temperror', code: 'dkim.dns-failure' }]);
    expect(report.spf).toMatchObject({ mailFrom: { result: 'temperror' }, helo: { result: 'temperror' } });
    expect(report.dmarc).toMatchObject({ result: 'temperror', disposition: 'none' });
    expect(report.iprev).toMatchObject({ result: 'temperror' });
    expect(report.arc).toMatchObject({ result: 'fail', code: 'arc.dns-failure' });
    expect(edits.prepend).toHaveLength(1);
  });

  it('does not hold up the messages that come after', async () => {
    const options = { resolver, limits: { dnsDeadline: 50 } };
    const reports = await Promise.all(Array.from({ length: 20 }, () => check(message, { context, options })));
    expect(new Set(reports.map(({ report }) => report.dmarc.result))).toEqual(new Set(['temperror']));
  });
});
