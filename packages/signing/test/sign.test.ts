import { createSigningKey, verifyMessage } from '@zegel/dkim';
import type { SigningKey } from '@zegel/dkim';
import { ZoneResolver } from '@zegel/dns';
import { editMessage, parseHeader, parseMessage } from '@zegel/message';
import fc from 'fast-check';
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { beginSigning, sign, signingCodes } from '../src/index.ts';
import type {
  KeySource,
  SigningCode,
  SigningContext,
  SigningOptions,
  SigningPlan,
  SigningResult,
  SigningTable,
} from '../src/index.ts';

const now = new Date('2026-11-24T04:00:00Z');
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const p = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32).toString('base64');

const keyFor = (domain: string, selector = 's'): SigningKey => createSigningKey({ domain, selector, privateKey });

/** Keys by domain; what it was asked for is kept. */
class TestKeys implements KeySource {
  readonly asked: string[] = [];
  readonly #domains: Readonly<Record<string, readonly SigningKey[]>>;

  constructor(domains: Readonly<Record<string, readonly SigningKey[]>>) {
    this.#domains = domains;
  }

  async activeKeys(domain: string): Promise<readonly SigningKey[] | null> {
    this.asked.push(domain);
    return this.#domains[domain] ?? null;
  }
}

const keySource = new TestKeys({
  'example.com': [keyFor('example.com')],
  'xn--bcher-kva.example': [keyFor('xn--bcher-kva.example')],
  'empty.example': [],
  'example.net': [keyFor('example.net', 'one'), keyFor('example.net', 'two')],
});

const fixedTable = (plan: SigningPlan): SigningTable => ({ planFor: () => plan });

const message = (from = 'Ann <ann@example.com>', body = 'Hello.\r\n'): Buffer =>
  Buffer.from(`From: ${from}\r\nSubject: Hi\r\n\r\n${body}`);

const signAs = (
  raw: Uint8Array,
  context: SigningContext = {},
  options: Partial<SigningOptions> = {},
): Promise<SigningResult> => sign(raw, context, { keySource, now, ...options });

const codeOf = async (...args: Parameters<typeof signAs>): Promise<SigningCode> => (await signAs(...args)).code;

describe('sign()', () => {
  it('answers the signatures as edits that a verifier accepts', async () => {
    const raw = message();
    const result = await signAs(raw);
    expect(result).toMatchObject({
      result: 'signed',
      code: 'signing.signed',
      explanation: 'Signed for example.com with s (ed25519-sha256); the author domain is example.com.',
      signatures: [{ domain: 'example.com', selector: 's', algorithm: 'ed25519-sha256' }],
      edits: { remove: [] },
      evidence: { authorDomain: 'example.com', domain: 'example.com' },
    });
    expect(Buffer.concat(result.edits.prepend).toString()).toBe(result.signatures[0]?.field);
    const resolver = new ZoneResolver({ 's._domainkey.example.com': { TXT: [`k=ed25519; p=${p}`] } });
    expect(await verifyMessage(editMessage(raw, result.edits), { resolver, now })).toMatchObject([
      { code: 'dkim.pass' },
    ]);
  });

  it('signs the same in chunks as in one piece', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 40 }), async (size) => {
        const raw = message();
        async function* chunks(): AsyncGenerator<Uint8Array> {
          for (let at = 0; at < raw.length; at += size) yield raw.subarray(at, at + size);
        }
        expect(await sign(chunks(), {}, { keySource, now })).toEqual(await signAs(raw));
      }),
      { numRuns: 40 },
    );
  });

  it('can be asked for an expiration', async () => {
    const [signature] = (await signAs(message(), {}, { validity: 60 })).signatures;
    expect(signature?.field).toContain(`x=${now.getTime() / 1000 + 60};`);
  });
});

describe('RFC 6376 §3.5 i=', () => {
  it('is written when asked for', async () => {
    const [signature] = (await signAs(message(), {}, { identity: 'ann@example.com' })).signatures;
    expect(signature?.field).toContain(' i=ann@example.com;');
  });
});

describe('every code', () => {
  const from = 'From: ann@example.com\r\n';
  const ways: Record<SigningCode, () => Promise<SigningResult>> = {
    'signing.signed': () => signAs(message()),
    'signing.signed-other-domain': () =>
      signAs(message(), {}, { table: fixedTable({ candidates: [{ domain: 'example.net', selectors: ['one'] }] }) }),
    'signing.not-permitted': () => signAs(message(), { submitter: { login: 'eve@example.com' } }),
    'signing.domain-mismatch': () => signAs(message(), { domain: 'example.org' }),
    'signing.unknown-domain': () => signAs(message('a@unknown.example')),
    'signing.no-active-key': () => signAs(message('a@empty.example')),
    'signing.identity-outside-domain': () => signAs(message(), {}, { identity: '@example.org' }),
    'signing.several-author-domains': () => signAs(message('a@example.com, b@example.org')),
    'message.bytes-not-exact': () => signAs(message(), { mayBeDamaged: true }),
    'message.no-header': () => signAs(Buffer.alloc(0)),
    'message.no-from': () => signAs(Buffer.from('To: a\r\n\r\n')),
    'message.several-from': () => signAs(Buffer.from(`${from}${from}\r\n`)),
    'message.from-too-long': () => signAs(message(), {}, { limits: { maxFieldBytes: 10 } }),
    'message.from-unparsable': () => signAs(message('Ann')),
    'message.from-domain-invalid': () => signAs(message('ann@[192.0.2.1]')),
    'message.cut-off': () => signAs(Buffer.from(`${from}Subj`)),
    'message.malformed-field': () => signAs(Buffer.from(`${from}junk\r\n\r\n`)),
    'message.repeated-field': () => signAs(Buffer.from(`${from}To: a\r\nto: b\r\n\r\n`)),
    'message.bare-line-ends': () => signAs(message(undefined, 'a\nb')),
    'message.limit-exceeded': () => signAs(message(), {}, { limits: { maxHeaderFields: 1 } }),
  };

  it.each(Object.entries(ways))('%s is reached, and its words are filled in', async (code, run) => {
    const result = await run();
    expect(result.code).toBe(code);
    expect(`${result.explanation} ${result.advice ?? ''}`).not.toMatch(/[{}?]/);
    const isSigned = code.startsWith('signing.signed');
    expect(result.result).toBe(isSigned ? 'signed' : 'refused');
    expect(result.signatures).toHaveLength(isSigned ? 1 : 0);
    expect(result.edits.prepend).toHaveLength(isSigned ? 1 : 0);
  });

  it('has a way to it here', () => {
    expect(Object.keys(ways).toSorted()).toEqual(Object.keys(signingCodes).toSorted());
  });
});

describe('which domain signs', () => {
  const source = new TestKeys({
    'example.com': [keyFor('example.com')],
    'a.example.com': [keyFor('a.example.com')],
    com: [keyFor('com')],
  });

  it.each([
    ['a.example.com', 'a.example.com'],
    ['b.a.example.com', 'a.example.com'],
    ['b.example.com', 'example.com'],
    ['EXAMPLE.com', 'example.com'],
  ])('the author domain %s, or the nearest above it with keys: %s', async (author, domain) => {
    expect((await signAs(message(`x@${author}`), {}, { keySource: source })).evidence.domain).toBe(domain);
  });

  it('is never a top-level domain, and none far above', async () => {
    expect(await codeOf(message('x@other.com'), {}, { keySource: source })).toBe('signing.unknown-domain');
    const asked = new TestKeys({});
    await signAs(message(`x@${'a.'.repeat(100)}example.com`), {}, { keySource: asked });
    expect(asked.asked).toHaveLength(9);
  });

  it('is not one above when the nearest has no active key', async () => {
    const empty = new TestKeys({ 'a.example.com': [], 'example.com': [keyFor('example.com')] });
    expect(await codeOf(message('x@a.example.com'), {}, { keySource: empty })).toBe('signing.no-active-key');
  });

  it.each([
    ['x@a.example.com', 'example.com', 'signing.signed'],
    ['x@a.example.com', 'Example.COM.', 'signing.signed'],
    ['x@example.com', 'a.example.com', 'signing.domain-mismatch'],
    ['x@notexample.com', 'example.com', 'signing.domain-mismatch'],
    ['x@example.com', 'not a domain', 'signing.domain-mismatch'],
    ['x@example.com', '', 'signing.domain-mismatch'],
  ])('for %s, when %j is asked for: %s', async (author, domain, code) => {
    expect(await codeOf(message(author), { domain }, { keySource: source })).toBe(code);
  });
});

const made = ({ signatures }: SigningResult): string[] =>
  signatures.map(({ domain, selector }) => `${selector}.${domain}`);

const fallback = (afterMissingKey: boolean) => ({ domain: 'example.net', selectors: ['one'], afterMissingKey });

const planned = (plan: SigningPlan, from?: string): Promise<SigningResult> =>
  signAs(message(from), {}, { table: fixedTable(plan) });

describe('a signing table', () => {
  it('chooses the selectors and their order', async () => {
    const candidates = [{ domain: 'example.net', selectors: ['two', 'gone', 'one'] }];
    expect(made(await planned({ candidates }))).toEqual(['two.example.net', 'one.example.net']);
  });

  it('has no active key when none of its selectors is active', async () => {
    const result = await planned({
      candidates: [{ domain: 'example.net', selectors: ['gone'] }, { domain: 'example.com' }],
    });
    expect(result).toMatchObject({ code: 'signing.no-active-key', evidence: { domain: 'example.net' } });
  });

  it('gives each domain its own i= and x=', async () => {
    const plan: SigningPlan = {
      candidates: [{ domain: 'example.com', identity: 'ann@sub.example.com', validity: 3600 }],
      additional: [{ domain: 'example.net', selectors: ['one'], validity: 60 }],
    };
    const result = await planned(plan);
    const [author, besides] = result.signatures.map(({ field }) => field);
    expect(made(result)).toEqual(['s.example.com', 'one.example.net']);
    expect(result.explanation).toContain('s (ed25519-sha256), one (ed25519-sha256) of example.net');
    expect(author).toContain('i=ann@sub.example.com;');
    expect(author).toContain(`x=${now.getTime() / 1000 + 3600};`);
    expect(besides).not.toContain('i=');
    expect(besides).toContain(`x=${now.getTime() / 1000 + 60};`);
  });

  it('signs for an additional domain besides the author, never instead', async () => {
    const additional = [{ domain: 'example.net' }];
    expect((await planned({ candidates: [{ domain: 'unknown.example' }], additional })).code).toBe(
      'signing.unknown-domain',
    );
    const lost = await planned({ candidates: [{ domain: 'example.com' }], additional: [{ domain: 'empty.example' }] });
    expect(lost).toMatchObject({
      code: 'signing.no-active-key',
      signatures: [],
      evidence: { domain: 'empty.example' },
    });
  });

  it('falls back where the author domain is not known, and after a missing key only when told', async () => {
    const unknown = [{ domain: 'unknown.example' }];
    const empty = [{ domain: 'empty.example' }];
    expect(await planned({ candidates: unknown, fallback: fallback(false) }, 'a@unknown.example')).toMatchObject({
      code: 'signing.signed-other-domain',
      evidence: { authorDomain: 'unknown.example', domain: 'example.net' },
    });
    expect((await planned({ candidates: empty, fallback: fallback(false) })).code).toBe('signing.no-active-key');
    expect((await planned({ candidates: empty, fallback: fallback(true) })).code).toBe('signing.signed-other-domain');
  });

  it('says what is wrong with the domain that was chosen, when the fallback is not known either', async () => {
    const nowhere = { domain: 'nowhere.example', afterMissingKey: true };
    expect(await planned({ candidates: [{ domain: 'empty.example' }], fallback: nowhere })).toMatchObject({
      code: 'signing.no-active-key',
      evidence: { domain: 'empty.example' },
    });
    expect(await planned({ candidates: [{ domain: 'unknown.example' }], fallback: nowhere })).toMatchObject({
      code: 'signing.unknown-domain',
      evidence: { lookedFor: 'unknown.example, nowhere.example' },
    });
  });

  it('has nothing to say about who may sign', async () => {
    const table = fixedTable({ candidates: [{ domain: 'example.net' }] });
    expect(await codeOf(message(), { submitter: { login: 'eve@example.net' } }, { table })).toBe(
      'signing.not-permitted',
    );
  });

  it('is not asked when a domain is asked for', async () => {
    const table = fixedTable({ candidates: [{ domain: 'example.net' }] });
    expect((await signAs(message(), { domain: 'example.com' }, { table })).evidence.domain).toBe('example.com');
  });
});

const may = async (
  submitter: SigningContext['submitter'],
  from = 'ann@example.com',
  domain?: string,
): Promise<string> =>
  codeOf(message(from), { ...(submitter && { submitter }), ...(domain !== undefined && { domain }) });

describe('who may sign as whom', () => {
  it.each([
    [{ login: 'ann@example.com' }, 'ann@example.com'],
    [{ login: 'ANN@Example.Com' }, 'Ann <ann@example.com>'],
    [{ login: 'ann@example.com' }, '"ann"@example.com'],
    [{ login: 'ann@bücher.example' }, 'ann@xn--bcher-kva.example'],
    [{ maySignAs: ['ann@XN--BCHER-KVA.example'] }, 'ann@Bücher.example'],
    [{ maySignAs: ['example.com'] }, 'anybody@example.com'],
    [{ maySignAs: ['example.com'] }, 'a@b.example.com'],
    [{ maySignAs: ['EXAMPLE.com.'] }, 'a@example.com'],
    [{ maySignAs: ['example.org', 'ann@example.com'] }, 'ann@example.com'],
    [{ maySignAs: ['*'] }, 'ann@example.com'],
    [{ login: 'ann', maySignAs: ['ann@example.com'] }, 'ann@example.com'],
    [{ maySignAs: ['ann@example.com', 'bob@example.com'] }, 'ann@example.com, bob@example.com'],
  ])('%j as %s', async (submitter, from) => {
    expect(await may(submitter, from)).toBe('signing.signed');
  });

  it.each([
    [{}, 'ann@example.com'],
    [{ ip: '192.0.2.1' }, 'ann@example.com'],
    [{ login: 'ann' }, 'ann@example.com'],
    [{ login: 'ann@example.com' }, 'bob@example.com'],
    [{ login: 'ann@example.com' }, 'ann@a.example.com'],
    [{ login: 'ann@a.example.com' }, 'ann@example.com'],
    [{ login: 'ann@example.com' }, 'ann@example.com, bob@example.com'],
    [{ login: 'ann@example.com' }, '"ann@example.com"@example.com'],
    [{ login: 'k@example.com' }, '\u212a@example.com'],
    [{ login: 'ann@example.com', maySignAs: [] }, 'ann@example.com'],
    [{ login: 'ann@example.com', maySignAs: ['bob@example.com'] }, 'ann@example.com'],
    [{ maySignAs: ['a.example.com'] }, 'ann@example.com'],
    [{ maySignAs: ['ample.com'] }, 'ann@example.com'],
    [{ maySignAs: ['*.com'] }, 'ann@example.com'],
    [{ maySignAs: ['*@example.com'] }, 'ann@example.com'],
    [{ maySignAs: ['@example.com'] }, 'ann@example.com'],
    [{ maySignAs: [''] }, 'ann@example.com'],
    [{ maySignAs: ['@'] }, 'ann@example.com'],
    [{ maySignAs: ['not a domain'] }, 'ann@example.com'],
    [{ maySignAs: ['ann@example.com'] }, 'ann@example.com, eve@example.org'],
  ])('%j not as %s', async (submitter, from) => {
    expect(await may(submitter, from)).toBe('signing.not-permitted');
  });

  it.each([
    [['a.example.com'], 'x@a.example.com', 'example.com', 'signing.signed'],
    [['x@a.example.com'], 'x@a.example.com', 'example.com', 'signing.signed'],
    [['example.com'], 'x@example.com', 'example.org', 'signing.not-permitted'],
    [['example.com'], 'x@example.com', 'a.example.com', 'signing.domain-mismatch'],
    [['*'], 'x@example.com', 'example.org', 'signing.domain-mismatch'],
    [['*'], 'x@example.com', 'example.com', 'signing.signed'],
    [[], 'x@example.com', 'example.com', 'signing.not-permitted'],
  ])('%j, for %s, with %s asked for: %s', async (maySignAs, from, domain, code) => {
    expect(await may({ maySignAs }, from, domain)).toBe(code);
  });

  it('asks for no keys for whoever may not', async () => {
    const source = new TestKeys({});
    await signAs(message(), { submitter: {} }, { keySource: source });
    expect(source.asked).toEqual([]);
  });

  it('is not asked when the caller vouches', async () => {
    expect(await may(undefined)).toBe('signing.signed');
  });
});

describe('a signing run', () => {
  it('needs no body to refuse', () => {
    const run = beginSigning(parseHeader(Buffer.from('To: a\r\n')), {}, { keySource, now });
    expect(run.needsBody).toBe(false);
    run.body(Buffer.from('x'));
    run.abort();
  });

  it('looks for keys as soon as the header is there', () => {
    const source = new TestKeys({});
    beginSigning(parseMessage(message()).header, {}, { keySource: source, now });
    expect(source.asked).toEqual(['example.com']);
  });

  it('refuses a message that grows too large, and hashes no more of it', async () => {
    const { header } = parseMessage(message());
    const run = beginSigning(header, {}, { keySource, now, limits: { maxMessageBytes: 1_000 } });
    for (let turn = 0; turn < 100; turn++) run.body(Buffer.alloc(100, 'x'));
    expect(await run.end()).toMatchObject({
      code: 'message.limit-exceeded',
      evidence: { limit: 'maxMessageBytes', allowed: 1_000, found: header.bytes.length + 2 + 10_000 },
    });
  });

  it('refuses a message of which it could not sign all that it should', async () => {
    const raw = Buffer.concat([Buffer.from('List-Id: <a.example.com>\r\n'.repeat(100)), message()]);
    expect(await sign(raw, {}, { keySource, now })).toMatchObject({
      code: 'message.limit-exceeded',
      evidence: { limit: 'maxSignedFields', allowed: 100 },
    });
  });

  it('accepts a message that is exactly as large as allowed', async () => {
    const raw = message();
    expect(await codeOf(raw, {}, { limits: { maxMessageBytes: raw.length } })).toBe('signing.signed');
    expect(await codeOf(raw, {}, { limits: { maxMessageBytes: raw.length - 1 } })).toBe('message.limit-exceeded');
  });

  it('passes on that the key source or a key is lost, and only to whoever asks', async () => {
    const lost: KeySource = { activeKeys: () => Promise.reject(new Error('no store')) };
    const { header } = parseMessage(message());
    beginSigning(header, {}, { keySource: lost, now }).abort();
    beginSigning(header, {}, { keySource: lost, now });
    await expect(beginSigning(header, {}, { keySource: lost, now }).end()).rejects.toThrow('no store');
    const dead: SigningKey = { ...keyFor('example.com'), sign: () => Promise.reject(new Error('no HSM')) };
    const source = new TestKeys({ 'example.com': [dead, keyFor('example.com')] });
    await expect(signAs(message(), {}, { keySource: source })).rejects.toThrow('no HSM');
  });
});

describe('anything that is handed in', () => {
  const part = fc.constantFrom(
    'From: a@example.com\r\n',
    'From: b\r\n',
    '\r\n',
    '\n',
    '\r',
    ' x\r\n',
    'To: c\r\n',
    'junk\r\n',
    '\0',
    'é',
  );

  it('is signed or refused with words on one line, and never throws', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 12 }), async (parts) => {
        const result = await signAs(Buffer.from(parts.join(''), 'latin1'), { submitter: { login: 'a@example.com' } });
        expect(result.explanation).not.toMatch(/\p{Cc}/u);
        expect(result.signatures).toHaveLength(result.result === 'signed' ? 1 : 0);
      }),
      { numRuns: 500 },
    );
  });

  it('is read in linear time: From of 1 MB of nested comments', async () => {
    const nested = `${'('.repeat(500_000)}${')'.repeat(500_000)} ann@example.com`;
    const limits = { maxFieldBytes: 2e6, maxHeaderBytes: 2e6 };
    expect(await codeOf(message(nested))).toBe('message.from-too-long');
    expect(await codeOf(message(nested), {}, { limits })).toBe('message.from-unparsable');
    expect(await codeOf(message(nested), {}, { limits: { ...limits, maxCommentDepth: 1e6 } })).toBe('signing.signed');
  });
});
