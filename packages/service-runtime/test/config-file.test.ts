import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConfigError, configLimits, describeProblem, listSettings, parseConfig } from '../src/index.ts';
import type { Config, FilePosition } from '../src/index.ts';

const name = '/etc/zegel/zegel.yaml';

const read = (text: string, env: Record<string, string> = {}): Config => parseConfig(env, { name, text });

/** The problems of a file, as a person gets to see them, without its folder. */
function problemsOf(text: string, env: Record<string, string> = {}): readonly string[] {
  try {
    read(text, env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map((problem) => describeProblem(problem).replace('/etc/zegel/', ''));
  }
  throw new Error('was accepted');
}

describe('a configuration file', () => {
  test('has every section, and what it leaves out is the default', () => {
    const config = read(`
authservId: mx.example.org
dnsServers: [192.0.2.1, "2001:db8::1"]
milter:
  listen:
    - { address: "unix:/run/zegel/submission.sock", mode: sign, permissions: "660" }
    - { address: "127.0.0.1:8891", mode: both }
outbound: { daemonNames: [ORIGINATING], internalNetworks: [127.0.0.0/8] }
submitters:
  networks: [{ network: 192.0.2.0/24, domains: [example.org, BÜCHER.example] }]
signing:
  rules:
    - { author: "*.example.org", domain: example.org, selectors: [a, b], validitySeconds: 86400 }
  onRefusal: { notPermitted: send-unsigned }
inbound:
  exceptions: { mailingLists: lists.example.org }
`);
    expect(config.authservId).toBe('mx.example.org');
    expect(config.dnsServers.map(({ host }) => host)).toEqual(['192.0.2.1', '2001:db8::1']);
    expect(config.milter.listen).toEqual([
      { address: { path: '/run/zegel/submission.sock' }, mode: 'sign', permissions: 0o660 },
      { address: { host: '127.0.0.1', port: 8891 }, mode: 'both' },
    ]);
    expect(config.milter.maxConnections).toBe(1000);
    expect(config.submitters.networks[0]?.domains).toEqual(['example.org', 'xn--bcher-kva.example']);
    expect(config.signing.rules).toEqual([
      { author: '*.example.org', domain: 'example.org', selectors: ['a', 'b'], validity: 86_400 },
    ]);
    expect(config.signing.onRefusal).toMatchObject({ notPermitted: 'send-unsigned', missingKey: 'tempfail' });
    expect(config.inbound.exceptions.mailingLists).toEqual(['lists.example.org']);
  });

  test('that is empty is no configuration at all', () => {
    expect(read('')).toEqual(parseConfig({}));
    expect(read('# nothing\nmilter:\n')).toEqual(parseConfig({}));
  });

  test('counts its paths from its own folder, and the environment from the working directory', () => {
    const text = 'dataDir: data\nsigning: { keys: [{ domain: example.org, selector: s, file: keys/s.pem }] }\n';
    expect(read(text)).toMatchObject({
      dataDir: '/etc/zegel/data',
      adminToken: { file: '/etc/zegel/data/admin-token' },
      signing: { keys: [{ file: '/etc/zegel/keys/s.pem' }] },
    });
    expect(read(text, { ZEGEL_DATA_DIR: '/srv' }).dataDir).toBe('/srv');
  });

  test('gives way to the environment, value by value; structures are YAML in one line there', () => {
    const text = 'milter: { processes: 2, maxConnections: 5 }\nsigning: { rules: [{ author: example.org }] }\n';
    const config = read(text, {
      ZEGEL_MILTER_PROCESSES: '4',
      ZEGEL_SIGNING_RULES: '[{ author: "*", identity: author-domain }]',
    });
    expect(config.milter).toMatchObject({ processes: 4, maxConnections: 5 });
    expect(config.signing.rules).toEqual([{ author: '*', identity: 'author-domain' }]);
  });

  test.each<[string, string]>([
    ['inline: { ann: ann@example.org, "*@example.net": [example.net] }', 'inline'],
    ['file: logins.yaml', 'file'],
    ['store: true', 'store'],
    ['http: { url: "https://directory.example.org/authors/{login}", tokenFile: token }', 'http'],
    ['http: { url: "http://127.0.0.1:8000/{login}" }', 'http'],
  ])('logins: { %s }', (source, kind) => {
    expect(read(`submitters: { logins: { ${source} } }`).submitters.logins.kind).toBe(kind);
  });
});

describe('a wrong file', () => {
  test.each<[string, string, string]>([
    [
      'a key that is not known',
      'milter:\n  proceses: 2',
      'zegel.yaml:2:3: milter.proceses is not known (did you mean processes?)',
    ],
    [
      'a key in the way of the environment',
      'data_dir: x',
      'zegel.yaml:1:1: data_dir is not known (did you mean dataDir?)',
    ],
    [
      'a word that is none',
      'inbound:\n  policy: block',
      'zegel.yaml:2:11: inbound.policy is "block", must be one of annotate, enforce',
    ],
    [
      'a number out of bounds',
      'milter: { processes: 0 }',
      'zegel.yaml:1:22: milter.processes is "0", must be a whole number from 1 to 256',
    ],
    [
      'an item of a list',
      'outbound:\n  internalNetworks:\n    - 127.0.0.0/8\n    - 10.0.0.0/40',
      'zegel.yaml:4:7: outbound.internalNetworks is "10.0.0.0/40", must be a comma-separated list of IP addresses and networks',
    ],
    [
      'a part of a rule',
      'signing:\n  rules:\n    - author: example.org\n      selector: s',
      'zegel.yaml:4:17: signing.rules[0].selector is not known (did you mean selectors?)',
    ],
    [
      'a part that is missing',
      'milter: { listen: [{ address: "127.0.0.1:1" }] }',
      'zegel.yaml:1:20: milter.listen[0].mode must be sign, verify or both',
    ],
    [
      'two rules for one author',
      'signing: { rules: [{ author: a.example }, { author: A.example }] }',
      'zegel.yaml:1:53: signing.rules[1].author is "A.example", must be in one rule only',
    ],
    [
      'an identity outside its domain',
      'signing: { rules: [{ author: a.example, identity: "@b.example" }] }',
      'zegel.yaml:1:51: signing.rules[0].identity is "@b.example", must be an address or @domain at a.example or below it',
    ],
    [
      'an identity that i= cannot say',
      'signing: { rules: [{ author: a.example, identity: "a..b@a.example" }] }',
      'zegel.yaml:1:51: signing.rules[0].identity is "a..b@a.example", must be an address or @domain at a.example or below it',
    ],
    [
      'a section that is none',
      'milter: yes',
      'zegel.yaml:1:9: milter must be a mapping with listen, processes, maxConnections, idleMs, commandMs, removeOwnResultsOutbound',
    ],
    [
      'two sources of logins',
      'submitters: { logins: { file: x, store: true } }',
      'zegel.yaml:1:23: submitters.logins is "{\\"file\\":\\"x\\",\\"store\\":true}", must be one of inline, file, store and http',
    ],
    [
      'a map of logins in the clear',
      'submitters: { logins: { http: { url: "http://a.example/{login}" } } }',
      'zegel.yaml:1:38: submitters.logins.http.url is "http://a.example/{login}", must be an https:// URL (http:// for a loopback address) that holds {login}',
    ],
    [
      'no YAML',
      'a: [',
      'zegel.yaml:1:5: not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    ['a key twice', 'bimi: yes\nbimi: no', 'zegel.yaml:2:1: not YAML: Map keys must be unique'],
  ])('%s', (_name, text, problem) => {
    expect(problemsOf(text)).toEqual([problem]);
  });

  test('names what is wrong where it comes from: file or variable', () => {
    const problems = problemsOf('milter: { processes: x }\nbimi: maybe', {
      ZEGEL_MILTER_PROCESSES: 'many',
      ZEGEL_SIGNING_RULES: '[{ author: 3 }]',
    });
    expect(problems).toEqual([
      'zegel.yaml:2:7: bimi is "maybe", must be true or false',
      'ZEGEL_MILTER_PROCESSES is "many", must be a whole number from 1 to 256',
      'ZEGEL_SIGNING_RULES[0].author is "3", must be a domain name, *.domain or "*"',
    ]);
  });

  test('may not ask to sign anyway where that means nothing', () => {
    expect(problemsOf('signing: { onRefusal: { missingKey: sign-anyway } }')).toHaveLength(1);
    expect(problemsOf('signing: { onRefusal: { ambiguousAuthor: sign-anyway } }')).toHaveLength(1);
    expect(problemsOf('signing: { onRefusal: { notPermitted: sign-anyway } }')).toHaveLength(1);
    const text =
      'signing: { defaultDomain: example.org, onRefusal: { missingKey: sign-anyway, refusedHeader: sign-anyway } }';
    expect(read(text).signing.defaultDomain).toBe('example.org');
  });

  test('never repeats a secret, and does not take the master key', () => {
    const text = 'redisUrl: "http://user:hunter2@redis"\nmasterKey: hunter2\ndatabaseUrl: [hunter2]\n';
    const problems = problemsOf(text);
    expect(problems).toHaveLength(3);
    expect(problems.join()).not.toContain('hunter2');
  });

  test('has bounds on size and aliases', () => {
    expect(problemsOf(`# ${'x'.repeat(configLimits.maxFileBytes)}`)[0]).toContain('above the limit');
    const bomb = ['a0: &a0 [x, x]'];
    for (let i = 1; i < 12; i++) bomb.push(`a${i}: &a${i} [${`*a${i - 1}, `.repeat(9)}]`);
    expect(
      problemsOf(`signing:\n  rules:\n${bomb.map((line) => `    - { ${line} }`).join('\n')}`).length,
    ).toBeGreaterThan(0);
  });
});

/** Where the problems of a file stand; none when there are none. */
function positionsOf(text: string): readonly (FilePosition | null)[] {
  try {
    read(text);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ at }) => at);
  }
}

describe('any text', () => {
  const keys = listSettings().flatMap(({ key }) => (key === null ? [] : [key]));
  /** YAML-like lines over the known names. */
  const someLine = fc
    .tuple(
      fc.constantFrom('', '  ', '    ', '- '),
      fc.constantFrom(...keys, ...keys.map((key) => key.split('.').at(-1) ?? key), 'milter', 'signing', 'rules', 'x'),
      fc.oneof(
        fc.constantFrom('', '[]', '{}', '[a, b]', '{ a: b }', '3', 'true', 'null', '*a', '&a x', '"', '!!binary x'),
        fc.string(),
      ),
    )
    .map(([indent, key, value]) => `${indent}${key}: ${value}`);

  test('is a configuration, or problems that each have a line', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(someLine, { maxLength: 12 }).map((lines) => lines.join('\n')),
        ),
        (text) => {
          const lastLine = text.split('\n').length;
          const lines = positionsOf(text).map((at) => at?.line ?? 0);
          expect(lines.every((line) => line >= 1 && line <= lastLine)).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });
});
