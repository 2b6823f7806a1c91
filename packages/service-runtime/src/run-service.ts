import { setTimeout as delay } from 'node:timers/promises';
import { readConfig } from './config.ts';
import type { Config } from './config.ts';
import { errorCode } from './errors.ts';
import { exitStatus, startFailureStatus } from './exit-status.ts';
import { openHealthListener } from './health-listener.ts';
import { formatAddress } from './listen-address.ts';
import { createLogger } from './logger.ts';
import type { Logger } from './logger.ts';
import { Readiness } from './readiness.ts';
import { ResourceStack } from './resource-stack.ts';
import { createTelemetry } from './telemetry.ts';
import type { Telemetry } from './telemetry.ts';

/** What a service is composed with. */
export interface ServiceContext {
  readonly config: Config;
  readonly logger: Logger;
  /** The version given to {@link runService}. */
  readonly version: string;
  readonly telemetry: Telemetry;
  /** Register here what the service needs to do its work. */
  readonly readiness: Readiness;
  /** Register here what has to be closed, as soon as it is open; closed in reverse order, also when the start fails. */
  readonly resources: ResourceStack;
  /** Where /metrics, /healthz and /readyz are served, as `host:port`. */
  readonly metricsAddress: string;
  /** Aborted as soon as the service is asked to stop, also during the start; before the drain delay. */
  readonly stopping: AbortSignal;
}

/** Options of {@link runService}. */
export interface RunServiceOptions {
  /** The environment to read the configuration from; the process's own unless given. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Version of the service, told in the log and by `zegel_service_info`. */
  readonly version?: string;
  /** Whether log lines are collected and written together; see `createLogger`. */
  readonly bufferedLog?: boolean;
  /**
   * What has to be had before anything listens: a data folder that one process owns, say. So that whoever starts a service twice
   * reads that, and not which port is taken.
   */
  readonly prepare?: (context: Pick<ServiceContext, 'config' | 'resources'>) => Promise<void>;
}

type StopSignal = 'SIGINT' | 'SIGTERM';

/**
 * Runs a service as the main of a process: reads the configuration, opens logs, metrics and health, starts the service,
 * waits for SIGINT or SIGTERM, and ends the process. It owns the process: call it once, await nothing after it.
 *
 * `start` opens what the service needs, registers it in `resources` at once, and resolves when the service serves. What
 * it answers (an HTTP listener, say) is closed first.
 *
 * - First SIGINT or SIGTERM: /readyz says no; after `ZEGEL_DRAIN_DELAY_MS` everything is closed in reverse order of
 *   opening; exit 0. A signal during the start lets the start end
 *   first, for as long as the grace time.
 * - A second signal, half a second later or more: exit 130 or 143 at once.
 * - `start` rejects: one line on standard error (code and message; the stack with ZEGEL_LOG_LEVEL=debug), what was open
 *   is closed, exit 1 for a configuration that cannot work, 2 for infrastructure that is not there.
 * - An error nobody caught: logged, closing is tried, exit 70.
 * - Closing takes longer than `ZEGEL_SHUTDOWN_GRACE_MS`: what hangs is logged, exit 70.
 *
 * Signals are handled, never passed on by default action, so it is fit to be process 1 of a container.
 */
export async function runService(
  name: string,
  start: (context: ServiceContext) => Promise<AsyncDisposable | void>,
  { env = process.env, version = 'unknown', bufferedLog = false, prepare }: RunServiceOptions = {},
): Promise<never> {
  let config: Config;
  try {
    config = readConfig(env);
  } catch (error) {
    reportStartFailure(name, error, false);
    return process.exit(startFailureStatus(error));
  }
  const logger = createLogger({ service: name, level: config.logLevel, buffered: bufferedLog });
  const resources = new ResourceStack();
  const readiness = new Readiness();
  const stopping = new AbortController();
  const stop = Promise.withResolvers<StopSignal>();

  let worst: number = exitStatus.stopped;
  const end = async (status: number): Promise<never> => {
    worst = Math.max(worst, status);
    readiness.drain();
    stopping.abort();
    const closed = await closeWithin(resources, config.shutdownGraceMs, logger);
    return process.exit(closed || worst !== exitStatus.stopped ? worst : exitStatus.internalError);
  };
  onStopSignal(logger, stop.resolve);
  onUncaught(logger, () => end(exitStatus.internalError));

  const open = async (): Promise<void> => {
    await prepare?.({ config, resources });
    const telemetry = createTelemetry({
      service: name,
      version,
      onError: (error) => logger.warn({ code: errorCode(error) }, 'a metric could not be read'),
    });
    resources.use('telemetry', telemetry);
    const health = await openHealthListener({ listen: config.metricsListen, telemetry, readiness });
    resources.use('health listener', health);
    const metricsAddress = formatAddress(health.address);
    const context = {
      config,
      logger,
      version,
      telemetry,
      readiness,
      resources,
      metricsAddress,
      stopping: stopping.signal,
    };
    const started = await start(context);
    if (started !== undefined) resources.use(name, started);
    readiness.started();
    logger.info({ version, metrics: metricsAddress }, 'started');
  };
  // A start that hangs must not keep the process from stopping.
  const stopDuringStart = async (): Promise<void> => {
    await stop.promise;
    stopping.abort();
    await delay(config.shutdownGraceMs);
  };

  try {
    await Promise.race([open(), stopDuringStart()]);
  } catch (error) {
    // Giving up because it was asked to stop is no failure.
    if (!stopping.signal.aborted) {
      reportStartFailure(name, error, logger.isLevelEnabled('debug'));
      return await end(startFailureStatus(error));
    }
  }

  const signal = await stop.promise;
  readiness.drain();
  logger.info({ signal, drainDelayMs: config.drainDelayMs }, 'stopping');
  await delay(config.drainDelayMs);
  return await end(exitStatus.stopped);
}

/**
 * Milliseconds in which signals are one request: a terminal sends Ctrl-C to every process in the foreground, and npm
 * passes it on to us once more.
 */
const sameRequestMs = 500;

/** The first signal asks to stop; a later one does not wait. */
function onStopSignal(logger: Logger, stop: (signal: StopSignal) => void): void {
  let askedAt: number | undefined;
  const handle = (signal: StopSignal): void => {
    if (askedAt !== undefined) {
      if (performance.now() - askedAt < sameRequestMs) return;
      logger.warn({ signal }, 'second signal: not waiting for what is still open');
      process.exit(exitStatus.interrupted[signal]);
    }
    askedAt = performance.now();
    stop(signal);
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
}

/** After an error nobody caught the state is unknown: close what closes and end. Only the first one does. */
function onUncaught(logger: Logger, end: () => Promise<never>): void {
  let ending = false;
  const handle = (error: unknown, origin: string): void => {
    if (ending) return;
    ending = true;
    logger.fatal({ err: error, code: errorCode(error), origin }, 'an error nobody caught');
    void end();
  };
  process.on('uncaughtException', handle);
  process.on('unhandledRejection', (reason) => handle(reason, 'unhandledRejection'));
}

/** Closes everything, or gives up after the grace time. Answers whether all of it closed. */
async function closeWithin(resources: ResourceStack, graceMs: number, logger: Logger): Promise<boolean> {
  const giveUp = new AbortController();
  const failures = await Promise.race([
    resources.close(),
    delay(graceMs, null, { signal: giveUp.signal }).catch(() => null),
  ]);
  giveUp.abort();
  if (failures === null) {
    logger.error({ resource: resources.closing, graceMs }, 'did not close in time');
    return false;
  }
  for (const { name, error } of failures) logger.error({ err: error, resource: name }, 'could not be closed');
  if (failures.length === 0) logger.info('stopped');
  return failures.length === 0;
}

/** One line that a person can act on; standard error, so that it stands out from the log. */
function reportStartFailure(name: string, error: unknown, withStack: boolean): void {
  const message = error instanceof Error ? error.message : String(error);
  const line = `${name}: cannot start: ${errorCode(error)}: ${message}`.replaceAll(/[\r\n]+/g, ' ');
  process.stderr.write(`${line}\n`);
  if (withStack && error instanceof Error && error.stack !== undefined) process.stderr.write(`${error.stack}\n`);
}
