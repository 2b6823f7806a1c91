import type { Database } from '@zegel/database';
import type { Resolver } from '@zegel/dns';
import type { Keystore } from '@zegel/keystore';
import type { MailRules } from '@zegel/mail-flow';
import { openInboundQueue } from '@zegel/mail-queue';
import type { MessageStore } from '@zegel/mail-queue';
import { authenticationOptions } from '@zegel/service-ground';
import { errorCode } from '@zegel/service-runtime';
import type { ServiceContext } from '@zegel/service-runtime';
import { createApp } from './app.ts';
import { openHttpServer } from './http-server.ts';
import type { HttpServer } from './http-server.ts';
import { closeShare } from './limits.ts';
import { MessageReader } from './read-message.ts';

/** What the REST API is opened on. */
export interface SignerGround {
  readonly database: Database;
  readonly store: MessageStore;
  readonly resolver: Resolver;
  readonly keystore: Keystore;
  /** What `/v1/sign` and the hooks of mail servers go by, asked for once for each message. */
  readonly rules: () => MailRules;
}

/** A REST API that listens. Dispose to stop: requests in work are finished first, within the grace time. */
export type Signer = HttpServer;

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
  { database, store, resolver, keystore, rules }: SignerGround,
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
  // Signing and verifying go on without it, and the routes that need it answer 503 by themselves.
  readiness.watch('inbound queue', () => queue.ping());
  resources.use(
    'queue metrics',
    instruments.observeQueue(async () => {
      const { messages, jobs } = await queue.counts();
      return { ...jobs, parked: messages.parked };
    }),
  );

  const authentication = authenticationOptions(config, resolver);
  const { maxMessageBytes, maxInflightBytes } = config;
  const reader = new MessageReader({ maxMessageBytes, maxInflightBytes });
  resources.use(
    'message bytes metric',
    instruments.observeMessageBytes(() => reader.inflight),
  );
  const app = createApp(
    {
      keystore,
      queue,
      authentication,
      rules,
      instruments,
      readiness,
      reader,
      version,
    },
    logger,
  );
  return openHttpServer((request, response) => void app(request, response), {
    listen: config.listen,
    closeTimeout: config.shutdownGraceMs * closeShare,
  });
}
