import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { ConfigError } from './errors.ts';
import type { ConfigProblem } from './errors.ts';
import { parseAddress, parseResolverAddress } from './listen-address.ts';

/** What a person has to know about one environment variable. */
export interface Setting {
  /** Name of the environment variable. */
  readonly variable: string;
  /** What it does, in one sentence or two. */
  readonly description: string;
  /** Noun phrase for what may be given; completes "must be …". */
  readonly allowed: string;
  /** The value used when the variable is unset or empty, as it would be written; or, in words, where it comes from. */
  readonly fallback: string;
  /** Unit of the value; empty when it has none. */
  readonly unit: string;
  /** Never printed, not even when it is wrong. */
  readonly secret: boolean;
}

const settings = z.registry<Setting>();

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
const HEX_SHA256 = /^[0-9a-f]{64}$/i;
/** A domain name as it stands in Authentication-Results: no quoting is ever needed for it (RFC 8601 §2.2). */
const AUTHSERV_ID = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/;

const MIB = 1024 * 1024;

/** Every environment variable that any Zegel service reads. There is no other place. */
const schema = z.object({
  listen: address('ZEGEL_LISTEN', '127.0.0.1:8080', 'Where the REST API listens.'),
  metricsListen: address(
    'ZEGEL_METRICS_LISTEN',
    '127.0.0.1:9464',
    'Where /metrics, /healthz and /readyz are served. They need no token: keep this port inside.',
  ),
  dataDir: z
    .string()
    .transform((path) => resolve(path))
    .prefault('./.zegel')
    .register(settings, {
      variable: 'ZEGEL_DATA_DIR',
      description:
        'Folder of the embedded database, of stored messages and of the files made on the first start. A relative path counts from the working directory.',
      allowed: 'a path',
      fallback: './.zegel',
      unit: '',
      secret: false,
    }),
  redisUrl: url(
    'REDIS_URL',
    ['redis:', 'rediss:'],
    'Redis that holds the queue (6.2 or later, maxmemory-policy noeviction). Unset: the queue lies in the embedded database.',
  ),
  databaseUrl: url(
    'DATABASE_URL',
    ['postgres:', 'postgresql:'],
    'PostgreSQL that holds domains, keys, tokens and reports. Unset: an embedded PGlite in the data folder.',
  ),
  messageStore: z.enum(['file', 'redis']).prefault('file').register(settings, {
    variable: 'ZEGEL_MESSAGE_STORE',
    description: 'Where the bytes of queued messages lie: in files under the data folder, or in Redis.',
    allowed: '"file", or "redis" together with REDIS_URL',
    fallback: 'file',
    unit: '',
    secret: false,
  }),
  authservId: z
    .string()
    .regex(AUTHSERV_ID)
    .prefault(() => hostname())
    .register(settings, {
      variable: 'AUTHSERV_ID',
      description: 'The name we give in Authentication-Results (RFC 8601 §2.5); a domain name of yours.',
      allowed: 'a domain name',
      fallback: 'the name of the host',
      unit: '',
      secret: false,
    }),
  ourAuthservIds: list((item) => (AUTHSERV_ID.test(item) ? item : null), {
    variable: 'ZEGEL_OUR_AUTHSERV_IDS',
    description:
      'Further names that are ours: Authentication-Results that arrive under them are forged and removed (RFC 8601 §5).',
    allowed: 'a comma-separated list of domain names',
    fallback: 'none',
  }),
  receivedSpf: boolean(
    'ZEGEL_RECEIVED_SPF',
    false,
    'Whether a Received-SPF field is written below Authentication-Results (RFC 7208 §9.1).',
  ),
  trustedSealers: list((item) => (AUTHSERV_ID.test(item) ? item : null), {
    variable: 'ZEGEL_TRUSTED_SEALERS',
    description:
      'Domains whose ARC seals you believe, compared whole: reports then say what they vouch for. It never changes a DMARC result.',
    allowed: 'a comma-separated list of domain names',
    fallback: 'none',
  }),
  bimi: boolean(
    'ZEGEL_BIMI',
    false,
    'Whether BIMI is checked: it fetches indicators and mark certificates over HTTPS from public addresses.',
  ),
  masterKey: optional(z.string(), {
    variable: 'ZEGEL_MASTER_KEY',
    description: 'The master key that wraps private keys at rest: 32 bytes in base64. Give this or the file, not both.',
    allowed: 'the only one of ZEGEL_MASTER_KEY and ZEGEL_MASTER_KEY_FILE',
    fallback: 'none',
    unit: '',
    secret: true,
  }),
  masterKeyFile: optional(
    z.string().transform((path) => resolve(path)),
    {
      variable: 'ZEGEL_MASTER_KEY_FILE',
      description: 'File (mode 0600) that holds the master key; made on the first start when it is missing.',
      allowed: 'a path',
      fallback: 'master-key in the data folder',
      unit: '',
      secret: false,
    },
  ),
  dnsServers: list(parseResolverAddress, {
    variable: 'ZEGEL_DNS_SERVERS',
    description: 'DNS servers to ask, in order of preference; each host or host:port, IPv6 with a port in brackets.',
    allowed: 'a comma-separated list of host[:port]',
    fallback: 'those of the host (/etc/resolv.conf)',
  }),
  logLevel: z
    .enum(logLevels)
    .prefault('info')
    .register(settings, {
      variable: 'ZEGEL_LOG_LEVEL',
      description: 'The least important log lines that are written. "debug" adds stack traces to start failures.',
      allowed: `one of ${logLevels.join(', ')}`,
      fallback: 'info',
      unit: '',
      secret: false,
    }),
  maxMessageBytes: integer(
    'ZEGEL_MAX_MESSAGE_BYTES',
    50 * MIB,
    [1024, 1024 * MIB],
    'bytes',
    'Largest message taken in.',
  ),
  maxInflightBytes: integer(
    'ZEGEL_MAX_INFLIGHT_BYTES',
    256 * MIB,
    [1024, 64 * 1024 * MIB],
    'bytes',
    'Message bytes the REST API holds in memory at one time; beyond it answers 503 with Retry-After. Not below ZEGEL_MAX_MESSAGE_BYTES.',
  ),
  maxQueued: integer(
    'ZEGEL_MAX_QUEUED',
    100_000,
    [1, 100_000_000],
    'messages',
    'Messages that may wait in the queue; beyond it /v1/inbound answers 503 with Retry-After.',
  ),
  workerConcurrency: integer(
    'ZEGEL_WORKER_CONCURRENCY',
    16,
    [1, 1000],
    'messages',
    'Messages one worker process authenticates at the same time; most of that time is waiting for DNS.',
  ),
  lockDurationMs: integer(
    'ZEGEL_LOCK_DURATION_MS',
    30_000,
    [100, 3_600_000],
    'ms',
    'How long a worker owns a job without renewing its claim; after a crash the job is free again this much later.',
  ),
  stalledIntervalMs: integer(
    'ZEGEL_STALLED_INTERVAL_MS',
    15_000,
    [100, 3_600_000],
    'ms',
    'How often a worker looks for jobs whose owner is gone.',
  ),
  maxStalledCount: integer(
    'ZEGEL_MAX_STALLED_COUNT',
    3,
    [0, 1000],
    'times',
    'How often a job may lose its worker before it is parked as failed, its message kept.',
  ),
  jobAttempts: integer(
    'ZEGEL_JOB_ATTEMPTS',
    8,
    [1, 1000],
    'attempts',
    'How often a job is tried, with growing pauses, before it is parked as failed, its message kept.',
  ),
  retentionDays: integer(
    'ZEGEL_RETENTION_DAYS',
    7,
    [1, 3650],
    'days',
    'How long inbound messages and their reports are kept once done.',
  ),
  shutdownGraceMs: integer(
    'ZEGEL_SHUTDOWN_GRACE_MS',
    25_000,
    [100, 3_600_000],
    'ms',
    'How long open work may take to finish at shutdown, the drain delay not counted. Keep the sum below the 30 s after which Kubernetes kills.',
  ),
  drainDelayMs: integer(
    'ZEGEL_DRAIN_DELAY_MS',
    0,
    [0, 600_000],
    'ms',
    'How long the service goes on serving after /readyz says no, so that load balancers notice. About 5000 under Kubernetes.',
  ),
  adminTokenFile: optional(
    z.string().transform((path) => resolve(path)),
    {
      variable: 'ZEGEL_ADMIN_TOKEN_FILE',
      description: 'File (mode 0600) that holds the admin token; made on the first start when it is missing.',
      allowed: 'a path, and not beside ZEGEL_ADMIN_TOKEN_SHA256',
      fallback: 'admin-token in the data folder',
      unit: '',
      secret: false,
    },
  ),
  adminTokenSha256: optional(z.string().regex(HEX_SHA256).toLowerCase(), {
    variable: 'ZEGEL_ADMIN_TOKEN_SHA256',
    description: 'SHA-256 of the admin token, so that the token itself need not be on the host.',
    allowed: '64 hexadecimal digits',
    fallback: 'none',
    unit: '',
    secret: true,
  }),
});

type Parsed = z.output<typeof schema>;

/** Where the master key is found; see `loadMasterKey` of @zegel/keystore. */
export type MasterKeySource = { readonly value: string } | { readonly file: string };

/** Where the admin token is found: a file that holds it (made on the first start), or its SHA-256 in hexadecimal. */
export type AdminTokenSource = { readonly file: string } | { readonly sha256: string };

/**
 * What the environment says, parsed, with the defaults filled in. Paths are absolute, durations in milliseconds, sizes in bytes.
 * It holds secrets (`masterKey`, `redisUrl`, `databaseUrl`): never log it.
 */
export type Config = Readonly<
  Omit<Parsed, 'masterKey' | 'masterKeyFile' | 'adminTokenFile' | 'adminTokenSha256'> & {
    masterKey: MasterKeySource;
    adminToken: AdminTokenSource;
  }
>;

/**
 * Reads the configuration of every service from environment variables. A variable that is set but empty counts as unset.
 *
 * @throws {ConfigError} (`config.invalid`) naming every variable that is wrong, what was given and what is allowed;
 *   the values of secrets are left out
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const input: Record<string, string> = {};
  for (const [key, setting] of settingsByKey) {
    const value = env[setting.variable];
    if (value !== undefined && value !== '') input[key] = value;
  }
  const parsed = schema.safeParse(input);
  if (!parsed.success) {
    const keys = new Set(parsed.error.issues.map((issue) => String(issue.path[0])));
    throw new ConfigError([...keys].map((key) => problem(key, input[key])));
  }
  const problems = contradictions(parsed.data).map((key) => problem(key, input[key]));
  if (problems.length > 0) throw new ConfigError(problems);

  const { masterKey, masterKeyFile, adminTokenFile, adminTokenSha256, ...rest } = parsed.data;
  return {
    ...rest,
    masterKey:
      masterKey === undefined ? { file: masterKeyFile ?? join(rest.dataDir, 'master-key') } : { value: masterKey },
    adminToken:
      adminTokenSha256 === undefined
        ? { file: adminTokenFile ?? join(rest.dataDir, 'admin-token') }
        : { sha256: adminTokenSha256 },
  };
}

/** Every setting, in the order of the documentation. */
export function listSettings(): readonly Setting[] {
  return [...settingsByKey.values()];
}

const settingsByKey: ReadonlyMap<string, Setting> = new Map(
  Object.entries(schema.shape).map(([key, field]) => {
    const setting = settings.get(field);
    if (setting === undefined) throw new TypeError(`no documentation for the setting ${key}`);
    return [key, setting];
  }),
);

/** Keys of the settings that are right by themselves and wrong together. */
function contradictions(config: Parsed): string[] {
  const keys: string[] = [];
  if (config.messageStore === 'redis' && config.redisUrl === undefined) keys.push('messageStore');
  if (config.masterKey !== undefined && config.masterKeyFile !== undefined) keys.push('masterKey');
  if (config.adminTokenFile !== undefined && config.adminTokenSha256 !== undefined) keys.push('adminTokenFile');
  if (config.maxInflightBytes < config.maxMessageBytes) keys.push('maxInflightBytes');
  return keys;
}

function problem(key: string, given: string | undefined): ConfigProblem {
  const setting = settingsByKey.get(key);
  if (setting === undefined) throw new TypeError(`no setting ${key}`);
  const shown = given === undefined || setting.secret ? null : given.slice(0, MAX_SHOWN);
  return { variable: setting.variable, given: shown, allowed: setting.allowed };
}

/** Characters of a wrong value that an error repeats. */
const MAX_SHOWN = 200;

function optional<T>(value: z.ZodType<T, string>, setting: Setting) {
  return value.optional().register(settings, setting);
}

function address(variable: string, fallback: string, description: string) {
  return z
    .string()
    .transform((text, context) => {
      const parsed = parseAddress(text);
      if (parsed !== null) return parsed;
      context.addIssue('not host:port');
      return z.NEVER;
    })
    .prefault(fallback)
    .register(settings, {
      variable,
      description,
      allowed: 'host:port, with an IPv6 host in brackets',
      fallback,
      unit: 'host:port',
      secret: false,
    });
}

/** URLs are secrets: they hold passwords. */
function url(variable: string, protocols: readonly string[], description: string) {
  const accepts = (text: string): boolean => {
    const parsed = URL.parse(text);
    return parsed !== null && protocols.includes(parsed.protocol) && parsed.hostname !== '';
  };
  return optional(z.string().refine(accepts), {
    variable,
    description,
    allowed: `a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
    fallback: 'unset',
    unit: 'URL',
    secret: true,
  });
}

function integer(
  variable: string,
  fallback: number,
  [least, most]: readonly [number, number],
  unit: string,
  description: string,
) {
  const within = (value: number): boolean => value >= least && value <= most;
  return z
    .string()
    .regex(/^[0-9]{1,15}$/)
    .transform(Number)
    .refine(within)
    .prefault(String(fallback))
    .register(settings, {
      variable,
      description,
      allowed:
        variable === 'ZEGEL_MAX_INFLIGHT_BYTES'
          ? `a whole number from ${least} to ${most}, not below ZEGEL_MAX_MESSAGE_BYTES`
          : `a whole number from ${least} to ${most}`,
      fallback: String(fallback),
      unit,
      secret: false,
    });
}

function boolean(variable: string, fallback: boolean, description: string) {
  return z
    .enum(['true', 'false', '1', '0', 'yes', 'no'])
    .transform((text) => text === 'true' || text === '1' || text === 'yes')
    .prefault(fallback ? 'true' : 'false')
    .register(settings, {
      variable,
      description,
      allowed: 'true or false',
      fallback: String(fallback),
      unit: '',
      secret: false,
    });
}

/** A comma-separated list; blanks around items and empty items are ignored. */
function list<T>(parse: (item: string) => T | null, setting: Omit<Setting, 'secret' | 'unit'>) {
  return z
    .string()
    .transform((text, context): readonly T[] => {
      const items: T[] = [];
      for (const item of text.split(',')) {
        const trimmed = item.trim();
        if (trimmed === '') continue;
        const parsed = parse(trimmed);
        if (parsed === null) context.addIssue('not in the form of the list');
        else items.push(parsed);
      }
      return items;
    })
    .prefault('')
    .register(settings, { ...setting, unit: 'list', secret: false });
}
