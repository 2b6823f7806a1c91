import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { generateKeyPairSync } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLoginMap, findSubmitter } from '@zegel/mail-policy';
import { parseConfig } from '@zegel/service-runtime';
import { sign } from '@zegel/signing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ZoneResolver } from '@zegel/dns';
import { authenticationOptions, loadMailRules } from '../src/index.ts';
import type { RuleStore } from '../src/index.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zegel-rules-'));
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
  await writeFile(join(folder, 'one.pem'), pem, { mode: 0o600 });
  await writeFile(join(folder, 'exposed.pem'), pem, { mode: 0o644 });
  await chmod(join(folder, 'exposed.pem'), 0o644);
  await writeFile(join(folder, 'bad.pem'), 'not a key', { mode: 0o600 });
});

afterAll(() => rm(folder, { recursive: true }));

const load = (text: string, store?: Partial<RuleStore>) =>
  loadMailRules(parseConfig({}, { name: join(folder, 'zegel.yaml'), text }), store);

const keyOf = (file: string) => `keys: [{ domain: example.org, selector: one, file: ${file} }]`;

const entriesOf = async (login: string) => {
  const { submitters } = await load(`submitters: { logins: { file: logins.yaml } }\nsigning: { ${keyOf('one.pem')} }`);
  const { maySignAs, code } = await findSubmitter({ listenerMode: 'sign', login }, 'outbound', submitters);
  return [code, ...maySignAs];
};

describe('what a configuration names', () => {
  test('keys of files sign by the table', async () => {
    const rules = await load(
      `signing: { ${keyOf('one.pem')}, rules: [{ author: example.org, validitySeconds: 60 }], oversign: [X-Mine], canonicalization: simple/relaxed }`,
    );
    const raw = Buffer.from('From: a@news.example.org\r\nX-Mine: 1\r\n\r\n');
    const result = await sign(raw, {}, { ...rules.signing, now: new Date(0) });
    expect(result.code).toBe('signing.signed');
    const field = result.signatures[0]?.field.replaceAll(/\s+/g, '') ?? '';
    expect(field).toMatch(/c=simple\/relaxed;.*d=example\.org;.*s=one;.*x=60;/);
    expect(field.toLowerCase()).toContain('x-mine:x-mine');
  });

  test('the map of logins may be a file, read anew each time', async () => {
    const file = join(folder, 'logins.yaml');
    await writeFile(file, 'ann: [ann@example.org, example.net]\n"*@example.com": example.com\n');
    expect(await entriesOf('ANN')).toEqual(['submitter.login-map', 'ann@example.org', 'example.net']);
    expect(await entriesOf('bob@Example.com')).toEqual(['submitter.login-map', 'example.com']);
    expect(await entriesOf('eve@example.org')).toEqual(['submitter.own-address', 'eve@example.org']);
    await writeFile(file, '');
    expect(await entriesOf('ann')).toEqual(['submitter.unmapped-login']);
  });

  test('keys and logins of the database are used where there is one', async () => {
    const keySource = { activeKeys: async () => [] };
    const text = 'submitters: { logins: { store: true } }';
    const rules = await load(text, { keySource, logins: createLoginMap({ ann: ['*'] }) });
    expect(rules.signing.keySource).toBe(keySource);
    await expect(load(text, { keySource })).rejects.toMatchObject({ code: 'config.store-missing' });
    await expect(load('')).rejects.toMatchObject({ code: 'config.store-missing' });
  });

  test('a sealer that makes an exception is trusted, and the seal has its key', async () => {
    const text = `trustedSealers: [a.example]\ninbound: { exceptions: { sealers: [b.example, a.example] }, arcSeal: { domain: example.org, selector: one, file: one.pem } }\nsigning: { ${keyOf('one.pem')} }`;
    const config = parseConfig({}, { name: join(folder, 'zegel.yaml'), text });
    const { sealingKey } = await loadMailRules(config);
    expect(authenticationOptions(config, new ZoneResolver({}), sealingKey)).toMatchObject({
      trustedSealers: ['a.example', 'b.example'],
      sealingKey: { domain: 'example.org', selector: 'one' },
    });
  });

  test.each([
    ['missing.pem', 'config.file-unreadable'],
    ['bad.pem', 'config.key-unusable'],
    ['exposed.pem', 'config.secret-exposed'],
  ])('%s: %s', async (file, code) => {
    await expect(load(`signing: { ${keyOf(file)} }`)).rejects.toMatchObject({ code });
  });

  test('a map of logins that is wrong is told by its line, without the login', async () => {
    await writeFile(join(folder, 'wrong.yaml'), 'ann: example.org\nbob: not a domain\n');
    const text = `submitters: { logins: { file: wrong.yaml } }\nsigning: { ${keyOf('one.pem')} }`;
    const failure = await load(text).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'config.invalid' });
    expect(String(failure)).toContain('wrong.yaml:2:6: the entry must be an author address');
    expect(String(failure)).not.toContain('bob');
  });
});
