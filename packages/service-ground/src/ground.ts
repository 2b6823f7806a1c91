import { join } from 'node:path';
import { openDatabase } from '@zegel/database';
import type { Database, FolderLock } from '@zegel/database';
import { CachingResolver } from '@zegel/dns/client';
import { ensureMasterKey, openKeystore } from '@zegel/keystore';
import type { Keystore } from '@zegel/keystore';
import { FileMessageStore, RedisMessageStore } from '@zegel/mail-queue';
import type { MessageStore } from '@zegel/mail-queue';
import { errorCode } from '@zegel/service-runtime';
import type { Config, ServiceContext } from '@zegel/service-runtime';

/**
 * What every service stands on. Closed by the service's resources. Its database decides whether it is ready; its
 * message store is only reported, since a service signs and verifies without.
 */
export interface Ground {
  readonly database: Database;
  readonly store: MessageStore;
  readonly resolver: CachingResolver;
}

/**
 * Opens database, message store and resolver as the configuration says.
 *
 * @param lock a lock on the data folder that the caller holds already.
 * @throws what `openDatabase` of `@zegel/database` and the resolver throw: the start fails.
 */
export async function openGround(context: ServiceContext, lock?: FolderLock): Promise<Ground> {
  const { readiness, resources } = context;
  const database = await openWatchedDatabase(context, lock);
  const store = openStore(context);
  resources.defer('message store', () => store.close());
  readiness.watch('message store', () => store.ping());
  return { database, store, resolver: openWatchedResolver(context) };
}

/** The parts of a service that its ground is registered in. */
export type GroundContext = Pick<ServiceContext, 'config' | 'readiness' | 'resources' | 'telemetry'>;

/** Opens the database alone, for a service that needs nothing else of the ground. See {@link openGround}. */
export async function openWatchedDatabase(
  { config, readiness, resources }: Omit<GroundContext, 'telemetry'>,
  lock?: FolderLock,
): Promise<Database> {
  const database = await openDatabase(
    config.databaseUrl === undefined
      ? { folder: config.dataDir, ...(lock === undefined ? {} : { lock }) }
      : { url: config.databaseUrl },
  );
  resources.defer('database', () => database.close());
  readiness.add('database', () => database.ping());
  return database;
}

/** Opens the resolver alone, closed by the resources of the service and with its metrics. */
export function openWatchedResolver({
  config,
  resources,
  telemetry,
}: Omit<GroundContext, 'readiness'>): CachingResolver {
  const resolver = openResolver(config);
  resources.defer('resolver', () => resolver.close());
  resources.use(
    'DNS metrics',
    telemetry.instruments.observeDns(() => {
      const { udpQueries, tcpQueries, cacheHits, failures } = resolver.statistics;
      return {
        queries: udpQueries + tcpQueries,
        cacheHits,
        failures: Object.values(failures).reduce((sum, count) => sum + count, 0),
      };
    }),
  );
  return resolver;
}

/** The real DNS, as the configuration says. */
export function openResolver({ dnsServers }: Pick<Config, 'dnsServers'>): CachingResolver {
  if (dnsServers.length === 0) return new CachingResolver();
  return new CachingResolver({ servers: dnsServers.map(({ host, port }) => ({ address: host, port })) });
}

/**
 * Opens the keystore, with the master key and the admin token that the configuration names, or makes them. A service that has no
 * REST API leaves the token alone.
 */
export async function openConfiguredKeystore(
  database: Database,
  config: Config,
  { hasAdminToken = true }: { readonly hasAdminToken?: boolean } = {},
): Promise<Keystore> {
  const masterKey = await ensureMasterKey(database, config.masterKey);
  const keystore = await openKeystore({ database, masterKey });
  if (hasAdminToken) await keystore.ensureAdminToken(config.adminToken);
  return keystore;
}

function openStore({ config, logger }: ServiceContext): MessageStore {
  if (config.messageStore === 'redis' && config.redisUrl !== undefined) {
    const onError = (error: Error): void =>
      logger.warn({ code: errorCode(error) }, 'the message store reports an error');
    return new RedisMessageStore({ url: config.redisUrl, onError });
  }
  return new FileMessageStore(join(config.dataDir, 'messages'));
}
