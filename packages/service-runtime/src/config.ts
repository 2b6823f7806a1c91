import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { RefusalPolicy } from '@zegel/mail-policy';
import type { z } from 'zod';
import { readConfigFile } from './config-file.ts';
import type { ConfigFile, ConfigText } from './config-file.ts';
import { ConfigError } from './errors.ts';
import type { ConfigProblem } from './errors.ts';
import { GivenValues } from './given-values.ts';
import type { Environment } from './given-values.ts';
import { configLimits } from './limits.ts';
import { listSettings, schema } from './schema.ts';
import type { Section } from './schema.ts';
import { readSecretFile } from './secret-file.ts';
import type { KeyFile } from './setting-values.ts';
import type { LoginSource } from './submitter-settings.ts';

type Parsed = { readonly [Name in Section]: z.output<(typeof schema)[Name]> };

/** Where the master key is found; see `loadMasterKey` of @zegel/keystore. */
export type MasterKeySource = { readonly value: string } | { readonly file: string };

/** Where the admin token is found: a file that holds it (made on the first start), or its SHA-256 in hexadecimal. */
export type AdminTokenSource = { readonly file: string } | { readonly sha256: string };

/**
 * What file and environment say, parsed, with the defaults filled in. Paths are absolute, durations in milliseconds unless
 * their name says otherwise, sizes in bytes, domains A-labels in lower case, networks parsed.
 * It holds secrets (`masterKey`, `redisUrl`, `databaseUrl`): never log it.
 */
export type Config = Readonly<
  Omit<
    Parsed[''],
    'masterKey' | 'masterKeyFile' | 'adminTokenFile' | 'adminTokenSha256' | 'redisUrlFile' | 'databaseUrlFile'
  > & {
    masterKey: MasterKeySource;
    adminToken: AdminTokenSource;
    milter: Readonly<Parsed['milter']>;
    outbound: Readonly<Parsed['outbound']>;
    submitters: Readonly<Parsed['submitters']>;
    signing: Readonly<Parsed['signing'] & { onRefusal: RefusalPolicy }>;
    inbound: Readonly<Parsed['inbound'] & { exceptions: Readonly<Parsed['inbound.exceptions']> }>;
  }
>;

/** The variable that names the configuration file. */
export const configFileVariable = 'ZEGEL_CONFIG';

/**
 * Reads the configuration of every service: the YAML file that `ZEGEL_CONFIG` names, where it names one, and environment
 * variables, which go before the file. A variable that is set but empty counts as unset.
 *
 * @throws {ConfigError} (`config.invalid`) naming everything that is wrong, where it stands, what was given and what is
 *   allowed; the values of secrets are left out
 */
export function readConfig(env: Environment): Config {
  const name = env[configFileVariable];
  return name === undefined || name === '' ? parseConfig(env) : parseConfig(env, readText(name));
}

/**
 * As {@link readConfig}, with the text of the file given: a pure function, but for the name of the host, and files that
 * hold a URL.
 */
export function parseConfig(env: Environment, file?: ConfigText): Config {
  const read: ConfigFile =
    file === undefined ? { values: new Map(), problems: [] } : readConfigFile(file, listSettings());
  const given = new GivenValues(env, read.values, file);
  const problems: ConfigProblem[] = [...read.problems];
  const parse = <Output>(section: Section, object: z.ZodType<Output>): Output | null => {
    const parsed = object.safeParse(given.inputOf(section));
    if (parsed.success) return parsed.data;
    problems.push(...given.problemsOf(section, parsed.error.issues));
    return null;
  };
  const service = withUrls(parse('', schema['']), given, problems);
  const milter = parse('milter', schema.milter);
  const outbound = parse('outbound', schema.outbound);
  const submitters = parse('submitters', schema.submitters);
  const signing = parse('signing', schema.signing);
  const onRefusal = parse('signing.onRefusal', schema['signing.onRefusal']);
  const inbound = parse('inbound', schema.inbound);
  const exceptions = parse('inbound.exceptions', schema['inbound.exceptions']);
  if (service !== null) problems.push(...contradictions(service).map((key) => given.problem(key)));
  if (onRefusal?.missingKey === 'sign-anyway' && signing !== null && signing.defaultDomain === undefined) {
    problems.push(given.problem('signing.onRefusal.missingKey'));
  }
  if (
    problems.length > 0 ||
    service === null ||
    milter === null ||
    outbound === null ||
    submitters === null ||
    signing === null ||
    onRefusal === null ||
    inbound === null ||
    exceptions === null
  ) {
    throw new ConfigError(problems);
  }

  const {
    masterKey,
    masterKeyFile,
    adminTokenFile,
    adminTokenSha256,
    redisUrlFile: _redisUrlFile,
    databaseUrlFile: _databaseUrlFile,
    ...rest
  } = service;
  const dataDir = resolve(rest.dataDir);
  const keyFile = (key: string, found: KeyFile): KeyFile => ({ ...found, file: given.path(key, found.file) });
  return {
    ...rest,
    dataDir,
    masterKey:
      masterKey === undefined ? { file: resolve(masterKeyFile ?? join(dataDir, 'master-key')) } : { value: masterKey },
    adminToken:
      adminTokenSha256 === undefined
        ? { file: resolve(adminTokenFile ?? join(dataDir, 'admin-token')) }
        : { sha256: adminTokenSha256 },
    milter,
    outbound,
    submitters: {
      ...submitters,
      logins: loginFiles(submitters.logins, (path) => given.path('submitters.logins', path)),
    },
    signing: {
      ...signing,
      keys: signing.keys?.map((key) => keyFile('signing.keys', key)),
      onRefusal,
    },
    inbound: {
      ...inbound,
      arcSeal: inbound.arcSeal === undefined ? undefined : keyFile('inbound.arcSeal', inbound.arcSeal),
      exceptions,
    },
  };
}

function readText(name: string): ConfigText {
  try {
    return { name, text: readFileSync(name, 'utf8') };
  } catch (error) {
    const allowed = `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    throw new ConfigError([
      {
        variable: configFileVariable,
        key: null,
        at: null,
        given: name,
        allowed: `a file that can be read (${allowed})`,
        fault: 'invalid',
      },
    ]);
  }
}

/** The settings with the URLs that stand in files. What is wrong with a file is added to the problems. */
function withUrls(service: Parsed[''] | null, given: GivenValues, problems: ConfigProblem[]): Parsed[''] | null {
  if (service === null) return null;
  const urls: { redisUrl?: string | undefined; databaseUrl?: string | undefined } = {};
  for (const name of ['redisUrl', 'databaseUrl'] as const) {
    const key = `${name}File` as const;
    const file = service[key];
    if (file === undefined) continue;
    const problem = given.problem(key);
    if (service[name] !== undefined) {
      problems.push(problem);
      continue;
    }
    const { shape } = schema[''];
    const secret = readSecretFile(file, configLimits.maxUrlFileBytes);
    const url = secret.ok ? shape[name].safeParse(secret.text) : null;
    if (!secret.ok) {
      problems.push({ ...problem, allowed: `a file that can be used (${secret.explanation})` });
    } else if (url?.success === true) {
      urls[name] = url.data;
    } else {
      problems.push({ ...problem, allowed: `a file that holds ${given.problem(name).allowed}` });
    }
  }
  return { ...service, ...urls };
}

function loginFiles(source: LoginSource, path: (text: string) => string): LoginSource {
  if (source.kind === 'file') return { ...source, file: path(source.file) };
  if (source.kind === 'http' && source.tokenFile !== undefined) return { ...source, tokenFile: path(source.tokenFile) };
  return source;
}

/** Keys of the settings that are right by themselves and wrong together. */
function contradictions(config: Parsed['']): string[] {
  const keys: string[] = [];
  if (config.messageStore === 'redis' && config.redisUrl === undefined) keys.push('messageStore');
  if (config.masterKey !== undefined && config.masterKeyFile !== undefined) keys.push('masterKey');
  if (config.adminTokenFile !== undefined && config.adminTokenSha256 !== undefined) keys.push('adminTokenFile');
  if (config.maxInflightBytes < config.maxMessageBytes) keys.push('maxInflightBytes');
  return keys;
}
