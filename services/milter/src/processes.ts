import cluster from 'node:cluster';
import type { Worker } from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { reloadAtHangup } from '@zegel/service-ground';
import type { Environment, MetricsText, ServiceContext } from '@zegel/service-runtime';
import { removeStaleSocket } from './listen-address.ts';
import { milterServiceLimits as limits } from './limits.ts';
import { ProcessSlot } from './process-slot.ts';

/**
 * Runs the milter in several processes that share its sockets. This one serves nothing itself: it starts the others anew
 * when one ends, and passes on what is asked of the service, so that there is one set of metrics, one readiness, one
 * stop and one reload.
 *
 * Rejects when one of them cannot start. Dispose to stop: messages in progress are finished first.
 */
export async function startProcesses(context: ServiceContext, env: Environment): Promise<AsyncDisposable> {
  const { config, logger, readiness, resources, telemetry, version } = context;
  const { listen, processes } = config.milter;
  for (const { address } of listen) if ('path' in address) await removeStaleSocket(address.path);

  const file = import.meta.url.endsWith('.ts') ? 'worker.ts' : 'worker.js';
  cluster.setupPrimary({ exec: fileURLToPath(new URL(file, import.meta.url)), args: [] });
  // Each process accepts for itself: nothing is passed from process to process for a connection.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  const fork = (): Worker => cluster.fork({ ...env, ZEGEL_MILTER_VERSION: version });

  const slots = Array.from({ length: processes }, (_, index) => new ProcessSlot(index + 1, fork, logger));
  const stop = async (): Promise<void> => {
    const graceMs = (config.shutdownGraceMs * (1 + limits.graceShare)) / 2;
    await Promise.all(slots.map((slot) => slot.stop(graceMs)));
  };
  try {
    const started = await Promise.all(slots.map((slot) => slot.start()));
    for (const { address, mode } of started[0] ?? []) logger.info({ address, mode, processes }, 'milter listens');
  } catch (error) {
    await stop();
    throw error;
  }

  resources.use(
    'reload',
    reloadAtHangup(async () => {
      for (const slot of slots) slot.reload();
    }),
  );
  resources.use(
    'process metrics',
    telemetry.addProcesses(async () => {
      const texts = await Promise.all(slots.map((slot) => slot.metrics(limits.processAnswerMs)));
      return texts.flatMap((text, index): readonly MetricsText[] =>
        text === null ? [] : [{ process: String(index + 1), text }],
      );
    }),
  );
  for (const slot of slots) readiness.add(`process ${slot.number}`, () => slot.ready(limits.processAnswerMs));
  resources.use(
    'restarts',
    telemetry.instruments.observeRestarts(() => slots.reduce((sum, { restarts }) => sum + restarts, 0)),
  );
  return { [Symbol.asyncDispose]: stop };
}
