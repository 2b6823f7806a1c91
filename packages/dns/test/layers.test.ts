import { describe, expect, it } from 'vitest';
import { OverlayResolver, SharedLookups, ZoneResolver } from '../src/index.ts';
import type { DnsAnswer, RecordType, Resolver } from '../src/index.ts';

describe('OverlayResolver', () => {
  const fallback = new ZoneResolver({
    'example.com': { A: ['198.51.100.1'] },
    'notexample.test': { A: ['198.51.100.2'] },
    'absent.example.test': { A: ['198.51.100.3'] },
  });

  it('answers names at and below the apexes from the zone alone', async () => {
    const zone = new ZoneResolver({ 's1._domainkey.example.test': { TXT: ['k'] } }, { apexes: ['Example.TEST.'] });
    const resolver = new OverlayResolver(zone, fallback);
    expect(await resolver.resolve('S1._domainkey.example.test.', 'TXT')).toMatchObject({ status: 'found' });
    expect(await resolver.resolve('absent.example.test', 'A')).toMatchObject({ status: 'nxdomain' });
    expect(await resolver.resolve('notexample.test', 'A')).toMatchObject({ records: ['198.51.100.2'] });
    expect(await resolver.resolve('example.com', 'A')).toMatchObject({ records: ['198.51.100.1'] });
    expect(await resolver.resolve('a..example.test', 'A')).toMatchObject({ status: 'nxdomain' });
  });

  it('takes the topmost names of the zone for its apexes unless told', () => {
    const zone = new ZoneResolver({
      'a.b.example.test': {},
      'example.test': {},
      'x.other.test': {},
      'y.other.test': {},
    });
    expect(zone.apexes).toEqual(['example.test', 'x.other.test', 'y.other.test']);
    expect(() => new ZoneResolver({}, { apexes: ['..'] })).toThrow(RangeError);
  });
});

/** Counts what is asked, and answers when it is told to. */
class SlowResolver implements Resolver {
  readonly asked: string[] = [];
  readonly #zone = new ZoneResolver({ 'a.example': { A: ['192.0.2.1'] } });
  readonly release: () => void;
  readonly #gate: Promise<void>;

  constructor() {
    const gate = Promise.withResolvers<void>();
    this.#gate = gate.promise;
    this.release = gate.resolve;
  }

  async resolve<T extends RecordType>(name: string, type: T): Promise<DnsAnswer<T>> {
    this.asked.push(`${name} ${type}`);
    await this.#gate;
    return this.#zone.resolve(name, type);
  }
}

describe('SharedLookups', () => {
  it('asks each question once, while it is under way and after', async () => {
    const slow = new SlowResolver();
    const shared = new SharedLookups(slow);
    const both = Promise.all([shared.resolve('a.example', 'A'), shared.resolve('A.example.', 'A')]);
    slow.release();
    const [first, second] = await both;
    expect(second).toBe(first);
    expect(await shared.resolve('a.example', 'A')).toMatchObject({ records: ['192.0.2.1'] });
    expect(await shared.resolve('a.example', 'MX')).toMatchObject({ status: 'nodata' });
    expect(slow.asked).toEqual(['a.example A', 'a.example MX']);
    expect(shared.lookups).toBe(2);
  });

  it('ends every wait at the deadline of the message', async () => {
    const deadline = new AbortController();
    const shared = new SharedLookups(new SlowResolver(), { signal: deadline.signal });
    const answer = shared.resolve('a.example', 'A');
    deadline.abort();
    expect(await answer).toMatchObject({ status: 'temporary-failure', reason: 'timeout' });
    expect(await shared.resolve('b.example', 'A')).toMatchObject({ status: 'temporary-failure', reason: 'timeout' });
  });

  it('lets one caller go without taking the answer from the others', async () => {
    const slow = new SlowResolver();
    const shared = new SharedLookups(slow);
    const impatient = new AbortController();
    const first = shared.resolve('a.example', 'A', { signal: impatient.signal });
    const second = shared.resolve('a.example', 'A');
    impatient.abort();
    expect(await first).toMatchObject({ status: 'temporary-failure', reason: 'timeout' });
    slow.release();
    expect(await second).toMatchObject({ status: 'found' });
  });

  it('asks no more than the maximum, and says so', async () => {
    const slow = new SlowResolver();
    slow.release();
    const shared = new SharedLookups(slow, { maxLookups: 1 });
    await shared.resolve('a.example', 'A');
    expect(shared.exhausted).toBe(false);
    expect(await shared.resolve('b.example', 'A')).toMatchObject({ status: 'temporary-failure', reason: 'refused' });
    expect(shared.exhausted).toBe(true);
    expect(await shared.resolve('a.example', 'A')).toMatchObject({ status: 'found' });
    expect(slow.asked).toEqual(['a.example A']);
  });

  it('lets nobody use up the share of another, and asks nothing twice', async () => {
    const slow = new SlowResolver();
    slow.release();
    const shared = new SharedLookups(slow, { maxLookups: 0 });
    const [one, other] = [shared.share(1), shared.share(1)];
    await one.resolve('a.example', 'A');
    expect(await one.resolve('b.example', 'A')).toMatchObject({ status: 'temporary-failure', reason: 'refused' });
    expect(await other.resolve('a.example', 'A')).toMatchObject({ status: 'found' });
    expect(await other.resolve('b.example', 'A')).not.toMatchObject({ status: 'temporary-failure' });
    expect(await shared.resolve('b.example', 'A')).not.toMatchObject({ status: 'temporary-failure' });
    expect(slow.asked).toEqual(['a.example A', 'b.example A']);
    expect(shared.exhausted).toBe(true);
  });

  it('does not ask for what is no name', async () => {
    const slow = new SlowResolver();
    expect(await new SharedLookups(slow).resolve('a..example', 'A')).toMatchObject({ status: 'nxdomain' });
    expect(slow.asked).toEqual([]);
  });
});
