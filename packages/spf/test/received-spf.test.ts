import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkHelo, formatReceivedSpf } from '../src/index.ts';
import { ZoneResolver } from '@zegel/dns';
import { checkZone, record } from './zone-check.ts';

const text = (field: Uint8Array): string => Buffer.from(field).toString('utf8');

/** RFC 7208 §9.1, as strictly as its grammar: result, comment, key-value-list; undefined where it does not fit. */
function read(field: string): { result: string; comment: string; pairs: [string, string][] } | undefined {
  const unfolded = field.replace(/\r\n$/, '').replaceAll('\r\n ', ' ');
  if (/[\r\n]/.test(unfolded)) return undefined;
  const head = /^Received-SPF: ([a-z]+) \(((?:[^()\\]|\\.)*)\) /su.exec(unfolded);
  if (head === null) return undefined;
  const pairs: [string, string][] = [];
  const pair = /([a-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+));(?: |$)/suy;
  pair.lastIndex = head[0].length;
  while (pair.lastIndex < unfolded.length) {
    const match = pair.exec(unfolded);
    if (match === null) return undefined;
    pairs.push([match[1]!, match[3] ?? match[2]!.replaceAll(/\\(.)/gsu, '$1')]);
  }
  return { result: head[1]!, comment: head[2]!, pairs };
}

describe('RFC 7208 §9.1 Received-SPF', () => {
  it('says who was checked, with what result and why', async () => {
    const result = await checkZone(record('v=spf1 ip4:192.0.2.1 -all'));
    expect(text(formatReceivedSpf(result, 'mx.example.org'))).toBe(
      [
        'Received-SPF: pass (mx.example.org: example.com permits 192.0.2.1 to send its',
        ' mail: "ip4:192.0.2.1" in the SPF record of example.com matches.)',
        ' receiver=mx.example.org; identity=mailfrom; client-ip=192.0.2.1;',
        ' envelope-from="user@example.com"; helo=mail.example.net;',
        ' mechanism="ip4:192.0.2.1";',
        '',
      ].join('\r\n'),
    );
  });

  it('names the problem of an error, an IPv6 client and a null reverse-path', async () => {
    const result = await checkZone(
      { 'example.net': { TXT: ['v=spf1 moo'] } },
      { mailFrom: '', helo: 'example.net', ip: '2001:DB8::1' },
    );
    expect(read(text(formatReceivedSpf(result, 'mx.example.org')))?.pairs).toEqual([
      ['receiver', 'mx.example.org'],
      ['identity', 'mailfrom'],
      ['client-ip', '2001:db8::1'],
      ['envelope-from', ''],
      ['helo', 'example.net'],
      ['problem', 'spf.syntax-error'],
    ]);
  });

  it('has no envelope sender for the HELO identity', async () => {
    const resolver = new ZoneResolver({ 'example.net': { TXT: ['v=spf1 -all'] } });
    const result = await checkHelo({ ip: '192.0.2.1', helo: 'example.net', resolver });
    const field = read(text(formatReceivedSpf(result, 'mx.example.org')));
    expect(field?.result).toBe('fail');
    expect(field?.pairs.map(([key]) => key)).toEqual(['receiver', 'identity', 'client-ip', 'helo', 'mechanism']);
  });

  it('cannot be broken out of, whatever mail and DNS hold', async () => {
    const hostile = fc.string({
      unit: fc.constantFrom(...'"\\()\r\n\0 ;=a.@\u00e9\u2028\ud800', '\ud83d\ude00'),
      maxLength: 600,
    });
    await fc.assert(
      fc.asyncProperty(hostile, hostile, hostile, async (helo, mailFrom, receiver) => {
        const result = await checkZone({}, { helo, mailFrom });
        const bytes = formatReceivedSpf(result, receiver);
        const field = read(text(bytes));
        expect(field?.result).toBe(result.result);
        expect(field?.pairs.map(([key]) => key)).toEqual([
          'receiver',
          'identity',
          'client-ip',
          'envelope-from',
          'helo',
        ]);
        for (const line of text(bytes).split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(998);
      }),
    );
  });
});
