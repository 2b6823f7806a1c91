import { hostname } from 'node:os';
import { z } from 'zod';
import { parseResolverAddress } from './listen-address.ts';
import {
  address,
  boolean,
  integer,
  list,
  optional,
  optionalPath,
  path,
  settingTexts,
  url,
  urlFile,
  word,
} from './setting.ts';

const HEX_SHA256 = /^[0-9a-f]{64}$/i;
/** A domain name as it stands in Authentication-Results: no quoting is ever needed for it (RFC 8601 §2.2). */
const AUTHSERV_ID = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/;

const MIB = 1024 * 1024;

/** Whether a text may be an authserv-id of ours. */
export function isAuthservId(text: string): boolean {
  return AUTHSERV_ID.test(text);
}

/** Settings of every service, at the top of the file. */
export const serviceSettings = z.object({
  listen: address('ZEGEL_LISTEN', '127.0.0.1:8080', 'Where the REST API listens.'),
  metricsListen: address(
    'ZEGEL_METRICS_LISTEN',
    '127.0.0.1:9464',
    'Where /metrics, /healthz and /readyz are served. They need no token: keep this port inside.',
  ),
  dataDir: path('./.zegel', {
    variable: 'ZEGEL_DATA_DIR',
    description: 'Folder of the embedded database, of stored messages and of the files made on the first start.',
    allowed: 'a path',
    fallback: './.zegel',
  }),
  redisUrl: url(
    'REDIS_URL',
    ['redis:', 'rediss:'],
    'Redis that holds the queue (6.2 or later, maxmemory-policy noeviction). Unset: the queue lies in the embedded database.',
  ),
  redisUrlFile: urlFile('REDIS_URL_FILE', 'REDIS_URL'),
  databaseUrl: url(
    'DATABASE_URL',
    ['postgres:', 'postgresql:'],
    'PostgreSQL that holds domains, keys, tokens and reports. Unset: an embedded PGlite in the data folder.',
  ),
  databaseUrlFile: urlFile('DATABASE_URL_FILE', 'DATABASE_URL'),
  messageStore: word(
    'ZEGEL_MESSAGE_STORE',
    ['file', 'redis'],
    'file',
    'Where the bytes of queued messages lie: in files under the data folder, or in Redis.',
    ', the latter together with REDIS_URL',
  ),
  authservId: z
    .string()
    .refine(isAuthservId)
    .prefault(() => hostname())
    .register(settingTexts, {
      variable: 'AUTHSERV_ID',
      description: 'The name we give in Authentication-Results (RFC 8601 §2.5); a domain name of yours.',
      allowed: 'a domain name',
      fallback: 'the name of the host',
      unit: '',
      secret: false,
      form: 'text',
    }),
  ourAuthservIds: list((item) => (isAuthservId(item) ? item : null), {
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
  trustedSealers: list((item) => (isAuthservId(item) ? item : null), {
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
    secret: true,
    environmentOnly: true,
  }),
  masterKeyFile: optionalPath({
    variable: 'ZEGEL_MASTER_KEY_FILE',
    description: 'File (mode 0600) that holds the master key; made on the first start when it is missing.',
    allowed: 'a path',
    fallback: 'master-key in the data folder',
  }),
  dnsServers: list(parseResolverAddress, {
    variable: 'ZEGEL_DNS_SERVERS',
    description: 'DNS servers to ask, in order of preference; each host or host:port, IPv6 with a port in brackets.',
    allowed: 'a comma-separated list of host[:port]',
    fallback: 'those of the host (/etc/resolv.conf)',
  }),
  logLevel: word(
    'ZEGEL_LOG_LEVEL',
    ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
    'info',
    'The least important log lines that are written. "debug" adds stack traces to start failures.',
  ),
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
    'Message bytes the REST API holds in memory at one time, a half of them, or one message, for one token; beyond it answers 503 with Retry-After. Not below ZEGEL_MAX_MESSAGE_BYTES.',
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
  adminTokenFile: optionalPath({
    variable: 'ZEGEL_ADMIN_TOKEN_FILE',
    description: 'File (mode 0600) that holds the admin token; made on the first start when it is missing.',
    allowed: 'a path, and not beside ZEGEL_ADMIN_TOKEN_SHA256',
    fallback: 'admin-token in the data folder',
  }),
  adminTokenSha256: optional(z.string().regex(HEX_SHA256).toLowerCase(), {
    variable: 'ZEGEL_ADMIN_TOKEN_SHA256',
    description: 'SHA-256 of the admin token, so that the token itself need not be on the host.',
    allowed: '64 hexadecimal digits',
    fallback: 'none',
    secret: true,
  }),
});
