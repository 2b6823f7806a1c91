import { createHash } from 'node:crypto';
import { createBodyCanonicalizer, HeaderCanonicalizer } from '@zegel/canonicalization';
import type { Canonicalization } from '@zegel/canonicalization';
import { MessageScanner, parseMessage } from '@zegel/message';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ZoneResolver } from '@zegel/dns';
import { BodyDigests, beginSigning, beginVerification } from '../src/index.ts';
import type { DkimResult } from '../src/index.ts';
import { parseTagList } from '../src/tag-list.ts';
import { bytesOf, codeOf, crafted, ed25519Key, now, rsaKey, signed, verified, zone } from './ground.ts';

const word = fc.constantFrom('a', 'b', 'é', ':', ';', '=', '\0', ' ', '\t', '\r\n ', '\r\n\t', '  ');
const value = fc.array(word, { maxLength: 12 }).map((parts) => parts.join(''));
const name = fc.constantFrom('Subject', 'X-Other', 'x-other', 'List-Id', 'Received', 'TO');
const body = fc
  .array(fc.constantFrom('\r\n', ' ', '\t', 'a', 'é', '\0', '.', '\r\n\r\n', '--x'), { maxLength: 30 })
  .map((parts) => parts.join(''));

/** A message that may be signed: one From, no other field twice that must not be. */
const message = fc
  .tuple(
    fc.uniqueArray(fc.tuple(name, value), { selector: ([each]) => each.toLowerCase(), maxLength: 6 }),
    value,
    body,
    fc.nat(6),
  )
  .map(([fields, from, text, place]) => {
    const lines = fields.map(([each, content]) => `${each}:${content}\r\n`);
    lines.splice(place, 0, `From:${from}\r\n`);
    return `${lines.join('')}\r\n${text}`;
  });

const canonicalization = fc.record({
  header: fc.constantFrom<Canonicalization>('simple', 'relaxed'),
  body: fc.constantFrom<Canonicalization>('simple', 'relaxed'),
});

function cut(text: string, borders: readonly number[]): readonly Uint8Array[] {
  const bytes = bytesOf(text);
  const cuts = [0, ...borders.map((at) => Math.min(at, bytes.length)), bytes.length].toSorted((a, b) => a - b);
  return cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end));
}

async function verifyChunks(chunks: readonly Uint8Array[]): Promise<readonly DkimResult[]> {
  const scanner = new MessageScanner();
  const bodies = chunks.map((chunk) => scanner.push(chunk));
  const run = beginVerification(scanner.end(), { resolver: new ZoneResolver(zone), now });
  for (const each of bodies) run.body(each);
  return run.end();
}

describe('any message that we sign', () => {
  it('verifies, with any key, canonicalization and chunks', async () => {
    await fc.assert(
      fc.asyncProperty(
        message,
        canonicalization,
        fc.boolean(),
        fc.array(fc.nat(400)),
        async (text, form, isRsa, borders) => {
          const result = await signed(text, { keys: [isRsa ? rsaKey : ed25519Key], canonicalization: form });
          expect((await verifyChunks(cut(result, borders))).map(({ code }) => code)).toEqual(['dkim.pass']);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('is signed alike in one piece and in chunks', async () => {
    await fc.assert(
      fc.asyncProperty(message, canonicalization, fc.array(fc.nat(200)), async (text, form, borders) => {
        const { header, body: whole } = parseMessage(bytesOf(text));
        const run = beginSigning(header, { keys: [ed25519Key], now, canonicalization: form });
        for (const chunk of cut(Buffer.from(whole).toString('latin1'), borders)) run.body(chunk);
        const outcome = await run.end();
        const field = outcome.ok
          ? Buffer.from(outcome.signatures[0]?.field ?? '').toString('latin1')
          : outcome.problem.code;
        expect(field + text).toBe(await signed(text, { canonicalization: form }));
      }),
      { numRuns: 200 },
    );
  });
});

/** What a signature over From, Subject and X-Other covers: their canonical form, and that of the body. */
function canonicalForm(text: string, header: Canonicalization, form: Canonicalization): string {
  const parsed = parseMessage(bytesOf(text));
  const fields = new HeaderCanonicalizer(header);
  for (const covered of ['from', 'subject', 'x-other']) {
    for (const { name: each, start, colon, end } of parsed.header.fields.toReversed()) {
      if (each === covered) fields.add(parsed.header.bytes, start, colon, end);
    }
  }
  const parts = [Buffer.from(fields.bytes()), Buffer.from('|')];
  const canonicalizer = createBodyCanonicalizer(form, (bytes) => parts.push(Buffer.from(bytes)));
  canonicalizer.update(parsed.body);
  canonicalizer.end();
  return Buffer.concat(parts).toString('latin1');
}

describe('any change after signing', () => {
  it('breaks the signature if it alters the canonical form of what is signed, and only then', async () => {
    const change = fc.tuple(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.nat(2),
      fc.constantFrom('', ' ', '\t', 'a', 'A', '\r\n', '\r\n ', ':', 'x'),
    );
    let kept = 0;
    let broken = 0;
    await fc.assert(
      fc.asyncProperty(message, canonicalization, change, async (text, form, [place, removed, added]) => {
        const c = `${form.header}/${form.body}`;
        // Each name once more than it occurs, so that a field that is put in or renamed counts as well.
        const result = crafted({ h: 'from:from:subject:subject:x-other:x-other:x-other', c }, { text });
        const signature = result.slice(0, result.length - text.length);
        const at = Math.floor(place * text.length);
        const changed = text.slice(0, at) + added + text.slice(at + removed);
        // An indented first line would continue the signature above it, and so change that.
        fc.pre(!/^[ \t]/.test(changed));
        const same = canonicalForm(text, form.header, form.body) === canonicalForm(changed, form.header, form.body);
        const [code] = (await codeOf(signature + changed)).split(', ');
        expect(code === 'dkim.pass').toBe(same);
        if (same) kept++;
        else broken++;
      }),
      { numRuns: 1_500 },
    );
    expect(Math.min(kept, broken)).toBeGreaterThan(100);
  });
});

describe('any signature field', () => {
  const tag = fc.tuple(
    fc.constantFrom('v', 'a', 'b', 'bh', 'c', 'd', 'h', 'i', 'l', 'q', 's', 't', 'x', 'z'),
    fc.oneof(
      fc.constantFrom(
        '1',
        'rsa-sha256',
        'ed25519-sha256',
        'AAAA',
        'relaxed/simple',
        'example.com',
        'from:to',
        'e',
        '0',
        '',
        ' ',
      ),
      fc.string({ unit: 'binary-ascii', maxLength: 8 }),
    ),
  );
  const fields = fc
    .array(tag, { maxLength: 14 })
    .map((tags) => tags.map(([each, content]) => `${each}=${content}`).join(';'));

  it('gives one result with a code, and never an exception', async () => {
    await fc.assert(
      fc.asyncProperty(fields, async (list) => {
        // A line end in the list would begin another field.
        const text = `DKIM-Signature: ${list.replaceAll('\n', '')}\r\nFrom: a@example.com\r\n\r\nbody\r\n`;
        const results = await verified(text);
        expect(results).toHaveLength(1);
        expect(results[0]?.explanation).not.toMatch(/\p{Cc}/u);
        expect(JSON.parse(JSON.stringify(results))).toStrictEqual(results);
      }),
      { numRuns: 1_000 },
    );
  });

  it('has a tag list that says where each value stands', () => {
    fc.assert(
      fc.property(fields, (list) => {
        const parsed = parseTagList(list);
        for (const [each, { value: content, start, end }] of parsed.ok ? parsed.tags : []) {
          expect(list.slice(start, end)).toContain(content);
          expect(list.slice(0, start)).toMatch(new RegExp(`(^|;)[ \\t]*${each}[ \\t]*=$`));
        }
      }),
    );
  });
});

describe('any set of l=', () => {
  it('gives the digests that hashing each beginning gives', () => {
    fc.assert(
      fc.property(
        body,
        fc.array(fc.option(fc.nat(70), { nil: undefined }), { maxLength: 8 }),
        fc.array(fc.nat(70)),
        (text, lengths, borders) => {
          const shared = new BodyDigests();
          const requests = lengths.map((length) => shared.request('relaxed', length));
          const parts: Buffer[] = [];
          const canonicalizer = createBodyCanonicalizer('relaxed', (bytes) => parts.push(Buffer.from(bytes)));
          canonicalizer.update(bytesOf(text));
          canonicalizer.end();
          const whole = Buffer.concat(parts);
          const hashed = (length = Infinity): string =>
            createHash('sha256').update(whole.subarray(0, length)).digest('base64');
          for (const chunk of cut(text, borders)) shared.update(chunk);
          shared.end();
          const expected = lengths.map((length) => hashed(length));
          expect(requests.map((request) => request().value)).toEqual(expected);

          const atOnce = new BodyDigests();
          const again = lengths.map((length) => atOnce.request('relaxed', length));
          atOnce.watchLineEnds();
          atOnce.whole(bytesOf(text));
          expect(again.map((request) => request().value)).toEqual(expected);
          expect(again.every((request) => request().canonicalLength === whole.length)).toBe(true);
          expect(atOnce.bareLineEnds).toBe(/\r(?!\n)|(?<!\r)\n/.test(text));
        },
      ),
    );
  });
});
