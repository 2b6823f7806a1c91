import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { Database } from '@zegel/database';
import type { Resolver } from '@zegel/dns';
import type { Keystore } from '@zegel/keystore';
import { openInboundQueue } from '@zegel/mail-queue';
import type { MessageStore } from '@zegel/mail-queue';
import { errorCode, formatAddress } from '@zegel/service-runtime';
import type { HostPort, ServiceContext } from '@zegel/service-runtime';
import { createApp } from './app.ts';
import { httpLimits } from './limits.ts';
import { MessageReader } from './read-message.ts';

/** What the REST API is opened on. */
export interface SignerGround {
  readonly database: Database;
  readonly store: MessageStore;
  readonly resolver: Resolver;
  readonly keystore: Keystore;
}

/** A REST API that listens. Dispose to stop: requests in work are finished first. */
export interface Signer extends AsyncDisposable {
  /** Where it listens, as `host:port`. */
  readonly address: string;
}

/** Opens the inbound queue and starts to listen. Rejects when the address cannot be bound. */
export async function startSigner(
  {
    config,
    logger,
    telemetry,
    readiness,
    resources,
    version,
  }: Pick<ServiceContext, 'config' | 'logger' | 'telemetry' | 'readiness' | 'resources' | 'version'>,
  { database, store, resolver, keystore }: SignerGround,
): Promise<Signer> {
  const { instruments } = telemetry;
  const queue = await openInboundQueue({
    database,
    store,
    redisUrl: config.redisUrl,
    maxWaiting: config.maxQueued,
    onError: (error) => logger.warn({ code: errorCode(error) }, 'the inbound queue reports an error'),
  });
  resources.defer('inbound queue', () => queue.close());
  readiness.add('inbound queue', () => queue.ping());
  resources.use(
    'queue metrics',
    instruments.observeQueue(async () => {
      const { messages, jobs } = await queue.counts();
      return { ...jobs, parked: messages.parked };
    }),
  );

  const { authservId, ourAuthservIds, maxMessageBytes, maxInflightBytes } = config;
  const app = createApp(
    {
      keystore,
      queue,
      authentication: { resolver, authservId, ourAuthservIds, limits: { maxMessageBytes } },
      instruments,
      readiness,
      reader: new MessageReader({ maxMessageBytes, maxInflightBytes }),
      version,
    },
    logger,
  );
  const { maxHeaderSize, headersTimeout, requestTimeout, keepAliveTimeout, maxConnections } = httpLimits;
  const server = createServer(
    { maxHeaderSize, headersTimeout, requestTimeout, keepAliveTimeout },
    (request, response) => {
      app(request, response);
    },
  );
  server.maxConnections = maxConnections;
  const address = formatAddress(await listen(server, config.listen));
  return { address, [Symbol.asyncDispose]: () => close(server) };
}

async function listen(server: Server, { host, port }: HostPort): Promise<HostPort> {
  server.listen(port, host);
  await once(server, 'listening');
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? { host, port: bound.port } : { host, port };
}

/** Takes no more connections, lets requests in work end, and closes those that are idle. */
async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  await closed;
}
