import type { Database } from '@zegel/database';
import type { Resolver } from '@zegel/dns';
import { startInboundWorker } from '@zegel/mail-queue';
import type { MessageStore } from '@zegel/mail-queue';
import { errorCode } from '@zegel/service-runtime';
import type { ServiceContext } from '@zegel/service-runtime';
import { createProcessor } from './process-message.ts';

const dayMs = 24 * 60 * 60 * 1000;

/** What the worker works on. */
export interface VerifierGround {
  readonly database: Database;
  readonly store: MessageStore;
  readonly resolver: Resolver;
}

/** Starts a worker on the inbound queue. Dispose to stop it: messages in work are finished first. */
export async function startVerifier(
  { config, logger, telemetry }: Pick<ServiceContext, 'config' | 'logger' | 'telemetry'>,
  { database, store, resolver }: VerifierGround,
): Promise<AsyncDisposable> {
  const worker = await startInboundWorker({
    database,
    store,
    redisUrl: config.redisUrl,
    process: createProcessor({
      resolver,
      authservId: config.authservId,
      ourAuthservIds: config.ourAuthservIds,
      limits: { maxMessageBytes: config.maxMessageBytes },
      instruments: telemetry.instruments,
      logger,
    }),
    concurrency: config.workerConcurrency,
    lockDuration: config.lockDurationMs,
    stalledInterval: config.stalledIntervalMs,
    maxStalledCount: config.maxStalledCount,
    attempts: config.jobAttempts,
    retention: config.retentionDays * dayMs,
    closeTimeout: config.shutdownGraceMs,
    onError: (error) => logger.warn({ code: errorCode(error) }, 'the inbound queue reports an error'),
  });
  return { [Symbol.asyncDispose]: () => worker.close() };
}
