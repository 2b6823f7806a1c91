import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { RefusalPolicy } from '@zegel/mail-policy';
import { parse as parseYaml } from 'yaml';
import type { z } from 'zod';
import { closest, readConfigFile } from './config-file.ts';
import type { ConfigFile, ConfigText, FileValue } from './config-file.ts';
import { ConfigError } from './errors.ts';
import type { ConfigProblem } from './errors.ts';
import { milterSettings } from './milter-settings.ts';
import {
  exceptionSettings,
  inboundSettings,
  outboundSettings,
  refusalSettings,
  signingSettings,
  submitterSettings,
} from './policy-settings.ts';
import type { KeyFile, LoginSource } from './policy-settings.ts';
import { serviceSettings } from './service-settings.ts';
import { settingTexts } from './setting.ts';
import type { Setting, SettingTexts } from './setting.ts';

/** Every setting of every service, by the section of the file it stands in. There is no other place. */
const schema = {
  '': serviceSettings,
  milter: milterSettings,
  outbound: outboundSettings,
  submitters: submitterSettings,
  signing: signingSettings,
  'signing.onRefusal': refusalSettings,
  inbound: inboundSettings,
  'inbound.exceptions': exceptionSettings,
} as const;

type Section = keyof typeof schema;
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
  Omit<Parsed[''], 'masterKey' | 'masterKeyFile' | 'adminTokenFile' | 'adminTokenSha256'> & {
    masterKey: MasterKeySource;
    adminToken: AdminTokenSource;
    milter: Readonly<Parsed['milter']>;
    outbound: Readonly<Parsed['outbound']>;
    submitters: Readonly<Parsed['submitters']>;
    signing: Readonly<Parsed['signing'] & { onRefusal: RefusalPolicy }>;
    inbound: Readonly<Parsed['inbound'] & { exceptions: Readonly<Parsed['inbound.exceptions']> }>;
  }
>;

/** The environment, as `process.env` has it. */
export type Environment = Readonly<Record<string, string | undefined>>;

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

/** As {@link readConfig}, with the text of the file given: a pure function, but for the name of the host. */
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
  const service = parse('', schema['']);
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

  const { masterKey, masterKeyFile, adminTokenFile, adminTokenSha256, ...rest } = service;
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

/** Every setting, in the order of the documentation. */
export function listSettings(): readonly Setting[] {
  return [...settingsByKey.values()].map(({ setting }) => setting);
}

interface KnownSetting {
  readonly setting: Setting;
  readonly form: SettingTexts['form'];
}

/** By section and name, also those that may not stand in the file. */
const settingsByKey: ReadonlyMap<string, KnownSetting> = new Map(
  Object.entries(schema).flatMap(([section, object]) =>
    Object.entries(object.shape).map(([name, field]): [string, KnownSetting] => {
      const key = keyIn(section, name);
      const texts = settingTexts.get(field);
      if (texts === undefined) throw new TypeError(`no documentation for the setting ${key}`);
      const { form, environmentOnly = false, ...setting } = texts;
      return [key, { form, setting: { ...setting, key: environmentOnly ? null : key } }];
    }),
  ),
);

function keyIn(section: string, name: string): string {
  return section === '' ? name : `${section}.${name}`;
}

/** What file and environment give, and where each value comes from. */
class GivenValues {
  readonly #env: Environment;
  readonly #file: ReadonlyMap<string, FileValue>;
  readonly #folder: string;

  constructor(env: Environment, values: ReadonlyMap<string, FileValue>, file: ConfigText | undefined) {
    this.#env = env;
    this.#file = values;
    this.#folder = file === undefined ? '' : dirname(resolve(file.name));
  }

  /** The input of a section's schema. */
  inputOf(section: Section): Readonly<Record<string, unknown>> {
    const entries = Object.keys(schema[section].shape).map((name) => [name, this.#input(keyIn(section, name))]);
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  }

  /** A path of a value that may come from the file, whose folder it counts from then. */
  path(key: string, path: string): string {
    return this.#isFromFile(key) ? resolve(this.#folder, path) : resolve(path);
  }

  problemsOf(section: Section, issues: readonly z.core.$ZodIssue[]): readonly ConfigProblem[] {
    const problems = new Map<string, ConfigProblem>();
    for (const issue of issues) {
      const [name, ...inner] = issue.path;
      const key = keyIn(section, String(name));
      const { form } = known(key);
      for (const problem of form === 'yaml' ? this.#innerProblems(key, inner, issue) : [this.problem(key, inner)]) {
        problems.set(`${problem.key} ${problem.allowed}`, problem);
      }
    }
    return [...problems.values()];
  }

  /** That the value of a setting is wrong: as a whole, or the item of a list in the file. */
  problem(key: string, inner: readonly PropertyKey[] = []): ConfigProblem {
    const { setting } = known(key);
    const fileValue = this.#isFromFile(key) ? this.#file.get(key) : undefined;
    const item = partOf(fileValue?.value, inner);
    const input = inner.length > 0 && item !== undefined ? item : this.#input(key);
    return {
      variable: setting.variable,
      key: setting.key,
      at: fileValue?.position(inner) ?? null,
      given: input === undefined || setting.secret ? null : shown(input),
      allowed: setting.allowed,
      fault: 'invalid',
    };
  }

  #innerProblems(key: string, inner: readonly PropertyKey[], issue: z.core.$ZodIssue): readonly ConfigProblem[] {
    const { setting } = known(key);
    const fileValue = this.#isFromFile(key) ? this.#file.get(key) : undefined;
    const make = (path: readonly PropertyKey[]): Pick<ConfigProblem, 'variable' | 'key' | 'at'> => ({
      variable: setting.variable,
      key: key + path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join(''),
      at: fileValue?.position(path) ?? null,
    });
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((name) => {
        const suggestion = closest(name, issue.message.split(', '));
        return {
          ...make([...inner, name]),
          given: null,
          allowed: issue.message,
          fault: 'unknown-key' as const,
          ...(suggestion === null ? {} : { suggestion }),
        };
      });
    }
    const value = partOf(this.#input(key), inner);
    const given = value === undefined || setting.secret ? null : shown(value);
    return [{ ...make(inner), given, allowed: issue.message, fault: 'invalid' }];
  }

  #isFromFile(key: string): boolean {
    return this.#fromEnvironment(key) === undefined && this.#file.has(key);
  }

  #fromEnvironment(key: string): string | undefined {
    const value = this.#env[known(key).setting.variable];
    return value === '' ? undefined : value;
  }

  #input(key: string): unknown {
    const { form, setting } = known(key);
    const text = this.#fromEnvironment(key);
    if (text !== undefined) return form === 'yaml' ? yamlValue(text) : text;
    const fromFile = setting.key === null ? undefined : this.#file.get(key)?.value;
    if (fromFile === undefined || form === 'yaml') return fromFile;
    const asText = textOfValue(fromFile);
    return form === 'path' && typeof asText === 'string' ? resolve(this.#folder, asText) : asText;
  }
}

function known(key: string): KnownSetting {
  const found = settingsByKey.get(key);
  if (found === undefined) throw new TypeError(`no setting ${key}`);
  return found;
}

/** A value of the file as its setting reads it: the text of a scalar, the items of a list joined by commas. */
function textOfValue(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    return items.every((item) => isScalarValue(item)) ? items.map(String).join(',') : value;
  }
  return isScalarValue(value) ? String(value) : value;
}

function isScalarValue(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** A value of a variable that is written as YAML; the text itself when it is none, which then is what is wrong. */
function yamlValue(text: string): unknown {
  try {
    return parseYaml(text, { prettyErrors: false, logLevel: 'silent' });
  } catch {
    return text;
  }
}

function partOf(value: unknown, path: readonly PropertyKey[]): unknown {
  let part = value;
  for (const step of path) {
    if (typeof part !== 'object' || part === null || !Object.hasOwn(part, step)) return undefined;
    part = Object.entries(part).find(([name]) => name === String(step))?.[1];
  }
  return part;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
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
