import fc from 'fast-check';
import { parseConfig } from '@zegel/service-runtime';
import type { Config } from '@zegel/service-runtime';
import { describe, expect, test } from 'vitest';
import { carriedOptions, droppedOptions, importOpendkim } from '../src/index.ts';

const conf = '/etc/opendkim.conf';

/** Imports files by name, and reads the result as a service would. */
function imported(files: Readonly<Record<string, string>>): { config: Config; notes: readonly string[]; yaml: string } {
  const { yaml, notes } = importOpendkim(conf, (path) => files[path] ?? null);
  return {
    config: parseConfig({}, { name: '/etc/zegel/zegel.yaml', text: yaml }),
    notes: notes.map(({ file, line, option, kind }) => `${file}:${line} ${option} ${kind}`),
    yaml,
  };
}

const importText = (text: string) => imported({ [conf]: text });

/** The notes about what is written down, those about defaults left out. */
const written = (notes: readonly string[]) => notes.filter((note) => !note.includes(':0 '));

describe('the usual installation: KeyTable, SigningTable as refile, TrustedHosts', () => {
  const files = {
    [conf]: `
Syslog                  yes
UMask                   007
Canonicalization        relaxed/simple   # a comment
Mode                    sv
OversignHeaders         From, X-Mine
SignatureTTL            1209600
Socket                  local:/run/opendkim/opendkim.sock
AuthservID              mx.example.org
KeyTable                /etc/opendkim/key.table
SigningTable            refile:/etc/opendkim/signing.table
ExternalIgnoreList      /etc/opendkim/trusted.hosts
InternalHosts           /etc/opendkim/trusted.hosts
On-DNSError             tempfail
On-BadSignature         accept
`,
    '/etc/opendkim/key.table': `
one  example.org:s1:/etc/opendkim/keys/example.org/s1.private
two  example.net:s2:/etc/opendkim/keys/example.net/s2.private
`,
    '/etc/opendkim/signing.table': `
# pattern          key
*@example.org      one
*@*.example.org    one:@%
*@Example.NET      two
`,
    '/etc/opendkim/trusted.hosts': '127.0.0.1\n::1\n10.0.0.0/8\nlocalhost\n!10.1.0.0/16\n',
  };
  const { config, notes, yaml } = imported(files);

  test('listens and signs as before', () => {
    expect(config.authservId).toBe('mx.example.org');
    expect(config.milter.listen).toEqual([
      { address: { path: '/run/opendkim/opendkim.sock' }, mode: 'both', permissions: 0o660 },
    ]);
    expect(config.signing).toMatchObject({
      keys: [
        { domain: 'example.org', selector: 's1', file: '/etc/opendkim/keys/example.org/s1.private' },
        { domain: 'example.net', selector: 's2', file: '/etc/opendkim/keys/example.net/s2.private' },
      ],
      rules: [
        { author: 'example.org', domain: 'example.org', selectors: ['s1'], subdomains: false },
        { author: '*.example.org', domain: 'example.org', selectors: ['s1'], identity: 'author-domain' },
        { author: 'example.net', domain: 'example.net', selectors: ['s2'], subdomains: false },
      ],
      canonicalization: 'relaxed/simple',
      validitySeconds: 1_209_600,
      oversign: ['x-mine'],
      onRefusal: { missingKey: 'send-unsigned', notPermitted: 'send-unsigned', ambiguousAuthor: 'reject' },
    });
    expect(config.inbound.onTemporaryError).toBe('tempfail');
  });

  test('lets internal networks sign for the domains there are, and says how logins could', () => {
    expect(config.outbound.internalNetworks).toHaveLength(3);
    expect(config.submitters.networks.map(({ domains }) => domains)).toEqual(
      Array.from({ length: 3 }, () => ['example.org', 'example.net']),
    );
    expect(config.submitters.logins).toEqual({ kind: 'none' });
    expect(yaml).toContain('logins: { inline: { "*": [example.org, example.net] } }');
  });

  test('names what could not be carried over, by file and line', () => {
    expect(written(notes)).toEqual([
      '/etc/opendkim.conf:2 Syslog dropped',
      '/etc/opendkim/trusted.hosts:4 InternalHosts dropped',
      '/etc/opendkim/trusted.hosts:5 InternalHosts dropped',
    ]);
  });
});

describe('Domain, Selector and KeyFile', () => {
  test('are one key for each domain; SubDomains covers what lies below', () => {
    const { config } = importText('Domain example.org, bücher.example\nSelector s\nKeyFile /k.pem\nSubDomains yes\n');
    expect(config.signing.keys?.map(({ domain }) => domain)).toEqual(['example.org', 'xn--bcher-kva.example']);
    expect(config.signing.rules[0]).toEqual({
      author: 'example.org',
      domain: 'example.org',
      selectors: ['s'],
      subdomains: true,
    });
    expect(config.outbound.internalNetworks).toHaveLength(1);
  });

  test('are ignored beside a KeyTable', () => {
    const { config } = importText(
      'Domain example.org\nSelector s\nKeyFile /k.pem\nKeyTable csl:a=example.net:t:/t.pem\nSigningTable csl:example.net=a\n',
    );
    expect(config.signing.keys).toEqual([{ domain: 'example.net', selector: 't', file: '/t.pem' }]);
  });
});

const tables = (
  signing: string,
  rest = '',
  keys = 'a example.org:s:/a.pem\nb esp.example:t:/b.pem\n%k %:u:/keys/%.pem\n',
) => imported({ [conf]: `KeyTable file:/k\nSigningTable ${rest}\n`, '/k': keys, '/s': signing });

const notesOf = (signing: string) => written(tables(signing, 'refile:/s').notes);

const authors = (signing: string, rest: string) =>
  tables(signing, rest).config.signing.rules.map(({ author, domain }) => `${author} ${domain}`);

describe('SigningTable', () => {
  test('as file: host, .domain and *, exactly', () => {
    expect(authors('example.org a\n.example.org a\n* b\n', 'file:/s')).toEqual([
      'example.org example.org',
      '*.example.org example.org',
      '* esp.example',
    ]);
  });

  test('as refile: patterns of addresses', () => {
    expect(authors('*@example.org a\n*@*.example.org a\n*.example.net b\n*@* b\n', 'refile:/s')).toEqual([
      'example.org example.org',
      '*.example.org example.org',
      '*.example.net esp.example',
      '* esp.example',
    ]);
  });

  test.each([
    ['one address', 'ann@example.org a', 'refile:/s'],
    ['a part of a name', '*example.org a', 'refile:/s'],
    ['a pattern where there are none', '*@example.org a', 'file:/s'],
    ['a domain where an address is compared', 'example.org a', 'refile:/s'],
    ['a key that is not there', '*@example.org c', 'refile:/s'],
    ['a key by author for all of them', '* %k', 'file:/s'],
    ['a second entry', '*@example.org a\n*@example.org b', 'refile:/s'],
    ['an identity outside its domain', '*@example.org a:news@example.net', 'refile:/s'],
  ])('%s is noted with its line', (_name, signing, rest) => {
    const { notes, config } = tables(signing, rest);
    const line = signing.split('\n').length;
    expect(written(notes)).toEqual([`/s:${line} SigningTable dropped`]);
    expect(config.signing.rules.length).toBeLessThanOrEqual(1);
  });

  test('% in a key is the domain of the author', () => {
    const { config } = tables('example.com %k\n', 'file:/s');
    expect(config.signing.keys).toEqual([{ domain: 'example.com', selector: 'u', file: '/keys/example.com.pem' }]);
  });

  test('an entry below one that covers it is noted: OpenDKIM takes the first, we the closest', () => {
    expect(notesOf('*@*.example.org b\n*@a.example.org a\n')).toEqual(['/s:2 SigningTable changed']);
    expect(notesOf('*@a.example.org a\n*@*.example.org b\n')).toEqual([]);
    expect(notesOf('*@*.example.org b\n*@example.org a\n')).toEqual([]);
  });

  test.each([
    ['alone', '* b\n', ['esp.example']],
    ['beside others', '* b\n*@a.example.com a\n', ['a.example.com', 'esp.example', 'example.org']],
  ])('* %s lets internal networks sign for the domains of the keys, and says so', (_name, signing, domains) => {
    const { config, notes } = tables(signing, 'refile:/s');
    expect(config.submitters.networks.map(({ domains: listed }) => listed)).toEqual([domains]);
    expect(notes).toContain('/s:1 SigningTable changed');
  });

  test('MultipleSignatures: several keys of a domain, and domains that sign besides', () => {
    const { config } = imported({
      [conf]: 'KeyTable /k\nSigningTable refile:/s\nMultipleSignatures yes\n',
      '/k': 'a example.org:s:/a.pem\na2 example.org:s2:/a2.pem\nb esp.example:t:/b.pem\n',
      '/s': '*@example.org a\n*@example.org a2\n* b\n',
    });
    expect(config.signing.rules).toEqual([
      {
        author: 'example.org',
        domain: 'example.org',
        selectors: ['s', 's2'],
        subdomains: false,
        additional: [{ domain: 'esp.example', selectors: ['t'] }],
      },
      { author: '*', domain: 'esp.example', selectors: ['t'] },
    ]);
  });

  test('MultipleSignatures: every entry that fits an author signs, in whatever order they stand', () => {
    const entries = ['*@a.example.org a', '*@*.example.org b', '*@a.example.org c', '* d'];
    for (const signing of [entries, entries.toReversed()]) {
      const { config } = imported({
        [conf]: 'KeyTable /k\nSigningTable refile:/s\nMultipleSignatures yes\n',
        '/k': 'a a.example.org:s:/a\nb example.org:s:/b\nc esp.example:s:/c\nd any.example:s:/d\n',
        '/s': signing.join('\n'),
      });
      const signers = config.signing.rules.map(({ author, domain, additional = [] }) => [
        author,
        new Set([domain, ...additional.map((besides) => besides.domain)]),
      ]);
      expect(Object.fromEntries(signers)).toEqual({
        '*': new Set(['any.example']),
        '*.example.org': new Set(['any.example', 'example.org']),
        'a.example.org': new Set(['a.example.org', 'any.example', 'esp.example', 'example.org']),
      });
    }
  });

  test.each([
    'a example.org:s',
    'a example.org:s:LS0tLS1CRUdJTg==',
    'a not a domain:s:/a.pem',
    'a example.org:-:/a.pem',
  ])('the key %j is noted, and so is what uses it', (key) => {
    const { notes, config } = tables('example.org a', 'file:/s', key);
    expect(written(notes)).toEqual(['/k:1 KeyTable dropped', '/s:1 SigningTable dropped']);
    expect(config.signing.keys).toBeUndefined();
  });

  test('a database is noted', () => {
    expect(written(importText('KeyTable dsn:mysql://u:p@h/d\nSigningTable ldap:x\n').notes)).toEqual([
      `${conf}:1 KeyTable dropped`,
      `${conf}:2 SigningTable dropped`,
    ]);
  });
});

describe('Socket and Mode', () => {
  test.each([
    ['inet:8891@localhost', { host: 'localhost', port: 8891 }],
    ['inet:8891@[192.0.2.1]', { host: '192.0.2.1', port: 8891 }],
    ['inet6:8891@[::1]', { host: '::1', port: 8891 }],
    ['inet:8891', { host: '0.0.0.0', port: 8891 }],
    ['unix:/run/x.sock', { path: '/run/x.sock' }],
    ['/run/x.sock', { path: '/run/x.sock' }],
  ])('%s', (socket, address) => {
    expect(importText(`Socket ${socket}`).config.milter.listen).toEqual([{ address, mode: 'both' }]);
  });

  test('everything else is noted, and so is a listener on every interface', () => {
    expect(written(importText('Socket fifo:/x').notes)).toEqual([`${conf}:1 Socket dropped`]);
    expect(written(importText('Socket inet:8891').notes)).toEqual([`${conf}:1 Socket changed`]);
  });

  test('a verifier verifies; a signer tells mail apart, since it signs internal mail only', () => {
    expect(importText('Socket /s\nMode v').config.milter.listen[0]?.mode).toBe('verify');
    const signer = importText('Socket /s\nMode s');
    expect(signer.config.milter.listen[0]?.mode).toBe('both');
    expect(written(signer.notes)).toEqual([`${conf}:2 Mode changed`]);
  });
});

describe('other options', () => {
  test('daemon names come from MTA and from MacroList', () => {
    const { config, notes } = importText('MTA MSA\nMacroList {daemon_name}=ORIGINATING|SUBMISSION, {auth_type}, {x}=1');
    expect(config.outbound.daemonNames).toEqual(['MSA', 'ORIGINATING', 'SUBMISSION']);
    expect(written(notes)).toEqual([`${conf}:2 MacroList dropped`]);
  });

  test('On- options: what can be said is said, the rest is noted', () => {
    const { config, notes } = importText(
      'On-Default t\nOn-SignatureError accept\nOn-NoSignature reject\nOn-DNSError d',
    );
    expect(config.signing.onRefusal.refusedHeader).toBe('send-unsigned');
    expect(config.inbound.onTemporaryError).toBe('tempfail');
    expect(written(notes)).toEqual([`${conf}:3 On-NoSignature dropped`, `${conf}:4 On-DNSError changed`]);
  });

  test('name servers, further authserv-ids, header lists', () => {
    const { config, notes } = importText(
      'Nameservers 192.0.2.53,dns.example\nRemoveARFrom mx2.example.org, .example.org\nSignHeaders *,+X-Mine,-Subject\nOmitHeaders Cc',
    );
    expect(config.dnsServers).toEqual([{ host: '192.0.2.53', port: 53 }]);
    expect(config.ourAuthservIds).toEqual(['mx2.example.org']);
    expect(config.signing.signWhenPresent).toEqual(['x-mine']);
    expect(written(notes)).toHaveLength(4);
  });

  test('included files are read, to a depth', () => {
    const { config } = imported({ [conf]: 'Include /a\n', '/a': 'AuthservID a.example\n' });
    expect(config.authservId).toBe('a.example');
    expect(written(imported({ [conf]: `Include ${conf}\n` }).notes)).toEqual([`${conf}:1 Include dropped`]);
  });

  test('a repeated option: the last counts. An unknown one, and one that is not carried over, are noted', () => {
    const { config, notes } = importText(
      'AuthservID a.example\nAuthservID b.example\nFoo bar\nResignAll yes\nResignMailTo\nLogWhy no\n',
    );
    expect(config.authservId).toBe('b.example');
    expect(written(notes)).toEqual([
      `${conf}:1 AuthservID dropped`,
      `${conf}:3 Foo dropped`,
      `${conf}:4 ResignAll dropped`,
    ]);
  });

  test('a file that is not there is noted', () => {
    expect(imported({}).notes[0]).toBe(`${conf}:0 Include dropped`);
  });
});

describe('anything', () => {
  const names = [...carriedOptions, ...droppedOptions.keys(), 'include'];
  const value = fc.oneof(
    fc.string(),
    fc.constantFrom(
      'yes',
      '-',
      'inet:1@-',
      '/\0',
      'local:/\0',
      `local:/${'x'.repeat(200)}`,
      's',
      'v',
      '/t',
      'file:/t',
      'refile:/t',
      'csl:a=example.org:s:/k',
      'simple',
      '0',
      'inet:1',
      'a.example, *',
      '{daemon_name}=a|b',
    ),
  );
  const option = fc.tuple(fc.constantFrom(...names), value).map((parts) => parts.join(' '));
  const entry = fc
    .tuple(
      fc.constantFrom(
        '*@example.org',
        'example.org',
        '.example.org',
        '*',
        '*@*.a.example',
        'a',
        '%',
        '127.0.0.1',
        '!::1',
      ),
      fc.constantFrom('', 'a', '%', 'a:@%', 'example.org:s:/k.pem', '%:s:/%', 'a:%:b'),
    )
    .map((parts) => parts.join(' '));

  test('is imported without an exception, into a configuration that is accepted', () => {
    fc.assert(
      fc.property(fc.array(option, { maxLength: 20 }), fc.array(entry, { maxLength: 8 }), (options, entries) => {
        const files: Record<string, string> = { [conf]: options.join('\n'), '/t': entries.join('\n') };
        expect(imported(files).config.milter.processes).toBe(1);
      }),
      { numRuns: 200 },
    );
  });

  test('whatever bytes the files hold', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(importText(`${text}\nKeyTable csl:${text}\nSigningTable ${text}`).config.milter.processes).toBe(1);
      }),
    );
  });
});
