import { generateMessage, runSeed } from '@zegel/test-harness';
import { parseMessage } from '@zegel/message';
import type { Resolver } from '@zegel/dns';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { beginChainVerification, verifyChain } from '../src/index.ts';
import { now, passOn, testSealer, zoneOf } from './sealer.ts';
import type { TestSealer } from './sealer.ts';

const seed = runSeed();
const parameters = { seed, numRuns: 60 };
const messageAt = (index: number): Buffer => generateMessage(seed, index).wire;
/** A chain is made of the numbers of its sealers. */
const hops = fc.array(fc.nat({ max: 1 }), { minLength: 1, maxLength: 4 });
const message = fc.nat({ max: 60 });

let sealers: readonly TestSealer[];
let resolver: Resolver;

beforeAll(async () => {
  sealers = await Promise.all([testSealer('one.test'), testSealer('two.test', 'ed25519-sha256', 'ed')]);
  resolver = zoneOf(...sealers);
});

async function sealedBy(path: readonly number[], index: number): Promise<Buffer> {
  let raw = messageAt(index);
  for (const at of path) raw = await passOn(raw, sealers[at]!, resolver);
  return raw;
}

const codeOf = async (raw: Uint8Array): Promise<string> => (await verifyChain(raw, { resolver, now })).code;

/** The ARC fields of a message that begins with them, whole, and what follows. */
function split(raw: Buffer, sets: number): { readonly fields: readonly string[]; readonly rest: string } {
  const { header } = parseMessage(raw);
  const fields = header.fields.slice(0, sets * 3).map(({ start, end }) => raw.toString('latin1', start, end));
  return { fields, rest: raw.toString('latin1', header.fields[sets * 3]?.start) };
}

const join = (fields: readonly string[], rest: string): Buffer => Buffer.from(fields.join('') + rest, 'latin1');

describe('properties of chains', () => {
  it('what is sealed verifies, after any number of hops', async () => {
    await fc.assert(
      fc.asyncProperty(hops, message, async (path, index) => {
        const verdict = await verifyChain(await sealedBy(path, index), { resolver, now });
        expect(verdict).toMatchObject({ code: 'arc.pass', sets: path.length, oldestPass: 0 });
      }),
      parameters,
    );
  });

  it('chunk borders in the body do not matter', async () => {
    await fc.assert(
      fc.asyncProperty(message, fc.array(fc.nat({ max: 4_000 }), { maxLength: 8 }), async (index, cuts) => {
        const { header, body } = parseMessage(await sealedBy([0], index));
        const verification = beginChainVerification(header, { resolver, now });
        const borders = [0, ...cuts.map((cut) => Math.min(cut, body.length)).toSorted((a, b) => a - b), body.length];
        for (const [at, border] of borders.entries()) verification.body(body.subarray(borders[at - 1] ?? 0, border));
        expect((await verification.end()).code).toBe('arc.pass');
      }),
      parameters,
    );
  });

  it('a character changed in any ARC field breaks the chain', async () => {
    await fc.assert(
      fc.asyncProperty(hops, message, fc.nat(), fc.nat(), async (path, index, which, where) => {
        const { fields, rest } = split(await sealedBy(path, index), path.length);
        const at = which % fields.length;
        const field = fields[at]!;
        const from = field.indexOf(':') + 1;
        const marks = [...field.slice(from).matchAll(/[^ \t\r\n!]/g)].map(({ index: offset }) => from + offset);
        const place = marks[where % marks.length]!;
        const changed = `${field.slice(0, place)}!${field.slice(place + 1)}`;
        const verdict = await verifyChain(join(fields.with(at, changed), rest), { resolver, now });
        expect(verdict.result, changed).toBe('fail');
      }),
      parameters,
    );
  });

  it('a field left out, repeated or moved to another set breaks the chain', async () => {
    const change = fc.constantFrom<(field: string) => string>(
      () => '',
      (field) => field + field,
      (field) => field.replace(/i=(\d);/, (_tag, digit: string) => `i=${Number(digit) + 1};`),
    );
    await fc.assert(
      fc.asyncProperty(hops, message, fc.nat(), change, async (path, index, which, changed) => {
        const { fields, rest } = split(await sealedBy(path, index), path.length);
        const at = which % fields.length;
        const verdict = await verifyChain(join(fields.with(at, changed(fields[at]!)), rest), { resolver, now });
        expect(verdict.result).toBe('fail');
      }),
      parameters,
    );
  });

  it('the newest sets taken away leave a chain, any others do not', async () => {
    await fc.assert(
      fc.asyncProperty(hops, message, fc.nat(), async (path, index, which) => {
        const { fields, rest } = split(await sealedBy(path, index), path.length);
        const set = which % path.length;
        expect(await codeOf(join(fields.slice(set * 3), rest))).toBe('arc.pass');
        const without = fields.toSpliced(set * 3, 3);
        expect(await codeOf(join(without, rest))).toBe(
          path.length === 1 ? 'arc.none' : set === 0 ? 'arc.pass' : 'arc.missing-set',
        );
      }),
      parameters,
    );
  });

  it('the order of ARC fields, the case of their names and their folding do not matter', async () => {
    await fc.assert(
      fc.asyncProperty(
        hops,
        message,
        fc.array(fc.nat(), { minLength: 12, maxLength: 12 }),
        async (path, index, order) => {
          const { fields, rest } = split(await sealedBy(path, index), path.length);
          const shuffled = fields
            .map((field, at) => ({ field, place: order[at]! }))
            .toSorted((a, b) => a.place - b.place)
            .map(({ field, place }) => {
              const colon = field.indexOf(':');
              const name = place % 2 === 0 ? field.slice(0, colon).toUpperCase() : field.slice(0, colon);
              return name + field.slice(colon).replaceAll(/; (?=[a-z])/g, place % 3 === 0 ? '; ' : ';\r\n\t ');
            });
          expect(await codeOf(join(shuffled, rest))).toBe('arc.pass');
        },
      ),
      parameters,
    );
  });

  it('nothing at all makes a verdict throw', async () => {
    const tag = fc.constantFrom(
      'i=1',
      'i=2',
      'i=01',
      'i=',
      'a=rsa-sha256',
      'b=AAAA',
      'cv=none',
      'cv=pass',
      'd=one.test',
      's=rsa',
      'h=from',
      'h=:',
      'bh=AAAA',
      't=1',
      'c=a/b',
      '=',
      '',
      '\r\n ',
    );
    const octets = fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
    const name = fc.constantFrom('ARC-Seal', 'ARC-Message-Signature', 'ARC-Authentication-Results', 'arc-seal ');
    const field = fc.tuple(name, fc.array(fc.oneof(tag, octets), { maxLength: 10 }));
    await fc.assert(
      fc.asyncProperty(fc.array(field, { maxLength: 9 }), async (fields) => {
        const header = fields.map(([field, tags]) => `${field}: ${tags.join(';')}\r\n`).join('');
        const verdict = await verifyChain(Buffer.from(`${header}From: a@b.test\r\n\r\n`, 'latin1'), { resolver, now });
        expect(['none', 'fail']).toContain(verdict.result);
      }),
      { ...parameters, numRuns: 400 },
    );
  });
});
