import { parseAuthenticationResults } from '@zegel/auth-results';
import { ZoneResolver } from '@zegel/dns';
import type { Resolver, ZoneDeclaration } from '@zegel/dns';
import { editMessage, parseMessage } from '@zegel/message';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { authenticate, authenticationReportSchema, beginAuthentication, noticeCodes } from '../src/index.ts';
import type { AuthenticationResult, NoticeCode } from '../src/index.ts';
import {
  RecordingResolver,
  bytesOf,
  check,
  context,
  message,
  options,
  session,
  signed,
  silent,
  zone,
} from './ground.ts';

const codes = ({ report }: AuthenticationResult): string[] => [
  ...report.dkim.map(({ code }) => code),
  report.spf.mailFrom.code,
  report.spf.helo.code,
  report.dmarc.code,
];
const written = async (text: string, changes?: Parameters<typeof check>[1]): Promise<string> =>
  (await check(text, changes)).report.authenticationResults.replaceAll(/\s+/g, ' ');

/** The message as the door hands it on. */
const edited = (text: string, { edits }: AuthenticationResult): string =>
  Buffer.from(editMessage(bytesOf(text), edits)).toString('latin1');

describe('authenticate()', () => {
  it('says what every check found', async () => {
    const result = await check(await signed());
    expect(codes(result)).toEqual(['dkim.pass', 'spf.pass', 'spf.pass', 'dmarc.pass-both']);
    expect(result.report).toMatchObject({ notices: [], limits: [] });
    expect(result.edits.remove).toEqual([]);
  });

  it('writes it on top of the message', async () => {
    const text = await signed();
    const out = edited(text, await check(text));
    expect(out.endsWith(text)).toBe(true);
    // The value of header.b is quoted when the signature happens to begin with a "/".
    const field = out.slice(0, -text.length).replaceAll(/\s+/g, ' ').replaceAll('"', '');
    const [, b = ''] = /b=\r\n\t(.{8})/.exec(text) ?? [];
    expect(field).toBe(
      'Authentication-Results: mx.example.net; iprev=pass policy.iprev=192.0.2.1; ' +
        `dkim=pass header.d=example.com header.s=s header.a=ed25519-sha256 header.b=${b}; ` +
        'spf=pass smtp.mailfrom=example.com; dmarc=pass header.from=example.com policy.dmarc=reject ',
    );
  });

  it('gives the same in chunks as in one piece', async () => {
    const text = await signed();
    const whole = await check(text);
    for (const size of [1, 7, 64]) {
      async function* chunks(): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < text.length; at += size) yield bytesOf(text.slice(at, at + size));
      }
      expect(await authenticate(chunks(), context, options)).toStrictEqual(whole);
    }
  });

  it('takes what the door does not know for unknown', async () => {
    const result = await check(await signed(), { context: {} });
    expect(codes(result)).toEqual(['dkim.pass', 'spf.not-checked', 'spf.not-checked', 'dmarc.pass-dkim']);
    expect(result.report.authenticationResults).not.toContain('spf=');
  });
});

describe('RFC 7208 §2.4 MAIL FROM and HELO', () => {
  it('are two verdicts, and HELO is no help to MAIL FROM (CVE-2019-20790)', async () => {
    const spoofed = {
      session: { ip: '192.0.2.66', helo: 'attack.test' },
      envelope: { mailFrom: 'ann@example.com' },
    };
    const result = await check(message, { context: spoofed });
    expect(codes(result)).toEqual(['dkim.none', 'spf.fail', 'spf.pass', 'dmarc.not-authenticated']);
    expect(result.report.authenticationResults).not.toContain('spf=pass');
    expect(result.report.authenticationResults).not.toContain('attack.test');
  });

  it('names the HELO name when the reverse-path is null', async () => {
    expect(await written(message, { context: { session, envelope: { mailFrom: '' } } })).toContain(
      'spf=pass smtp.helo=mx.example.com;',
    );
  });
});

describe('RFC 5321 §4.1.2 the reverse-path', () => {
  it.each(['ann@ example.com', 'ann@\t example.com'])('%j is taken as MTAs take it', async (mailFrom) => {
    const { report } = await check(message, { context: { session, envelope: { mailFrom } } });
    expect(report.spf.mailFrom).toMatchObject({ result: 'pass', domain: 'example.com' });
  });

  it.each(['@relay.example:ann@example.com', '@a.example,@b.example:ann@ example.com'])(
    'Appendix C: the source route of %j is no part of the sender',
    async (mailFrom) => {
      const byLocalPart = new ZoneResolver({
        'example.com': { TXT: ['v=spf1 exists:%{l}._spf.example.com -all'] },
        'ann._spf.example.com': { A: ['127.0.0.2'] },
      });
      const { report } = await check(message, {
        context: { session, envelope: { mailFrom } },
        options: { resolver: byLocalPart },
      });
      expect(report.spf.mailFrom).toMatchObject({ result: 'pass', evidence: { sender: 'ann@example.com' } });
    },
  );

  it.each(['@relay.example:', '@example.com', 'ann'])('%j is not the null reverse-path', async (mailFrom) => {
    const { report } = await check(message, { context: { session, envelope: { mailFrom } } });
    expect(report.spf.mailFrom).toMatchObject({ identity: 'mailfrom', evidence: { mailFrom } });
    expect(report.spf.mailFrom.domain).not.toBe('mx.example.com');
  });

  it.each(['ann@example.com x', 'ann@example .com', 'example.com ann'])('%j has no domain', async (mailFrom) => {
    const { report } = await check(message, { context: { session, envelope: { mailFrom } } });
    expect(report.spf.mailFrom.result).not.toBe('pass');
    expect(report.dmarc.result).toBe('fail');
  });
});

describe('RFC 9989 the author', () => {
  it.each([
    ['no From', 'Subject: x\r\n\r\n', 'message.no-from'],
    ['two From fields', `From: x@example.com\r\n${message}`, 'message.several-from'],
    [
      'a From field and an indented one',
      `Subject: x\r\nFrom\r\n : <x@example.com>\r\n${message}`,
      'message.several-from',
    ],
    ['a From that cannot be read', 'From: x\r\n\r\n', 'message.from-unparsable'],
    ['an address literal', 'From: x@[192.0.2.1]\r\n\r\n', 'message.from-domain-invalid'],
    ['a From that is too long', `From: x@example.com (${'x'.repeat(65_536)})\r\n\r\n`, 'message.from-too-long'],
  ])('of a message with %s is not known, and DMARC says permerror', async (_what, text, code) => {
    const { report } = await check(text);
    expect(report.notices.map((notice) => notice.code)).toContain(code);
    expect(report.dmarc.result).toBe('permerror');
    expect(report.authenticationResults).toContain('dmarc=permerror');
  });

  it('may be several of one domain, and not of several', async () => {
    const both = await signed('From: a@example.com, b@example.com\r\n\r\n');
    expect((await check(both)).report.dmarc.result).toBe('pass');
    const mixed = await signed('From: a@example.com, b@attack.test\r\n\r\n');
    expect((await check(mixed)).report.dmarc).toMatchObject({
      result: 'permerror',
      code: 'dmarc.several-author-domains',
    });
  });
});

describe('RFC 8601 §5 forged results', () => {
  const forged = 'Authentication-Results: MX.example.net; dmarc=pass header.from=example.com\r\n';
  const foreign = 'Authentication-Results: other.example; dmarc=fail header.from=example.com\r\n';

  it('go, wherever they stand, and ours comes on top', async () => {
    const text = `${forged}${foreign}Authentication-Results : mx.example.net; spf=pass\r\n${foreign}${forged}${message}`;
    const result = await check(text);
    expect(result.edits.remove).toEqual(
      [1, 3, 5].map((occurrence) => ({ name: 'authentication-results', occurrence })),
    );
    expect(edited(text, result).match(/authentication-results ?:.{6}/gi)).toHaveLength(3);
  });

  it('go under the other names that are ours too', async () => {
    const result = await check(foreign + message, { options: { ourAuthservIds: ['other.example'] } });
    expect(result.edits.remove).toEqual([{ name: 'authentication-results', occurrence: 1 }]);
  });

  it.each([
    ['a result', ' ; dmarc=pass header.from=example.com\r\n'],
    ['a From field', ' From: <x@example.com>\r\n'],
    ['one that names ours', '\tAuthentication-Results: mx.example.net; dmarc=pass\r\n'],
    ['and folded', ' x\r\n ; dmarc=pass\r\n'],
  ])('cannot be slipped into ours by an indented first line: %s', async (_what, line) => {
    const result = await check(line + message, { context: {} });
    expect(result.edits.remove).toEqual([{ name: '', occurrence: 1 }]);
    const { header } = parseMessage(bytesOf(edited(line + message, result)));
    expect(header.fields.map(({ name }) => name)).toEqual(['authentication-results', 'from', 'subject']);
    expect(edited(line + message, result)).not.toContain('dmarc=pass');
    expect(result.report.notices.map(({ code }) => code)).toContain('message.indented-first-line');
  });
});

describe('messages above a limit', () => {
  const large = [
    ['5,000 header fields', 'X: y\r\n'.repeat(5_000) + message],
    ['2 MB of header', `${`X: ${'y'.repeat(60_000)}\r\n`.repeat(36)}${message}`],
    ['a field of 384 kB of tiny folds', `Subject:${'\r\n a'.repeat(98_304)}\r\n${message}`],
    ['a field of 384 kB of blanks behind a bare LF', `Subject:\n${' '.repeat(393_216)}\r\n${message}`],
    ['a field of 384 kB of bare LF', `Subject:${'\n'.repeat(393_216)}\r\n${message}`],
  ] as const;

  it.each(large)('(%s) are not checked and say so', async (_what, text) => {
    const forged = `Authentication-Results: mx.example.net${'; dkim=pass'.repeat(10_000)}\r\n`;
    const result = await check(forged + text);
    expect(result.report.dkim).toMatchObject([{ result: 'permerror', code: 'message.limit-exceeded' }]);
    expect(result.report.dmarc).toMatchObject({ result: 'permerror', code: 'message.limit-exceeded' });
    expect(result.report.limits).toEqual(['message.limit-exceeded']);
    expect(result.edits.remove).toEqual([{ name: 'authentication-results', occurrence: 1 }]);
    expect(result.report.authenticationResults).toContain('dmarc=permerror reason=message.limit-exceeded');
    expect(authenticationReportSchema.parse(result.report)).toStrictEqual(result.report);
  });

  it('are those with a body beyond it too, and no more of it is hashed', async () => {
    const text = await signed();
    const limits = { maxMessageBytes: text.length - 1 };
    const result = await check(text, { options: { limits } });
    expect(result.report.dkim).toMatchObject([{ result: 'permerror', code: 'message.limit-exceeded' }]);
    expect(result.report.notices[0]?.explanation).toContain(`${text.length}, and ${text.length - 1}`);
    expect((await check(text, { options: { limits: { maxMessageBytes: text.length } } })).report.limits).toEqual([]);
  });

  it('do not hide behind junk signatures, and are asked for once', async () => {
    const [field = ''] = (await signed(message, 'attack.test')).split('From:');
    const recording = new RecordingResolver();
    const result = await check(field.repeat(900) + (await signed()), { options: { resolver: recording } });
    expect(result.report.dkim).toHaveLength(901);
    expect(result.report.dkim.at(-1)).toMatchObject({ code: 'dkim.pass' });
    expect(result.report.limits).toEqual(['dkim.too-many-signatures']);
    expect(result.report.dmarc.result).toBe('pass');
    expect(new Set(recording.asked).size).toBe(recording.asked.length);
  });
});

/** A signature that can be read, with a key at a name of its own. */
const unsigned = (selector: string): string =>
  `DKIM-Signature: v=1; a=ed25519-sha256; d=attack.test; s=${selector}; h=from; bh=AAAA; b=AAAA\r\n`;

describe('every notice', () => {
  const from = 'From: a@example.com\r\n';
  const ways: Record<NoticeCode, () => Promise<AuthenticationResult>> = {
    'message.line-ends-normalised': () => check(message, { context: { lineEndsNormalized: true } }),
    'message.bare-line-ends': () => check(`${message}\n`),
    'message.bytes-not-exact': () => check(message, { context: { mayBeDamaged: true } }),
    'message.no-header': () => check('\r\nbody'),
    'message.cut-off': () => check(`${from}Subj`),
    'message.malformed-field': () => check(`${from}junk\r\n\r\n`),
    'message.indented-first-line': () => check(` x\r\n${message}`),
    'message.repeated-field': () => check(`${from}To: a\r\nTo: b\r\n\r\n`),
    'message.no-from': () => check('To: a\r\n\r\n'),
    'message.several-from': () => check(from + message),
    'message.from-too-long': () => check(message, { options: { limits: { maxFieldBytes: 10 } } }),
    'message.from-unparsable': () => check('From: a\r\n\r\n'),
    'message.from-domain-invalid': () => check('From: a@[192.0.2.1]\r\n\r\n'),
    'message.limit-exceeded': () => check(message, { options: { limits: { maxHeaderFields: 1 } } }),
    'dns.too-many-lookups': async () => {
      const fields = Array.from({ length: 201 }, (_, n) => unsigned(`s${n}`));
      return check(fields.join('') + message, { options: { limits: { maxSignatures: 201 } } });
    },
    'dmarc.too-many-walks': async () => {
      const domains = Array.from({ length: 12 }, (_, n) => `d${n}.example.com`);
      const fields = await Promise.all(
        domains.map(async (domain) => (await signed(message, domain)).slice(0, -message.length)),
      );
      const { 's._domainkey.example.com': key } = zone;
      const records = domains.flatMap((domain) => [
        [`s._domainkey.${domain}`, key],
        [`_dmarc.${domain}`, { TXT: ['v=DMARC1; p=none; psd=n'] }],
      ]);
      const resolver = new ZoneResolver({ ...zone, ...(Object.fromEntries(records) as ZoneDeclaration) });
      const limits = { maxSignatures: 12 };
      return check(fields.join('') + message, { context: {}, options: { resolver, limits } });
    },
    'spf.not-checked': () => check(message, { context: {} }),
    'auth.pass': () => check(message, { context: { session: { login: 'ann' } } }),
  };

  it.each(Object.entries(ways))('%s is reached, and its words are filled in', async (code, run) => {
    const { notices, spf, auth } = (await run()).report;
    const verdicts = [...notices, spf.mailFrom, spf.helo, ...(auth === undefined ? [] : [auth])];
    const found = verdicts.filter((each) => each.code === code);
    expect(found.length).toBeGreaterThan(0);
    for (const { explanation, advice = '' } of found) expect(explanation + advice).not.toMatch(/[{}?]/);
  });

  it('has a way to it here', () => {
    expect(Object.keys(ways).toSorted()).toEqual(Object.keys(noticeCodes).toSorted());
  });
});

const begin = async (text: string, changes: Partial<typeof options> = {}) => {
  const { header, body } = parseMessage(bytesOf(text));
  return { run: beginAuthentication(header, context, { ...options, ...changes }), body };
};

describe('an authentication under way', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it("has asked for policy, keys, SPF records and the client's name before the body comes", async () => {
    const recording = new RecordingResolver();
    await begin(await signed(), { resolver: recording });
    expect(recording.asked.toSorted()).toEqual([
      '1.2.0.192.in-addr.arpa PTR',
      '_dmarc.example.com TXT',
      'example.com TXT',
      'mx.example.com TXT',
      's._domainkey.example.com TXT',
    ]);
  });

  it('needs the body when there is a signature', async () => {
    expect((await begin(await signed())).run.needsBody).toBe(true);
    expect((await begin(message)).run.needsBody).toBe(false);
  });

  it('waits for the DNS as long as it may once the body is there, and then says temperror', async () => {
    vi.useFakeTimers();
    const { run, body } = await begin(await signed(), { resolver: silent, limits: { dnsDeadline: 20_000 } });
    await vi.advanceTimersByTimeAsync(60_000);
    run.body(body);
    let isOver = false;
    const ending = run.end().finally(() => {
      isOver = true;
    });
    await vi.advanceTimersByTimeAsync(19_999);
    expect(isOver).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    const { report } = await ending;
    expect([...report.dkim, report.spf.mailFrom, report.spf.helo, report.dmarc].map(({ result }) => result)).toEqual(
      Array.from({ length: 4 }, () => 'temperror'),
    );
  });

  it.each([
    ['of the HELO name', { helo: 'slow.attack.com', mailFrom: 'x@attack.com' }, ''],
    ['of the envelope sender', { helo: 'attack.com', mailFrom: 'x@slow.attack.com' }, ''],
    ['of a key', { helo: 'attack.com', mailFrom: 'x@attack.com' }, unsigned('slow')],
  ])('keeps time for DMARC: a forgery fails, however slow the name servers %s are', async (_what, given, field) => {
    vi.useFakeTimers();
    const fast = new ZoneResolver({
      ...zone,
      'attack.com': { TXT: ['v=spf1 ip4:192.0.2.66 -all'] },
      'slow.attack.com': { TXT: ['v=spf1 ip4:192.0.2.66 -all'] },
    });
    const sender: Resolver = {
      async resolve(name, type) {
        if (name.includes('slow')) return silent.resolve(name, type);
        await new Promise((resolve) => setTimeout(resolve, 100));
        return fast.resolve(name, type);
      },
    };
    const raw = field.replaceAll('attack.test', 'attack.com') + message;
    const known = { session: { ip: '192.0.2.66', helo: given.helo }, envelope: { mailFrom: given.mailFrom } };
    const ending = check(raw, { context: known, options: { resolver: sender } });
    await vi.advanceTimersByTimeAsync(20_000);
    expect((await ending).report.dmarc).toMatchObject({ result: 'fail', disposition: 'reject' });
  });

  it('takes no harm from a body that comes slowly', async () => {
    vi.useFakeTimers();
    const { run, body } = await begin(await signed());
    await vi.advanceTimersByTimeAsync(3_600_000);
    run.body(body);
    expect(codes(await run.end())).toEqual(['dkim.pass', 'spf.pass', 'spf.pass', 'dmarc.pass-both']);
  });

  it('ends with what is known when its signal says so', async () => {
    const controller = new AbortController();
    const { run, body } = await begin(await signed(), { resolver: silent, signal: controller.signal });
    run.body(body);
    const ending = run.end();
    controller.abort();
    expect((await ending).report.dmarc.result).toBe('temperror');
    const late = await check(await signed(), { options: { signal: controller.signal } });
    expect(late.report.dkim).toMatchObject([{ result: 'temperror' }]);
  });

  it('may be aborted or forgotten, with a resolver that fails too', async () => {
    const failing = { resolve: () => Promise.reject(new Error('lost')) };
    const { run } = await begin(await signed(), { resolver: failing });
    run.abort();
    await begin(await signed(), { resolver: failing });
    const { run: asked } = await begin(await signed(), { resolver: failing });
    await expect(asked.end()).rejects.toThrow('lost');
    // Whatever was rejected and not waited for would show by now, and fail the run.
    await new Promise(setImmediate);
  });

  it('ends when the stream of the message breaks off, and leaves nothing behind', async () => {
    const text = await signed();
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield bytesOf(text.slice(0, -3));
      throw new Error('connection lost');
    }
    const { signal } = new AbortController();
    const ended = vi.spyOn(signal, 'removeEventListener');
    await expect(authenticate(broken(), context, { ...options, resolver: silent, signal })).rejects.toThrow(
      'connection lost',
    );
    expect(ended).toHaveBeenCalledWith('abort', expect.anything());
  });

  it('refuses a client address that is none: the mistake of the door', async () => {
    const wrong = { session: { ip: 'nowhere' }, envelope: { mailFrom: 'ann@example.com' } };
    await expect(check(message, { context: wrong })).rejects.toThrow('ip must be one IPv4 or IPv6 address');
  });
});

describe('the written field', () => {
  it('is parsed by a strict reader', async () => {
    const result = await check(await signed());
    const parsed = parseAuthenticationResults(result.report.authenticationResults);
    expect(parsed).toMatchObject({ ok: true });
  });

  it('says nothing of the local part of i=, which may hold any text', async () => {
    const text = (await signed(message, 'attack.test')).replace(
      'd=attack.test;',
      'd=attack.test; i=dmarc=pass@a.attack.test;',
    );
    const { report } = await check(text, { context: {} });
    expect(report.dkim[0]).toMatchObject({ identity: 'dmarc=pass@a.attack.test' });
    expect(report.authenticationResults).toContain('header.i=@a.attack.test');
    expect(report.authenticationResults).not.toContain('dmarc=pass');
  });

  it.each(['dmarc=pass', '"dmarc=pass"', 'x;dmarc=pass', '(dmarc=pass)'])('holds no %s from b=', async (b) => {
    const text = `DKIM-Signature: v=1; a=rsa-sha256; d=attack.test; s=s; h=from; bh=AA; b=${b}\r\n`;
    const { report } = await check(`${text}${text.replace('b=', 'b=A')}${message}`, { context: {} });
    expect(report.authenticationResults).not.toContain('dmarc=pass');
  });

  it.each([
    'any@legitimate.test(a.attack.test',
    'any@"example.com dmarc=pass',
    'any@a.test;\r\n dmarc=pass header.from=example.com',
    'any@a.test\r\nAuthentication-Results: mx.example.net; dmarc=pass',
    'any@dmarc=pass',
    'dmarc=pass@attack.test',
    '\0@\0',
  ])('holds no domain that is none from MAIL FROM %j', async (mailFrom) => {
    const { report, edits } = await check(message, {
      context: { session: { ip: '192.0.2.66', helo: 'x\r\ndmarc=pass' }, envelope: { mailFrom } },
    });
    expect(report.authenticationResults).not.toContain('dmarc=pass');
    const field = Buffer.concat(edits.prepend).toString();
    expect(field.replaceAll(/\r\n[ \t]/g, '').split('\r\n')).toHaveLength(2);
    expect(parseAuthenticationResults(report.authenticationResults)).toMatchObject({ ok: true });
  });
});
