import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildKernel } from '../kernel/build.ts';
import type { BodyCanonicalizer } from '../src/body.ts';
import { HeaderCanonicalizer, canonicalizeWholeBody, canonicalizeWholeHeader } from '../src/index.ts';
import type { CanonicalSink, FieldOffsets } from '../src/index.ts';
import { loadKernel, maxPortion } from '../src/kernel.ts';
import { LineEndWatch } from '../src/line-end-watch.ts';
import { PlainRelaxedBody } from '../src/plain-relaxed-body.ts';
import { RelaxedBody } from '../src/relaxed-body.ts';

const kernel = loadKernel()!;

interface Outcome {
  readonly canonical: string;
  readonly bare: boolean | null;
}

function run(create: (sink: CanonicalSink) => BodyCanonicalizer, chunks: readonly Uint8Array[]): Outcome {
  const out: Uint8Array[] = [];
  const body = create((bytes) => out.push(Buffer.from(bytes)));
  for (const chunk of chunks) body.update(chunk);
  body.end();
  return { canonical: Buffer.concat(out).toString('latin1'), bare: body.bareLineEnds };
}

function watch(lineEnds: LineEndWatch, chunks: readonly Uint8Array[]): boolean {
  for (const chunk of chunks) lineEnds.update(chunk);
  lineEnds.end();
  return lineEnds.bare;
}

function cut(bytes: Buffer, borders: readonly number[]): readonly Uint8Array[] {
  const cuts = [0, ...borders.map((border) => border % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end));
}

/** Octets where what matters is frequent, or where it is rare, in runs shorter and longer than a vector. */
const octets = fc
  .array(
    fc.oneof(
      fc.constantFrom('\r\n', '\r', '\n', ' ', '\t', ' \r\n', '\r\n\r\n', 'a', 'a b', 'é', '\0'),
      fc.tuple(fc.constantFrom(' ', '\t', 'a', '\r\n', '\r', 'word '), fc.nat(40)).map(([part, n]) => part.repeat(n)),
    ),
    { maxLength: 30 },
  )
  .map((parts) => Buffer.from(parts.join(''), 'latin1'));
const borders = fc.array(fc.nat(100_000), { maxLength: 20 });

describe('The kernel', () => {
  it('is what the source beside it compiles to', async () => {
    const committed = await readFile(new URL('../src/kernel-code.ts', import.meta.url), 'utf8');
    expect(await buildKernel()).toBe(committed);
  });

  it('relaxes a body and notices bare line ends as the plain code does, wherever the chunk borders fall', () => {
    fc.assert(
      fc.property(octets, borders, (bytes, at) => {
        const expected = run((sink) => new PlainRelaxedBody(sink), [bytes]);
        expect(run((sink) => new RelaxedBody(sink, kernel), cut(bytes, at))).toEqual(expected);
        expect(run((sink) => new PlainRelaxedBody(sink), cut(bytes, at))).toEqual(expected);
        expect(expected.bare).toBe(/\r(?!\n)|(?<!\r)\n/.test(bytes.toString('latin1')));
      }),
      { numRuns: 2000 },
    );
  });

  it('does so for any octets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), borders, (octets, at) => {
        const chunks = cut(Buffer.from(octets), at);
        expect(run((sink) => new RelaxedBody(sink, kernel), chunks)).toEqual(
          run((sink) => new PlainRelaxedBody(sink), chunks),
        );
      }),
    );
  });

  it('relaxes a whole body at once as it does in chunks', () => {
    fc.assert(
      fc.property(octets, fc.constantFrom('\r\n', '\n', ' \r\n', '', ' ', '\r'), (head, tail) => {
        const body = Buffer.concat([head, Buffer.from(tail)]);
        const expected = run((sink) => new PlainRelaxedBody(sink), [body]);
        const whole = canonicalizeWholeBody('relaxed', body);
        expect(whole !== null).toBe(body.length >= 2 && body.at(-1) === 0x0a);
        if (whole === null) return;
        const canonical = Buffer.from(whole.bytes).toString('latin1');
        expect({ canonical, bare: whole.bareLineEnds }).toEqual(expected);
      }),
      { numRuns: 1000 },
    );
  });

  it('does so across the borders of its portions', () => {
    const seam = fc.stringMatching(/^[\r\n \ta]{1,6}$/);
    const filler = fc.constantFrom('x', 'x y', 'x\r\n', 'x \t', '\r\n', ' ', '\r');
    fc.assert(
      fc.property(filler, seam, fc.integer({ min: -6, max: 6 }), (fill, text, shift) => {
        const head = fill.repeat(maxPortion).slice(0, maxPortion - 3 + shift);
        const bytes = Buffer.from(`${head}${text}${fill}b`, 'latin1');
        const expected = run((sink) => new PlainRelaxedBody(sink), [bytes]);
        const found = run((sink) => new RelaxedBody(sink, kernel), [bytes]);
        expect(found.bare).toBe(expected.bare);
        expect(found.canonical === expected.canonical).toBe(true);
        expect(watch(new LineEndWatch(kernel), [bytes])).toBe(expected.bare);
      }),
      { numRuns: 200 },
    );
  });

  it('may be used by several bodies in turn', () => {
    fc.assert(
      fc.property(fc.array(octets, { minLength: 2, maxLength: 4 }), (bodies) => {
        const outs = bodies.map((): Uint8Array[] => []);
        const runs = outs.map((out) => new RelaxedBody((bytes) => out.push(Buffer.from(bytes)), kernel));
        const longest = Math.max(...bodies.map((body) => body.length));
        for (let from = 0; from < longest; from += 7) {
          for (const [index, body] of bodies.entries()) runs[index]!.update(body.subarray(from, from + 7));
        }
        for (const one of runs) one.end();
        expect(outs.map((out) => Buffer.concat(out).toString('latin1'))).toEqual(
          bodies.map((body) => run((sink) => new PlainRelaxedBody(sink), [body]).canonical),
        );
      }),
    );
  });
});

const latin1 = (header: HeaderCanonicalizer): string => Buffer.from(header.bytes()).toString('latin1');

/** Where fields stand that follow one another. */
function offsetsOf(fields: readonly string[]): readonly FieldOffsets[] {
  let start = 0;
  return fields.map((one) => {
    const from = start;
    start += one.length;
    return { start: from, colon: from + one.indexOf(':'), end: start };
  });
}

describe('The kernel, for header fields,', () => {
  const text = octets.map((bytes) => bytes.toString('latin1'));
  const name = fc.constantFrom('X', 'Subject ', 'From\t', 'DKIM-Signature', 'A-very-long-name-of-a-header-field');
  const field = fc.tuple(name, text, fc.boolean()).map(([start, value, ended]) => {
    return `${start}:${value.replace(/\r$/, '')}${ended ? '\r\n' : ''}`;
  });

  it('relaxes them as the plain code does, with a gap in the last one', () => {
    fc.assert(
      fc.property(fc.array(field, { maxLength: 8 }), field, fc.nat(), fc.nat(), (others, last, one, other) => {
        const fields = [...others, last];
        const bytes = Buffer.from(fields.join(''), 'latin1');
        const offsets = offsetsOf(fields);
        const end = offsets.at(-1)!;
        // No border of the gap may stand inside a CRLF.
        const valueLength = end.end - end.colon;
        const borders = [one, other]
          .map((place) => end.colon + 1 + (place % valueLength))
          .map((at) => (bytes[at] === 0x0a && bytes[at - 1] === 0x0d ? at - 1 : at))
          .toSorted((a, b) => a - b);
        const gapped = { ...end, valueStart: borders[0]!, valueEnd: borders[1]! };
        const [fast, plain] = [kernel, null].map((by) => {
          const header = new HeaderCanonicalizer('relaxed', by);
          header.addAll(bytes, offsets.slice(0, -1));
          header.addAll(bytes, offsets, gapped);
          return latin1(header);
        });
        expect(fast).toBe(plain);
        for (const form of ['relaxed', 'simple'] as const) {
          const kept = new HeaderCanonicalizer(form, null);
          kept.addAll(bytes, offsets, gapped);
          const whole = canonicalizeWholeHeader(form, bytes, offsets, gapped);
          expect(Buffer.from(whole).toString('latin1')).toBe(latin1(kept).slice(0, -2));
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('leaves to the plain code what does not fit in its memory', () => {
    const long = `Subject: ${'a  b'.repeat(20_000)}\r\n`;
    const bytes = Buffer.from(long, 'latin1');
    const header = new HeaderCanonicalizer('relaxed');
    header.addAll(bytes, [...offsetsOf([long]), ...offsetsOf([long])]);
    expect(latin1(header)).toBe(`subject:${'a b'.repeat(20_000)}\r\n`.repeat(2));
    const many = offsetsOf([`A: ${'b'.repeat(30_000)}\r\n`]);
    const repeated = new HeaderCanonicalizer('relaxed');
    repeated.addAll(Buffer.from(`A: ${'b'.repeat(30_000)}\r\n`), [...many, ...many, ...many]);
    expect(latin1(repeated)).toBe(`a:${'b'.repeat(30_000)}\r\n`.repeat(3));
    const [last] = offsetsOf([long]);
    const whole = canonicalizeWholeHeader('relaxed', bytes, [], { ...last!, valueStart: 9, valueEnd: 9 });
    expect(Buffer.from(whole).toString('latin1')).toBe(`subject:${'a b'.repeat(20_000)}`);
  });
});

describe('RFC 5321 §2.3.8 lines', () => {
  it('end in CRLF alone: the kernel and the plain code notice a CR or LF by itself, wherever the chunk borders fall', () => {
    fc.assert(
      fc.property(octets, borders, (bytes, at) => {
        const expected = /\r(?!\n)|(?<!\r)\n/.test(bytes.toString('latin1'));
        for (const chunks of [[bytes], cut(bytes, at), Array.from(bytes, (octet) => Uint8Array.of(octet))]) {
          expect(watch(new LineEndWatch(kernel), chunks)).toBe(expected);
          expect(watch(new LineEndWatch(null), chunks)).toBe(expected);
        }
      }),
      { numRuns: 500 },
    );
  });
});
