/** One of several processes of a milter: serves the same sockets as the others, and does what the first process says. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  Readiness,
  ResourceStack,
  createLogger,
  createTelemetry,
  errorCode,
  exitStatus,
  readConfig,
  startFailureStatus,
} from '@zegel/service-runtime';
import { milterServiceLimits } from './limits.ts';
import { isOrder } from './process-messages.ts';
import type { Answer, Order } from './process-messages.ts';
import { openService } from './run-milter.ts';
import type { MilterService } from './run-milter.ts';

// Signals to the whole group are for the first process, which says what follows from them.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

const config = readConfig(process.env);
const logger = createLogger({ service: 'zegel-milter', level: config.logLevel, buffered: true });
const resources = new ResourceStack();
const readiness = new Readiness();
const telemetry = createTelemetry({
  service: 'zegel-milter',
  version: process.env['ZEGEL_MILTER_VERSION'] ?? 'unknown',
  onError: (error) => logger.warn({ code: errorCode(error) }, 'a metric could not be read'),
});
resources.use('telemetry', telemetry);
let isEnding = false;
let service: MilterService | null = null;

for (const origin of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(origin, (error: unknown) => {
    logger.fatal({ err: error, code: errorCode(error), origin }, 'an error nobody caught');
    void end(exitStatus.internalError);
  });
}
// Heard from the beginning: a stop may come during the start.
process.on('message', (order) => {
  if (isOrder(order)) void obey(order);
});
// Without the first process nobody would start this one again, or ask it to stop.
process.on('disconnect', () => void end(exitStatus.stopped));

try {
  service = await openService({ config, logger, telemetry, readiness, resources }, process.env);
  resources.use('milter', service);
  readiness.started();
  say({ kind: 'started', listeners: service.listeners.map(({ address, mode }) => ({ address, mode })) });
} catch (error) {
  if (!isEnding) {
    say({ kind: 'failed', code: errorCode(error), reason: error instanceof Error ? error.message : String(error) });
    await end(startFailureStatus(error));
  }
}

async function obey(order: Order): Promise<void> {
  switch (order.kind) {
    case 'stop':
      return end(exitStatus.stopped);
    case 'reload':
      return service?.reload();
    case 'metrics':
      return say({ kind: 'metrics', id: order.id, text: await telemetry.render() });
    case 'readiness':
      return say({ kind: 'readiness', id: order.id, report: await readiness.report() });
  }
}

function say(answer: Answer): void {
  if (process.connected) process.send?.(answer);
}

/** Closes what is open, messages in progress first, within the grace time. */
async function end(status: number): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  readiness.drain();
  const graceMs = config.shutdownGraceMs * milterServiceLimits.graceShare;
  const failures = await Promise.race([resources.close(), delay(graceMs, null, { ref: false })]);
  if (failures === null) logger.error({ resource: resources.closing }, 'did not close in time');
  process.exit(failures === null ? Math.max(status, exitStatus.internalError) : status);
}
