import { describe, expect, it } from 'vitest';
import { BodyDigests, UnsignableMessageError, beginSigning, defaultSignedFields, signMessage } from '../src/index.ts';
import type { SigningKey, SignOptions } from '../src/index.ts';
import { parseHeader, parseMessage } from '@zegel/message';
import { parseSignature } from '../src/signature.ts';
import type { Signature } from '../src/signature.ts';
import { bytesOf, codeOf, ed25519, ed25519Key, key, message, now, rsaKey, seconds, signed } from './ground.ts';

async function signatureOf(text: string, options: Partial<SignOptions> = {}): Promise<Signature> {
  const field = await signMessage(bytesOf(text), { keys: [ed25519Key], now, ...options });
  const value = Buffer.from(field).toString('latin1').slice('DKIM-Signature:'.length, -2);
  const parsed = parseSignature(value, { maxSignedFields: 1_000 });
  if (!parsed.ok) throw new Error(parsed.code);
  return parsed.signature;
}

/** The code with which a message is refused. */
async function refusal(text: string, options: Partial<SignOptions> = {}): Promise<string> {
  const field = await signMessage(bytesOf(text), { keys: [ed25519Key], now, ...options }).catch(
    (error: unknown) => error,
  );
  return field instanceof UnsignableMessageError ? field.code : 'signed';
}

describe('RFC 6376 §5 signing', () => {
  it('writes what §3.5 asks for, and neither l= nor i=', async () => {
    const signature = await signatureOf(message, { validity: 3_600 });
    expect(signature).toMatchObject({
      algorithm: 'ed25519-sha256',
      domain: 'example.com',
      selector: 'e',
      headerCanonicalization: 'relaxed',
      bodyCanonicalization: 'relaxed',
      timestamp: seconds,
      expiration: seconds + 3_600,
    });
    expect(signature.bodyLength).toBeUndefined();
    expect(await signed(message)).not.toMatch(/[; ]i=/);
  });

  it('writes i= when asked for, in DKIM-Quoted-Printable (§2.11), and refuses one outside d=', async () => {
    const identity = 'a=b;ü@mail.example.com';
    const text = await signed(message, { identity });
    expect(text).toContain(' i=a=3Db=3B=C3=BC@mail.example.com;');
    expect(await codeOf(text)).toBe('dkim.pass');
    for (const other of ['ann@example.org', '@notexample.com', 'ann', 'ann@', 'a..b@example.com', '.@example.com']) {
      const signing = signMessage(bytesOf(message), { keys: [ed25519Key], now, identity: other });
      await expect(signing).rejects.toMatchObject({ code: 'dkim.identity-outside-domain' });
    }
  });

  it.each([
    ['@Example.COM.', '@example.com'],
    ['ann@bücher.example.com', 'ann@xn--bcher-kva.example.com'],
    ['"a b"@example.com', '"a=20b"@example.com'],
  ])('writes %s with its domain in A-labels and without a final dot', async (identity, written) => {
    const text = await signed(message, { identity });
    expect(text).toContain(` i=${written};`);
    expect(await codeOf(text)).toBe('dkim.pass');
  });

  it.each([0, -5, 1.5, Number.NaN, 1e12])('does not say that it holds for %s s', async (validity) => {
    const signing = signMessage(bytesOf(message), { keys: [ed25519Key], now, validity });
    await expect(signing).rejects.toMatchObject({ code: 'dkim.validity-impossible' });
  });

  it('puts one signature per key, in their order', async () => {
    const text = await signed(message, { keys: [rsaKey, ed25519Key] });
    expect(text.match(/a=[a-z0-9-]+/g)).toEqual(['a=rsa-sha256', 'a=ed25519-sha256']);
    expect(await codeOf(text)).toBe('dkim.pass, dkim.pass');
  });

  it('folds its field into lines of at most 78 octets that end in CRLF', async () => {
    const text = Buffer.from(await signMessage(bytesOf(message), { keys: [rsaKey], now })).toString();
    expect(text.endsWith('\r\n')).toBe(true);
    const lines = text.slice(0, -2).split('\r\n');
    expect(lines.slice(1).every((line) => line.startsWith('\t'))).toBe(true);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(78);
    expect(text).not.toMatch(/\r(?!\n)|(?<!\r)\n/);
  });

  it('writes the longest names that there are', async () => {
    const label = 'a'.repeat(63);
    const domain = `${label}.${label}.${label}.${'b'.repeat(50)}.test`;
    const long = key(ed25519.privateKey, `${label}.${label}`, domain);
    expect(await signatureOf(message, { keys: [long] })).toMatchObject({ domain, selector: `${label}.${label}` });
  });

  it('signs an empty body and a message without one', async () => {
    for (const text of ['From: a@example.com\r\n', 'From: a@example.com\r\n\r\n']) {
      for (const body of ['simple', 'relaxed'] as const) {
        const canonicalization = { header: 'simple', body } as const;
        expect(await codeOf(await signed(text, { canonicalization }))).toBe('dkim.pass');
      }
    }
  });
});

describe('RFC 6376 §5.4 the fields that are signed', () => {
  it('hold each of those that a reader sees once more than it is there (§8.15)', async () => {
    const { signedFields } = await signatureOf(
      `Date: Wed, 25 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@a>\r\n${message}`,
    );
    const count = (name: string): number => signedFields.filter((other) => other === name).length;
    expect(defaultSignedFields.oversigned.map(count)).toEqual(
      defaultSignedFields.oversigned.map((name) =>
        ['from', 'to', 'subject', 'date', 'message-id'].includes(name) ? 2 : 1,
      ),
    );
  });

  it('leave Date and Message-ID to the mail server that adds them where there is none', async () => {
    const text = await signed(message);
    expect(await codeOf(`Date: Wed, 25 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@a>\r\n${text}`)).toBe('dkim.pass');
  });

  it('hold the others as often as they are there', async () => {
    const text = `List-Id: a\r\nList-Id: b\r\nReceived: x\r\nX-Other: y\r\n${message}`;
    const { signedFields } = await signatureOf(text);
    expect(signedFields.slice(-2)).toEqual(['list-id', 'list-id']);
    expect(signedFields).not.toContain('received');
    expect(signedFields).not.toContain('x-other');
  });

  it.each(['From: eve@example.com', 'Subject: Ho', 'Reply-To: eve@example.org', 'Content-Type: text/html'])(
    'break when "%s" is put in',
    async (field) => {
      const text = await signed(message);
      expect(await codeOf(`${field}\r\n${text}`)).toBe('dkim.signature-mismatch');
      expect(await codeOf(text.replace('\r\n\r\n', `\r\n${field}\r\n\r\n`))).toBe('dkim.signature-mismatch');
    },
  );

  it('always hold From, whatever set is asked for', async () => {
    for (const fields of [
      { oversigned: [], whenPresent: [] },
      { oversigned: ['subject', 'from'], whenPresent: [] },
      { oversigned: ['subject'], whenPresent: ['from'] },
    ]) {
      const { signedFields } = await signatureOf(message, { fields });
      expect(signedFields).toContain('from');
      expect(await codeOf(await signed(message, { fields }))).toBe('dkim.pass');
    }
  });

  it('are all of them or none: those that are left out could be changed unseen', async () => {
    const rest = (await signatureOf(message)).signedFields.length;
    const most = 'List-Id: a\r\n'.repeat(100 - rest) + message;
    expect((await signatureOf(most)).signedFields).toHaveLength(100);
    expect(await codeOf(await signed(most))).toBe('dkim.pass');
    expect(await refusal(`List-Id: a\r\n${most}`)).toBe('message.limit-exceeded');
    await expect(signRepeated('To: a@example.com\r\n'.repeat(100))).rejects.toThrow(
      /^The header is above the limit maxSignedFields: 1\d\d, and 100 is allowed\.$/,
    );
  });
});

describe('messages that programs read differently are not signed', () => {
  it.each([
    ['message.no-header', ''],
    ['message.no-header', '\r\nbody'],
    ['message.no-from', 'To: a@example.com\r\n\r\n'],
    ['message.cut-off', 'From: a@example.com\r\nTo: b'],
    ['message.cut-off', 'From: a@example.com\r\nSubj'],
    ['message.cut-off', 'From: a@example.com\r\nTo: b\n'],
    ['message.malformed-field', `junk\r\n${message}`],
    ['message.malformed-field', ` ${message}`],
    ['message.malformed-field', 'From\r\n : a@example.com\r\nFrom: b@example.com\r\n\r\n'],
    ['message.repeated-field', `From : eve@example.com\r\n${message}`],
    ['message.repeated-field', `subject: x\r\n${message}`],
    ['message.bare-line-ends', message.replace('Hello', 'Hello\n')],
    ['message.bare-line-ends', message.replace('Hello', 'Hello\r')],
    ['message.bare-line-ends', `${message}\r`],
    ['message.bare-line-ends', message.replace('Hi', 'Hi\nX: y')],
    ['message.cut-off', message.replaceAll('\r\n', '\n')],
    ['message.limit-exceeded', `X: ${'x'.repeat(65_536)}\r\n${message}`],
    ['message.limit-exceeded', 'X: y\r\n'.repeat(1_000) + message],
  ])('%s', async (code, text) => {
    expect(await refusal(text)).toBe(code);
  });

  it('and one says so before the body comes', () => {
    const run = beginSigning(parseHeader(bytesOf('To: a\r\n')), { keys: [ed25519Key], now });
    expect(run.needsBody).toBe(false);
  });
});

const signRepeated = (fields: string): Promise<Uint8Array> =>
  signMessage(bytesOf(`${fields}${message}`), { keys: [ed25519Key], now, permitRepeatedFields: true });

describe('a signing run', () => {
  const { header, body } = parseMessage(bytesOf(message));

  it('shares the pass over the body with others, who feed it', async () => {
    const digests = new BodyDigests();
    const runs = [1, 2].map(() => beginSigning(header, { keys: [ed25519Key], now, digests }));
    digests.update(body);
    for (const run of runs) run.body(body);
    for (const run of runs) {
      const outcome = await run.end();
      const field = outcome.ok ? Buffer.from(outcome.signatures[0]?.field ?? '') : '';
      expect(await codeOf(field.toString('latin1') + message)).toBe('dkim.pass');
    }
  });

  it('signs with keys that were found meanwhile', async () => {
    const run = beginSigning(header, { keys: [], now });
    run.body(body);
    expect(await run.end([{ key: rsaKey }])).toMatchObject({ ok: true, signatures: [{ selector: 'r' }] });
  });

  it('gives each signature its own i= and x=, and those of the options where it has none', async () => {
    const run = beginSigning(header, { keys: [], now, validity: 60 });
    run.body(body);
    const identity = `@sub.${rsaKey.domain}`;
    const outcome = await run.end([{ key: rsaKey, identity, validity: 3600 }, { key: ed25519Key }]);
    const [own, other] = outcome.ok ? outcome.signatures.map(({ field }) => Buffer.from(field).toString()) : [];
    const at = now.getTime() / 1000;
    expect(own).toContain(`i=${identity};`);
    expect(own).toContain(`x=${at + 3600};`);
    expect(other).not.toContain('i=');
    expect(other).toContain(`x=${at + 60};`);
  });

  it('covers every occurrence of a repeated field when asked to sign it even so, but never several From', async () => {
    const repeated = 'To: a@example.org\r\n';
    const field = Buffer.from(await signRepeated(`${repeated}${repeated}`)).toString();
    expect(await codeOf(`${field}${repeated}${repeated}${message}`)).toBe('dkim.pass');
    expect(await codeOf(`${field}${repeated}${repeated}${repeated}${message}`)).not.toBe('dkim.pass');
    await expect(signRepeated('From: eve@example.org\r\n')).rejects.toMatchObject({ code: 'message.repeated-field' });
  });

  it('passes on that a key cannot be reached', async () => {
    const lost: SigningKey = { ...ed25519Key, sign: () => Promise.reject(new Error('no HSM')) };
    await expect(signMessage(bytesOf(message), { keys: [lost, lost, ed25519Key], now })).rejects.toThrow('no HSM');
  });
});
