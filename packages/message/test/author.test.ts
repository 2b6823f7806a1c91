import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageLimits, parseAddressList, parseHeader, readAuthor } from '../src/index.ts';
import type { Author } from '../src/index.ts';

const author = (header: string): Author => readAuthor(parseHeader(Buffer.from(header)));
const domainsOf = (value: string): readonly string[] | string => {
  const result = author(`From: ${value}\r\n`);
  return result.ok ? result.domains : `${result.code} ${result.detail ?? ''}`.trimEnd();
};

describe('RFC 5322 §3.4 addresses', () => {
  it.each([
    ['a@example.com', 'a', 'example.com', ''],
    ['<a@example.com>', 'a', 'example.com', ''],
    ['Joe Q. Public <a.b@example.com>', 'a.b', 'example.com', 'Joe Q. Public'],
    ['"Joe, Q" <a@example.com>', 'a', 'example.com', 'Joe, Q'],
    ['"admin@example.org" <a@example.com>', 'a', 'example.com', 'admin@example.org'],
    ['"a b"@example.com', 'a b', 'example.com', ''],
    ['"a@b"@example.com', 'a@b', 'example.com', ''],
    ['"a\\"b" <"c\\\\d"@example.com>', 'c\\d', 'example.com', 'a"b'],
    ['Pete(A nice \\) chap) <pete(his account)@silver.test(his host)>', 'pete', 'silver.test', 'Pete'],
    ['(nested (comment)) a@example.com', 'a', 'example.com', ''],
    ['a@example.com <a@EXAMPLE.com>', 'a', 'EXAMPLE.com', 'a@example.com'],
    ['=?utf-8?q?J=C3=B6?= <a@example.com>', 'a', 'example.com', '=?utf-8?q?J=C3=B6?='],
    ['jörg@exämple.com', 'jörg', 'exämple.com', ''],
    ['<a..b@example.com>', 'a..b', 'example.com', ''],
    ['Ann <a.@example.com>', 'a.', 'example.com', 'Ann'],
    ['.a@example.com', '.a', 'example.com', ''],
    ['<a@[192.0.2.1]>', 'a', '[192.0.2.1]', ''],
  ])('%s', (value, localPart, domain, displayName) => {
    expect(parseAddressList(value)).toEqual({ ok: true, mailboxes: [{ localPart, domain, displayName }] });
  });

  it('stand in lists and groups', () => {
    expect(domainsOf('a@example.com, b@example.org')).toEqual(['example.com', 'example.org']);
    expect(domainsOf('Group: a@example.com, B <b@example.org>;')).toEqual(['example.com', 'example.org']);
    expect(domainsOf('G:;, a@example.com')).toEqual(['example.com']);
  });
});

describe('addresses that programs read differently', () => {
  it.each([
    ['', 'empty'],
    ['(comment only)', 'empty'],
    ['undisclosed-recipients:;', 'empty'],
    ['no address', 'no-domain'],
    ['<>', 'no-domain'],
    ['a@', 'malformed-address'],
    ['@example.com', 'malformed-address'],
    ['a@b@example.com', 'malformed-address'],
    ['a@example..com', 'malformed-address'],
    ['.@example.com', 'malformed-address'],
    ['a. b@example.com', 'malformed-address'],
    ['a.(x).b@example.com', 'malformed-address'],
    ['"a"..b@example.com', 'malformed-address'],
    ['a.."@attack.test"@example.com', 'malformed-address'],
    ['a..b@attack.test <a.b@example.com>', 'ambiguous-display-name'],
    ['Example, Inc. <a@example.com>', 'no-domain'],
    ['a@"example.com"', 'malformed-address'],
    ['admin@legitimate.test .attack.test', 'malformed-address'],
    ['admin@legitimate.test(x).attack.test', 'malformed-address'],
    ['admin@legitimate.test. attack.test', 'malformed-address'],
    ['a b@example.com', 'malformed-address'],
    ['<@attack.test,@any.test:admin@legitimate.test>', 'source-route'],
    ['<@attack.test:admin@legitimate.test>', 'source-route'],
    ['<a@example.com> b@example.org', 'unexpected-character'],
    ['<a@example.com><b@example.org>', 'unexpected-character'],
    ['<<a@example.com>>', 'unexpected-character'],
    ['a@example.com,', 'unexpected-character'],
    [',a@example.com', 'unexpected-character'],
    ['a@example.com;', 'unexpected-character'],
    ['G: a@example.com', 'unexpected-character'],
    ['admin@legitimate.test: a@attack.test;', 'unexpected-character'],
    ['G: H: a@example.com;;', 'no-domain'],
    ['admin@legitimate.test <a@attack.test>', 'ambiguous-display-name'],
    ['[x] <a@example.com>', 'ambiguous-display-name'],
    ['<admin@legitimate.test>\\,<a@attack.test>', 'unexpected-character'],
    ['"unterminated <a@example.com>', 'unterminated-quote'],
    ['"x\\', 'unterminated-quote'],
    ['(unterminated a@example.com', 'unterminated-comment'],
    ['(x\\) a@example.com', 'unterminated-comment'],
    ['a@[192.0.2.1', 'unexpected-character'],
    ['a\0@example.com', 'control-character'],
    ['"a\0" <a@example.com>', 'control-character'],
    ['(\0) a@example.com', 'control-character'],
    ['(\\\0) a@example.com', 'control-character'],
    ['"\\\x7f" <a@example.com>', 'control-character'],
    ['a@example.com\r', 'control-character'],
    ['a@example.com\nx', 'control-character'],
    [`${'('.repeat(51)}${')'.repeat(51)} a@example.com`, 'comment-too-deep'],
    [Array.from({ length: 101 }, () => 'a@example.com').join(), 'too-many-addresses'],
  ])('%j: %s', (value, error) => {
    expect(domainsOf(value)).toBe(`message.from-unparsable ${error}`);
  });
});

describe('RFC 5322 §3.6.2 From', () => {
  it('gives the author domains as A-labels, each once', () => {
    expect(domainsOf('a@EXAMPLE.com, b@example.com, c@bücher.example')).toEqual([
      'example.com',
      'xn--bcher-kva.example',
    ]);
  });

  it.each(['[192.0.2.1]', 'exa_mple!.com', '-'.repeat(64), 'a\u202e.com', `${'a.'.repeat(127)}com`])(
    'needs a domain name: %s is none',
    (domain) => {
      expect(domainsOf(`a@${domain}`)).toBe('message.from-domain-invalid');
    },
  );

  it('must be there, once', () => {
    expect(author('To: a@example.com\r\n')).toMatchObject({ code: 'message.no-from' });
    expect(author('From: a@example.com\r\nfrom : a@example.com\r\n')).toMatchObject({ code: 'message.several-from' });
  });

  it.each([
    ['an indented line', ' From: <a@attack.test>\r\n'],
    ['a name folded before its colon', 'From\r\n : <a@attack.test>\r\n'],
    ['a control in front of the name', '\x01From: <a@attack.test>\r\n'],
    ['a line behind a bare LF', 'Subject: x\nFrom: <a@attack.test>\r\n'],
    ['a line behind a bare CR', 'Subject: x\rFrom: <a@attack.test>\r\n'],
    ['a line behind a bare LF and blanks', 'Subject: x\n \x80From : <a@attack.test>\r\n'],
    ['a line behind CR CR LF', 'Subject: x\r\r\n From: <a@attack.test>\r\n'],
  ])('counts %s that others take for a From field', (_what, line) => {
    expect(author(`${line}From: <b@example.com>\r\n`)).toMatchObject({ code: 'message.several-from' });
  });

  it.each([
    'Y: bare\nno From: here\r\n',
    'mbox From a@example.com\r\n',
    'From a@example.com Tue Nov 24 04:00:00 2026\r\n',
    'X: not\r\n From: b\r\n',
  ])('does not count %j', (line) => {
    expect(author(`${line}From: <b@example.com>\r\n`)).toMatchObject({ ok: true });
  });

  it('is looked for in linear time: 1 MB of bare line ends, blanks and names', () => {
    for (const unit of ['\n', ' ', '\r', 'from', 'from ', '\nfro', '\x80', ' \n']) {
      const value = unit.repeat(1_048_576 / unit.length);
      expect(author(`X:\n${value}\r\nFrom: a@example.com\r\n`).ok).toBe(true);
      expect(author(`${value}\r\nFrom: a@example.com\r\n`).ok).toBe(true);
    }
  });

  it('is not read when it is too long', () => {
    const long = `From: a@example.com (${'x'.repeat(messageLimits.maxFieldBytes)})\r\n`;
    expect(author(long)).toMatchObject({ code: 'message.from-too-long' });
  });
});

describe('any text in From', () => {
  const text = fc
    .array(
      fc.constantFrom('a', '@', '.', '<', '>', '"', '\\', '(', ')', ',', ';', ':', ' ', '[', ']', '\r', '\0', 'é'),
      {
        maxLength: 30,
      },
    )
    .map((parts) => parts.join(''));

  it('is read or refused, and never throws', () => {
    fc.assert(
      fc.property(text, (value) => {
        const list = parseAddressList(value);
        const inside = list.ok
          ? list.mailboxes.every(({ domain }) => value.includes(domain))
          : list.offset <= value.length;
        expect(inside).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  // A reader that looks at what it has seen again and again takes minutes for this and runs into the test's time limit.
  it.each(['(', '"', '\\', '<', 'a.', 'a ', '@', ',', '(a)', ' ', '[', '\\"', 'a@b,', 'g:;,'])(
    'is read in linear time: 384 kB of %j',
    (unit) => {
      const list = parseAddressList(unit.repeat(393_216 / unit.length), { maxAddresses: 1e9, maxCommentDepth: 1e9 });
      expect(list.ok).toBe(false);
    },
  );
});
