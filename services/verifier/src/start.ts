import type { Database } from '@zegel/database';
import type { Resolver } from '@zegel/dns';
import { startInboundWorker } from '@zegel/mail-queue';
import type { MessageStore } from '@zegel/mail-queue';
import { authenticationOptions } from '@zegel/service-ground';
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

/** A worker that works. Dispose to stop it. */
export interface Verifier extends AsyncDisposable {
  /** Resolves when it can be given messages; rejects with a code when database, message store or queue is lost. */
  ping(): Promise<void>;
}

/** How much of the grace time at shutdown messages in work may take; the rest is for what they stand on. */
const closeShare = 0.8;

/**
 * Starts a worker on the inbound queue. As soon as the service is asked to stop it takes no more messages; dispose it to wait
 * for those in work.
 */
export async function startVerifier(
  { config, logger, telemetry, stopping }: Pick<ServiceContext, 'config' | 'logger' | 'telemetry' | 'stopping'>,
  { database, store, resolver }: VerifierGround,
): Promise<Verifier> {
  const { instruments } = telemetry;
  const worker = await startInboundWorker({
    database,
    store,
    redisUrl: config.redisUrl,
    process: createProcessor({
      ...authenticationOptions(config, resolver),
      instruments,
      logger,
    }),
    concurrency: config.workerConcurrency,
    lockDuration: config.lockDurationMs,
    stalledInterval: config.stalledIntervalMs,
    maxStalledCount: config.maxStalledCount,
    attempts: config.jobAttempts,
    retention: config.retentionDays * dayMs,
    closeTimeout: config.shutdownGraceMs * closeShare,
    onError: (error) => logger.warn({ code: errorCode(error) }, 'the inbound queue reports an error'),
    onFailure({ id, code, isParked }) {
      if (isParked) instruments.countInbound({ state: 'parked' });
      logger.warn({ id, code }, isParked ? 'inbound message parked' : 'attempt at an inbound message failed');
    },
  });
  // What goes wrong is told to who disposes it: closing twice is closing once.
  const stop = (): void => void worker.close().catch(() => undefined);
  if (stopping.aborted) stop();
  else stopping.addEventListener('abort', stop, { once: true });
  return { ping: () => worker.ping(), [Symbol.asyncDispose]: () => worker.close() };
}
