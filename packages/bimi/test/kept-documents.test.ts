import { describe, expect, it } from 'vitest';
import { bimiLimits } from '../src/index.ts';
import type { BimiLimits, DocumentRequest, FetchedDocument } from '../src/index.ts';
import { keepDocuments } from '../src/kept-documents.ts';

/** A fetcher that says what it was asked, behind a keeper whose clock stands until it is moved. */
function keeper(limits: Partial<BimiLimits> = {}, answer?: (url: string) => Promise<FetchedDocument>) {
  const asked: string[] = [];
  const clock = { time: 0 };
  const fetchDocument = keepDocuments(
    async ({ url }) => {
      asked.push(url);
      return answer ? answer(url) : { status: 'fetched', url, body: Buffer.alloc(100) };
    },
    { ...bimiLimits, ...limits },
    () => new Date(clock.time),
  );
  const get = (url: string, request: Partial<DocumentRequest> = {}) =>
    fetchDocument({ url, mediaTypes: ['image/svg+xml'], maxBytes: 1000, ...request });
  return { asked, clock, get };
}

const failing = async (url: string) => ({ status: 'failed', url, failure: 'status' }) as const;

describe('documents that are kept', () => {
  it('are fetched once, also when several want them at once, and again when their time is over', async () => {
    const { asked, clock, get } = keeper({ keepTime: 1000 });
    await Promise.all([get('a'), get('a')]);
    clock.time = 999;
    expect((await get('a')).status).toBe('fetched');
    expect(asked).toEqual(['a']);
    clock.time = 1000;
    await get('a');
    expect(asked).toEqual(['a', 'a']);
  });

  it('are told apart by what they were asked to be', async () => {
    const { asked, get } = keeper();
    await get('a');
    await get('a', { mediaTypes: ['text/plain'] });
    expect(asked).toEqual(['a', 'a']);
  });

  it('may be failures, for a shorter time', async () => {
    const { asked, clock, get } = keeper({ keepTime: 1000, keepFailureTime: 10 }, failing);
    await get('a');
    clock.time = 9;
    expect(await get('a')).toMatchObject({ failure: 'status' });
    clock.time = 10;
    await get('a');
    expect(asked).toEqual(['a', 'a']);
  });

  it('are asked for again when the resolver breaks, which is no answer', async () => {
    const { asked, get } = keeper({}, () => Promise.reject(new Error('broken')));
    await expect(get('a')).rejects.toThrow('broken');
    await expect(get('a')).rejects.toThrow('broken');
    expect(asked).toEqual(['a', 'a']);
  });

  it('make room in the order of their last use, by number and by size', async () => {
    for (const limits of [{ keptDocuments: 2 }, { keptBytes: 250 }]) {
      const { asked, get } = keeper(limits);
      for (const url of ['a', 'b', 'a', 'c', 'a', 'b']) await get(url);
      expect(asked).toEqual(['a', 'b', 'c', 'b']);
    }
  });

  it('may be larger than all that is kept', async () => {
    const { asked, get } = keeper({ keptBytes: 50 });
    expect((await get('a')).status).toBe('fetched');
    await get('a');
    expect(asked).toEqual(['a', 'a']);
  });

  it('are waited for no longer than a signal allows, and kept for the others', async () => {
    const { promise, resolve } = Promise.withResolvers<FetchedDocument>();
    const { asked, get } = keeper({}, () => promise);
    const ending = new AbortController();
    const [ended, other] = [get('a', { signal: ending.signal }), get('a')];
    ending.abort();
    expect(await ended).toEqual({ status: 'failed', url: 'a', failure: 'timeout' });
    expect(await get('a', { signal: ending.signal })).toMatchObject({ failure: 'timeout' });
    resolve({ status: 'fetched', url: 'a', body: Buffer.from('x') });
    expect((await other).status).toBe('fetched');
    expect(asked).toEqual(['a']);
  });
});
