import { TRUNCATED_RESPONSE, AUTHENTIC_DATA, AUTHORITATIVE_ANSWER } from 'dns-packet';
import type { Answer } from 'dns-packet';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CachingResolver } from '../src/client.ts';
import type { CachingResolverOptions } from '../src/client.ts';
import { SharedLookups } from '../src/index.ts';
import type { DnsAnswer, Resolver } from '../src/index.ts';
import { END_OF_STREAM, framed, respond, startFakeServer } from './fake-server.ts';
import type { FakeServer, ReceivedQuery, Script } from './fake-server.ts';

const SERVFAIL = 2;
const NXDOMAIN = 3;
const FORMERR = 1;
const REFUSED = 5;

const A: Answer = { type: 'A', name: 'a.example', ttl: 100, data: '192.0.2.1' };
const SOA: Answer = {
  type: 'SOA',
  name: 'example',
  ttl: 600,
  data: { mname: 'ns.example', rname: 'h.example', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 200 },
};
const FOUND = { status: 'found', records: ['192.0.2.1'] };

const good: Script = (query) => [respond(query, { answers: [A] })];
const garbage: Script = (query) => [Buffer.concat([respond(query).subarray(0, 12), Buffer.alloc(3, 0xff)])];

/** Time stands still but for a silent server, so that no test depends on how fast the machine is. */
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A server that says nothing for so many milliseconds after a query; with none, the client waits as long as the test likes. */
function silent(milliseconds = 0): Script {
  return () => {
    vi.advanceTimersByTime(milliseconds);
    return [];
  };
}

/** Gives what the scripts say, one after the other; the last one for ever. */
/** Keeps silent when it is asked first, and answers from then on. */
function silentOnce(): { readonly script: Script; readonly asked: Promise<void> } {
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const script = inTurn(() => {
    resolve();
    return [];
  }, good);
  return { script, asked };
}

function inTurn(...scripts: Script[]): Script {
  let turn = 0;
  return (query) => scripts[Math.min(turn++, scripts.length - 1)]!(query);
}

/** Runs a check against fake servers, one a script; everything is closed afterwards. */
async function withServers(
  scripts: readonly Script[],
  options: CachingResolverOptions,
  check: (resolver: CachingResolver, servers: readonly FakeServer[]) => Promise<void>,
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const servers: FakeServer[] = [];
  for (const script of scripts) servers.push(stack.use(await startFakeServer(script)));
  const resolver = new CachingResolver({ servers, ...options });
  stack.defer(() => resolver.close());
  await check(resolver, servers);
}

const truncated =
  (tcp: Script): Script =>
  (query) =>
    query.transport === 'udp'
      ? [respond(query, { flags: TRUNCATED_RESPONSE, answers: [{ ...A, data: '203.0.113.66' }] })]
      : tcp(query);

const alias = (name: string, data: string, ttl = 50): Answer => ({ type: 'CNAME', name, ttl, data });

const authentic: Script = (query) => [respond(query, { flags: AUTHENTIC_DATA, answers: [A] })];

/** A clock that stands still until it is set. */
function stoppedClock(): { now: () => number; advance: (seconds: number) => void } {
  let time = 1_000_000;
  return {
    now: () => time,
    advance: (seconds) => {
      time += seconds * 1000;
    },
  };
}

/** For how many seconds the answer to the script keeps coming from the cache. */
async function lifetime(script: Script, atMost: number): Promise<number> {
  const clock = stoppedClock();
  let seconds = 0;
  await withServers([script], { now: clock.now }, async (resolver, [server]) => {
    await resolver.resolve('a.example', 'A');
    // Halving the interval: the last second at which the answer still comes from the cache.
    let gone = atMost + 1;
    while (gone - seconds > 1) {
      const probe = (seconds + gone) >> 1;
      const before = server!.queries.length;
      resolver.clearCache();
      await resolver.resolve('a.example', 'A');
      clock.advance(probe);
      await resolver.resolve('a.example', 'A');
      if (server!.queries.length === before + 1) seconds = probe;
      else gone = probe;
    }
  });
  return seconds;
}

function failed(reason: string, cnames: string[] = []): unknown {
  return { status: 'temporary-failure', reason, cnames };
}

describe('the query', () => {
  it('RFC 6891, RFC 6840 §5.7: asks for recursion, AD and DO, with 1232 octets', () =>
    withServers([good], {}, async (resolver, [server]) => {
      await resolver.resolve('A.example.', 'A');
      const { packet } = server!.queries[0]!;
      expect(packet).toMatchObject({ flag_rd: true, flag_ad: true, flag_cd: false });
      expect(packet.questions).toEqual([{ name: 'a.example', type: 'A', class: 'IN' }]);
      expect(packet.additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 1232, ednsVersion: 0, flag_do: true }]);
    }));

  it('RFC 5452 §9.2: has a port and an id of its own each time', () =>
    withServers([good], {}, async (resolver, [server]) => {
      await Promise.all(
        ['TXT', 'A', 'AAAA', 'MX', 'PTR', 'NS', 'SOA', 'TLSA'].map((type) =>
          resolver.resolve('a.example', type as 'A'),
        ),
      );
      expect(new Set(server!.queries.map((query) => query.sourcePort)).size).toBeGreaterThan(1);
      expect(new Set(server!.queries.map((query) => query.packet.id)).size).toBeGreaterThan(1);
    }));

  it('takes its randomness from outside', () =>
    withServers([good], { random: () => 1, mixedCase: true }, async (resolver, [server]) => {
      await resolver.resolve('a.example', 'A');
      expect(server!.queries[0]!.packet).toMatchObject({ id: 1, questions: [{ name: 'A.EXAMPLE' }] });
    }));

  it('goes over IPv6 too', async () => {
    await using server = await startFakeServer(good, '::1');
    const resolver = new CachingResolver({ servers: [`[::1]:${server.port}`] });
    expect(await resolver.resolve('a.example', 'A')).toMatchObject(FOUND);
    await resolver.close();
  });
});

describe('RFC 5452 §9.1 what is not our answer is passed over', () => {
  const forged: Answer = { ...A, data: '203.0.113.66' };

  it.each<[string, (query: ReceivedQuery) => Uint8Array]>([
    ['another id', (query) => respond(query, { id: (query.packet.id! + 1) % 65_536, answers: [forged] })],
    [
      'another name',
      (query) => respond(query, { questions: [{ type: 'A', class: 'IN', name: 'b.example' }], answers: [forged] }),
    ],
    [
      'another type',
      (query) => respond(query, { questions: [{ type: 'MX', class: 'IN', name: 'a.example' }], answers: [forged] }),
    ],
    [
      'another class',
      (query) => respond(query, { questions: [{ type: 'A', class: 'CH', name: 'a.example' }], answers: [forged] }),
    ],
    ['no question', (query) => respond(query, { questions: [], answers: [forged] })],
    ['no question, and NXDOMAIN', (query) => respond(query, { questions: [], rcode: NXDOMAIN, authorities: [SOA] })],
    [
      'two questions',
      (query) =>
        respond(query, { questions: [...query.packet.questions!, { type: 'A', class: 'IN', name: 'b.example' }] }),
    ],
    ['a query', (query) => Buffer.concat([respond(query).subarray(0, 2), Buffer.of(0), respond(query).subarray(3)])],
    ['a shred of a header', () => Buffer.of(1, 2, 3)],
  ])('%s', (_, forge) =>
    withServers([(query) => [forge(query), ...good(query)]], {}, async (resolver) => {
      expect(await resolver.resolve('a.example', 'A')).toMatchObject(FOUND);
      expect(resolver.statistics.udpQueries).toBe(1);
    }),
  );

  it('the letter case, when it is demanded', () =>
    withServers(
      [
        (query) => [
          respond(query, { questions: [{ type: 'A', class: 'IN', name: 'a.example' }], answers: [forged] }),
          ...good(query),
        ],
      ],
      { mixedCase: true, random: (bound) => bound - 1 },
      async (resolver) => {
        expect(await resolver.resolve('a.example', 'A')).toMatchObject(FOUND);
      },
    ));

  it('but not for ever: a server that sends 32 of them is given up', () =>
    withServers(
      [(query) => Array.from({ length: 32 }, () => respond(query, { id: 0 })), good],
      { random: () => 7 },
      async (resolver, servers) => {
        expect(await resolver.resolve('a.example', 'A')).toMatchObject(FOUND);
        expect(servers[0]!.queries).toHaveLength(1);
      },
    ));

  it('records of other names in the answer', () =>
    withServers(
      [
        (query) => [
          respond(query, {
            answers: [
              { ...forged, name: 'b.example' },
              { ...forged, class: 'CH' },
            ],
            authorities: [SOA],
          }),
        ],
      ],
      {},
      async (resolver) => {
        expect(await resolver.resolve('a.example', 'A')).toMatchObject({ status: 'nodata' });
      },
    ));
});

describe('a server that fails', () => {
  it.each<[string, Script]>([
    ['SERVFAIL', (query) => [respond(query, { rcode: SERVFAIL })]],
    ['REFUSED', (query) => [respond(query, { rcode: REFUSED })]],
    ['REFUSED without a question', (query) => [respond(query, { rcode: REFUSED, questions: [] })]],
    ['silence', silent(1250)],
    ['bytes that are no message', garbage],
    ['a record cut short', (query) => [respond(query, { answers: [A] }).subarray(0, -2)]],
    ['a referral', (query) => [respond(query, { authorities: [{ type: 'NS', name: 'example', data: 'ns.example' }] })]],
  ])('with %s is passed over for the next', (_, bad) =>
    withServers([bad, good], {}, async (resolver, [first, second]) => {
      expect(await resolver.resolve('a.example', 'A')).toMatchObject(FOUND);
      expect([first!.queries.length, second!.queries.length]).toEqual([1, 1]);
    }),
  );

  it.each<[string, Script[]]>([
    ['servfail', [(query) => [respond(query, { rcode: SERVFAIL })], silent(5000)]],
    ['refused', [(query) => [respond(query, { rcode: REFUSED })], silent(5000)]],
    ['malformed', [inTurn(silent(1250), silent(3750)), garbage]],
    ['timeout', [silent(2500)]],
    ['timeout', [silent(5000), good]],
  ])('is a %s when no other helps', (reason, scripts) =>
    withServers(scripts, {}, async (resolver) => {
      expect(await resolver.resolve('a.example', 'A')).toEqual(failed(reason));
      expect(resolver.statistics.failures).toMatchObject({ [reason]: 1 });
    }),
  );

  it('is asked again when it only kept silent', () =>
    withServers([inTurn(silent(2500), good)], {}, async (resolver, [server]) => {
      expect(await resolver.resolve('a.example', 'A')).toMatchObject(FOUND);
      expect(server!.queries).toHaveLength(2);
    }));

  it('RFC 1035 §7.2: by silence is asked after the others for 30 s, or until it answers', () =>
    withServers(
      [inTurn(silent(1250), silent(1250), good), inTurn(good, good, good, silent(1250), good)],
      { cacheEntries: 0 },
      async (resolver, [first, second]) => {
        const ask = async (): Promise<number[]> => {
          expect(await resolver.resolve('a.example', 'A')).toMatchObject(FOUND);
          return [first!.queries.length, second!.queries.length];
        };
        expect(await ask()).toEqual([1, 1]);
        expect(await ask()).toEqual([1, 2]);
        vi.advanceTimersByTime(30_000);
        expect(await ask()).toEqual([2, 3]);
        // Now the second is silent as well, and the first answers again.
        expect(await ask()).toEqual([3, 4]);
        expect(await ask()).toEqual([4, 4]);
        expect(resolver.servers).toMatchObject([{ port: first!.port }, { port: second!.port }]);
      },
    ));

  it('is not thought silent when the callers waited no longer', async () => {
    const { asked, script } = silentOnce();
    await withServers([script, good], {}, async (resolver, [first, second]) => {
      const impatient = new AbortController();
      const answer = resolver.resolve('a.example', 'A', { signal: impatient.signal });
      await asked;
      impatient.abort();
      expect(await answer).toEqual(failed('timeout'));
      expect(await resolver.resolve('a.example', 'A')).toMatchObject(FOUND);
      expect([first!.queries.length, second!.queries.length]).toEqual([2, 0]);
    });
  });

  it('by not listening is a network failure, which is not kept', async () => {
    const server = await startFakeServer(good);
    await server[Symbol.asyncDispose]();
    const resolver = new CachingResolver({ servers: [server] });
    expect(await resolver.resolve('a.example', 'A')).toEqual(failed('network'));
    expect(resolver.statistics).toMatchObject({ cacheEntries: 0, failures: { network: 1 } });
    await resolver.close();
  });

  it('RFC 6891 §7: to know EDNS is asked without', () =>
    withServers(
      [(query) => (query.packet.additionals!.length > 0 ? [respond(query, { rcode: FORMERR })] : good(query))],
      {},
      async (resolver, [server]) => {
        expect(await resolver.resolve('a.example', 'A')).toMatchObject(FOUND);
        expect(server!.queries).toHaveLength(2);
      },
    ));
});

describe('RFC 7766 truncated answers', () => {
  it('are asked for again over TCP, and none of them is believed', () =>
    withServers([truncated((query) => good(query).map(framed))], {}, async (resolver) => {
      expect(await resolver.resolve('a.example', 'A')).toMatchObject(FOUND);
      expect(resolver.statistics).toMatchObject({ udpQueries: 1, tcpQueries: 1 });
    }));

  it('RFC 2181 §9: may be cut anywhere behind the question', async () => {
    let missing = 0;
    let records = 0;
    const script: Script = (query) => {
      if (query.transport === 'tcp') return good(query).map(framed);
      const whole = respond(query, { flags: TRUNCATED_RESPONSE, answers: [A, A] });
      records = whole.length - respond(query).length;
      return [whole.subarray(0, whole.length - missing)];
    };
    await withServers([script], { cacheEntries: 0 }, async (resolver) => {
      for (; missing <= records; missing += 1) {
        expect(await resolver.resolve('a.example', 'A')).toMatchObject(FOUND);
      }
      expect(resolver.statistics.tcpQueries).toBe(records + 1);
      expect(await resolver.resolve('a.example', 'A')).toEqual(failed('malformed'));
    });
  });

  it('may come octet by octet', () =>
    withServers(
      [truncated((query) => [...framed(good(query)[0]!)].map((octet) => Buffer.of(octet)))],
      {},
      async (resolver) => {
        expect(await resolver.resolve('a.example', 'A')).toMatchObject(FOUND);
      },
    ));

  it.each<[string, Script]>([
    ['a length too small for a header', () => [Buffer.of(0, 11, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)]],
    ['another id', (query) => [framed(respond(query, { id: (query.packet.id! + 1) % 65_536, answers: [A] }))]],
    ['garbage', () => [framed(Buffer.alloc(40, 0xee))]],
  ])('are malformed with %s', (_, tcp) =>
    withServers([truncated(tcp)], {}, async (resolver) => {
      expect(await resolver.resolve('a.example', 'A')).toEqual(failed('malformed'));
    }),
  );

  it('are a network failure when the rest never comes', () =>
    withServers(
      [truncated((query) => [framed(good(query)[0]!).subarray(0, 20), END_OF_STREAM])],
      {},
      async (resolver) => {
        expect(await resolver.resolve('a.example', 'A')).toEqual(failed('network'));
      },
    ));

  it('time out with a server that accepts and keeps silent', () =>
    withServers([truncated(silent(2500))], {}, async (resolver) => {
      expect(await resolver.resolve('a.example', 'A')).toEqual(failed('timeout'));
    }));
});

describe('aliases', () => {
  it('are followed by another question when the answer ends with them', () =>
    withServers(
      [
        (query) =>
          query.packet.questions![0]!.name === 'a.example'
            ? good(query)
            : [respond(query, { answers: [alias('www.example', 'W2.example'), alias('w2.example', 'a.example')] })],
      ],
      {},
      async (resolver, [server]) => {
        const answer = await resolver.resolve('www.example', 'A');
        expect(answer).toMatchObject({ ...FOUND, ttl: 50, cnames: ['w2.example', 'a.example'] });
        expect(server!.queries).toHaveLength(2);
      },
    ));

  it('without end are a servfail after a bounded number of questions', () => {
    let link = 0;
    return withServers(
      [(query) => [respond(query, { answers: [alias(query.packet.questions![0]!.name, `l${(link += 1)}.example`)] })]],
      {},
      async (resolver, [server]) => {
        expect(await resolver.resolve('www.example', 'A')).toMatchObject({
          status: 'temporary-failure',
          reason: 'servfail',
        });
        expect(server!.queries).toHaveLength(9);
      },
    );
  });

  it('that lead back are a servfail at once', () =>
    withServers(
      [(query) => [respond(query, { answers: [alias('a.example', 'b.example'), alias('b.example', 'A.example')] })]],
      {},
      async (resolver) => {
        expect(await resolver.resolve('a.example', 'A')).toEqual(failed('servfail', ['b.example']));
      },
    ));

  it('that dangle are told, and kept for the smaller TTL', () =>
    withServers(
      [
        (query) => [
          respond(query, { rcode: NXDOMAIN, answers: [alias('www.example', 'gone.example')], authorities: [SOA] }),
        ],
      ],
      {},
      async (resolver) => {
        expect(await resolver.resolve('www.example', 'A')).toEqual({
          status: 'nxdomain',
          ttl: 50,
          authentic: false,
          cnames: ['gone.example'],
        });
      },
    ));

  it('stay known when what they lead to fails', () =>
    withServers(
      [
        (query) =>
          query.packet.questions![0]!.name === 'www.example'
            ? [respond(query, { answers: [alias('www.example', 'gone.example')] })]
            : [respond(query, { rcode: SERVFAIL })],
      ],
      {},
      async (resolver) => {
        expect(await resolver.resolve('www.example', 'A')).toEqual(failed('servfail', ['gone.example']));
      },
    ));
});

describe('RFC 4035 §4.9.3 the AD bit', () => {
  it('of a server on this host is believed', () =>
    withServers([authentic], {}, async (resolver) => {
      expect(await resolver.resolve('a.example', 'A')).toMatchObject({ authentic: true });
    }));

  it('of another server is believed only when told so', async () => {
    // The unspecified address leads to this host, but does not say so.
    await using server = await startFakeServer(authentic);
    for (const trustAuthentic of [false, true]) {
      const resolver = new CachingResolver({ servers: [{ address: '0.0.0.0', port: server.port }], trustAuthentic });
      expect(await resolver.resolve('a.example', 'A')).toMatchObject({ ...FOUND, authentic: trustAuthentic });
      await resolver.close();
    }
  });

  it('must be on every answer along a chain of aliases', () =>
    withServers(
      [
        (query) =>
          query.packet.questions![0]!.name === 'a.example'
            ? good(query)
            : [
                respond(query, {
                  flags: AUTHENTIC_DATA,
                  answers: [{ type: 'CNAME', name: 'w.example', ttl: 5, data: 'a.example' }],
                }),
              ],
      ],
      {},
      async (resolver) => {
        expect(await resolver.resolve('w.example', 'A')).toMatchObject({ status: 'found', authentic: false });
      },
    ));
});

describe('the cache', () => {
  it.each<[string, Script, number]>([
    ['a positive answer for its TTL', good, 99],
    ['one with a TTL of zero for 30 s', (query) => [respond(query, { answers: [{ ...A, ttl: 0 }] })], 29],
    [
      'one with a TTL of a year for a day',
      (query) => [respond(query, { answers: [{ ...A, ttl: 31_536_000 }] })],
      86_399,
    ],
    [
      'one with a TTL over 31 bits as with zero',
      (query) => [respond(query, { answers: [{ ...A, ttl: 0xffff_ffff }] })],
      29,
    ],
    [
      'no such name for the minimum of the SOA',
      (query) => [respond(query, { rcode: NXDOMAIN, authorities: [SOA] })],
      199,
    ],
    [
      'no such record for the TTL of the SOA when that is less',
      (query) => [respond(query, { authorities: [{ ...SOA, ttl: 60 }] })],
      59,
    ],
    [
      'a negative answer for 15 minutes at most',
      (query) => [
        respond(query, {
          rcode: NXDOMAIN,
          authorities: [{ ...SOA, ttl: 86_400, data: { mname: '.', rname: '.', minimum: 86_400 } }],
        }),
      ],
      899,
    ],
    ['a negative answer without an SOA not at all', (query) => [respond(query, { flags: AUTHORITATIVE_ANSWER })], 0],
    ['a failure for 5 s', (query) => [respond(query, { rcode: SERVFAIL })], 4],
  ])('keeps %s', async (_, script, seconds) => {
    expect(await lifetime(script, 200_000)).toBe(seconds);
  });

  it('lets the TTL run down', async () => {
    const clock = stoppedClock();
    await withServers([good], { now: clock.now }, async (resolver) => {
      expect(await resolver.resolve('a.example', 'A')).toMatchObject({ ttl: 100 });
      clock.advance(40);
      expect(await resolver.resolve('A.EXAMPLE', 'A')).toMatchObject({ ...FOUND, ttl: 60 });
      expect(resolver.statistics).toMatchObject({ lookups: 2, cacheHits: 1, udpQueries: 1 });
    });
  });

  it('drops what was not used for longest when it is full', () =>
    withServers(
      [(query) => [respond(query, { answers: [{ ...A, name: query.packet.questions![0]!.name }] })]],
      { cacheEntries: 2 },
      async (resolver, [server]) => {
        for (const name of ['a.example', 'b.example', 'a.example', 'c.example', 'a.example', 'b.example'])
          await resolver.resolve(name, 'A');
        expect(server!.queries.map((query) => query.packet.questions![0]!.name)).toEqual([
          'a.example',
          'b.example',
          'c.example',
          'b.example',
        ]);
        expect(resolver.statistics.cacheEntries).toBe(2);
      },
    ));

  it('holds 80 MB, an answer of many small records counted as what it takes in memory', () => {
    // Empty TXT records, their name a pointer: 13 octets each on the wire.
    const pointed = Buffer.from([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 100, 0, 1, 0]);
    const script: Script = (query) => {
      if (query.transport === 'udp') return [respond(query, { flags: TRUNCATED_RESPONSE })];
      const message = Buffer.concat([respond(query), ...Array.from({ length: 500 }, () => pointed)]);
      message.writeUInt16BE(500, 6);
      return [framed(message)];
    };
    return withServers([script], {}, async (resolver) => {
      for (let n = 0; n < 320; n += 1) {
        expect(await resolver.resolve(`n${n}.example`, 'TXT')).toMatchObject({ records: { length: 500 } });
      }
      // 500 octets are reckoned for each record.
      expect(resolver.statistics.cacheEntries).toBeLessThan(320);
      expect(resolver.statistics.cacheEntries).toBeGreaterThan(300);
      await resolver.resolve('n319.example', 'TXT');
      await resolver.resolve('n0.example', 'TXT');
      expect(resolver.statistics).toMatchObject({ cacheHits: 1, tcpQueries: 321 });
    });
  });

  it('does not hold answers over 8 KiB', () =>
    withServers(
      [
        (query) => {
          const big: Answer = {
            type: 'TXT',
            name: 'a.example',
            ttl: 100,
            data: Array.from({ length: 40 }, () => Buffer.alloc(255, 97)),
          };
          return query.transport === 'udp'
            ? [respond(query, { flags: TRUNCATED_RESPONSE })]
            : [framed(respond(query, { answers: [big] }))];
        },
      ],
      {},
      async (resolver) => {
        expect(await resolver.resolve('a.example', 'TXT')).toMatchObject({ status: 'found' });
        expect(resolver.statistics.cacheEntries).toBe(0);
      },
    ));
});

describe('callers', () => {
  it('of one question under way are independent of each other', async () => {
    const { asked, script } = silentOnce();
    await withServers([script], {}, async (resolver) => {
      const impatient = new AbortController();
      const first = resolver.resolve('a.example', 'A', { signal: impatient.signal });
      const second = resolver.resolve('a.example', 'A');
      await asked;
      impatient.abort();
      expect(await first).toEqual(failed('timeout'));
      expect(resolver.statistics).toMatchObject({ coalesced: 1, inFlight: 1, udpQueries: 1 });
      vi.advanceTimersByTime(2500);
      expect(await second).toMatchObject(FOUND);
    });
  });

  it('who all leave end the look-up, and the next one starts anew', async () => {
    const { asked, script } = silentOnce();
    await withServers([script], {}, async (resolver) => {
      const impatient = new AbortController();
      const first = resolver.resolve('a.example', 'A', { signal: impatient.signal });
      await asked;
      impatient.abort();
      expect(await first).toEqual(failed('timeout'));
      expect(resolver.statistics.inFlight).toBe(0);
      expect(await resolver.resolve('a.example', 'A')).toMatchObject(FOUND);
      expect(resolver.statistics.failures.timeout).toBe(0);
    });
  });

  it('who come with an aborted signal, or after the end, ask nothing', () =>
    withServers([good], {}, async (resolver, [server]) => {
      expect(await resolver.resolve('a.example', 'A', { signal: AbortSignal.abort() })).toEqual(failed('timeout'));
      expect(await resolver.resolve('a..example', 'A')).toMatchObject({ status: 'nxdomain' });
      await resolver.close();
      expect(await resolver.resolve('a.example', 'A')).toEqual(failed('network'));
      expect(server!.queries).toHaveLength(0);
    }));

  it('are answered when the resolver is closed under them', () =>
    withServers([silent()], { maxQueriesInFlight: 1 }, async (resolver) => {
      const answers = Promise.all([resolver.resolve('a.example', 'A'), resolver.resolve('b.example', 'A')]);
      await resolver.close();
      expect(await answers).toEqual([failed('network'), failed('network')]);
      expect(resolver.statistics.inFlight).toBe(0);
    }));

  it('who wait for a socket have all the time for their question when they have it', () =>
    withServers([inTurn(silent(2500), silent(2500), good)], { maxQueriesInFlight: 1 }, async (resolver) => {
      const answers = [resolver.resolve('slow.example', 'A'), resolver.resolve('a.example', 'A')];
      expect(await Promise.all(answers)).toMatchObject([failed('timeout'), FOUND]);
      expect(resolver.statistics).toMatchObject({ udpQueries: 3, failures: { timeout: 1 } });
    }));

  it('who find too many waiting get a network failure, which is not kept', () =>
    withServers([silent()], { maxQueriesInFlight: 1 }, async (resolver) => {
      const answers = Array.from({ length: 4098 }, (_, n) => resolver.resolve(`a${n}.example`, 'A'));
      expect(await answers.at(-1)).toEqual(failed('network'));
      expect(resolver.statistics.cacheEntries).toBe(0);
      await resolver.close();
      await Promise.all(answers);
    }));
});

/** Keeps silent about what is called slow. */
const silentAboutSlow: Script = (query) => {
  const { name } = query.packet.questions![0]!;
  return name.startsWith('slow') ? [] : [respond(query, { answers: [{ ...A, name }] })];
};

const askAll = (resolver: Resolver, names: readonly string[]): Promise<DnsAnswer<'A'>>[] =>
  names.map((name) => resolver.resolve(name, 'A'));

const slowNames = (message: number): string[] => Array.from({ length: 40 }, (_, n) => `slow${n}.m${message}.example`);

describe('a message with more slow questions than there are sockets', () => {
  it('holds up neither another message nor another check of its own', () =>
    withServers([silentAboutSlow], { maxQueriesInFlight: 32 }, async (resolver) => {
      const messages = [1, 2, 3].map(() => new SharedLookups(resolver));
      const slow = messages.flatMap((message, n) => askAll(message, slowNames(n)));
      const [message] = messages;
      expect(await message!.share().resolve('a.example', 'A')).toMatchObject(FOUND);
      expect(await new SharedLookups(resolver).resolve('b.example', 'A')).toMatchObject(FOUND);
      expect(await resolver.resolve('c.example', 'A')).toMatchObject(FOUND);
      await resolver.close();
      expect(await Promise.all(slow)).toEqual(slow.map(() => failed('network')));
    }));

  it('does not hold up what others ask as well', () =>
    withServers([silentAboutSlow], { maxQueriesInFlight: 32 }, async (resolver) => {
      const own = askAll(new SharedLookups(resolver), [...slowNames(1), 'a.example']);
      expect(await new SharedLookups(resolver).resolve('a.example', 'A')).toMatchObject(FOUND);
      expect(await own.at(-1)).toMatchObject(FOUND);
      expect(resolver.statistics.coalesced).toBe(1);
      await resolver.close();
      await Promise.all(own);
    }));
});
