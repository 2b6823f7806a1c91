import type { Resolver } from '@zegel/dns';
import { authenticationOptions, loadMailRules } from '@zegel/service-ground';
import type { RuleStore } from '@zegel/service-ground';
import { errorCode, readConfig } from '@zegel/service-runtime';
import type { Config, ServiceContext } from '@zegel/service-runtime';
import type { MailRules } from '@zegel/mail-flow';
import { startMilter } from './start.ts';
import type { Milter } from './start.ts';

/** What the milter works on. */
export interface MilterGround {
  readonly resolver: Resolver;
  /** Keys and logins of the database; absent where the configuration names files. */
  readonly store?: Partial<RuleStore>;
  /** Keys of files sign in this thread; see `createSigningKey` of @zegel/dkim. */
  readonly inlineSigning?: boolean;
}

export interface MilterServiceOptions {
  /** Reads the configuration anew. Default: from the environment of the process, and the file that it names. */
  readonly readAgain?: () => Config;
}

/** The milter as the configuration describes it. Dispose to stop. */
export interface MilterService extends AsyncDisposable, Pick<Milter, 'listeners'> {
  /**
   * Reads the configuration, key files and maps anew: messages that begin from then on go by them, and no connection is
   * dropped. Where something is wrong the rules stay as they are, and the log says why. Never rejects.
   *
   * Listeners, processes and limits of connections stay as they were at the start.
   */
  reload(): Promise<void>;
}

/** Loads the rules and opens the listeners. Rejects with what `loadMailRules` and `startMilter` reject with. */
export async function openMilterService(
  context: Pick<ServiceContext, 'config' | 'logger' | 'telemetry'>,
  ground: MilterGround,
  { readAgain = () => readConfig(process.env) }: MilterServiceOptions = {},
): Promise<MilterService> {
  const { config, logger } = context;
  const { listen, maxConnections, idleMs, commandMs } = config.milter;
  const milter = await startMilter(
    context,
    { listen, maxConnections, idleMs, commandMs },
    await loadRules(config, ground),
  );
  let reloading = Promise.resolve();
  const reload = async (): Promise<void> => {
    try {
      const next = readAgain();
      milter.useRules(await loadRules(next, ground));
      logger.info({ listenersKept: !sameListeners(config, next) || undefined }, 'configuration and keys are read anew');
    } catch (error) {
      logger.error(
        { code: errorCode(error), reason: error instanceof Error ? error.message : String(error) },
        'the new configuration cannot be used: the one before stays',
      );
    }
  };
  return {
    listeners: milter.listeners,
    // One after the other: the last one read is the last one used.
    reload: () => (reloading = reloading.then(reload)),
    [Symbol.asyncDispose]: () => milter[Symbol.asyncDispose](),
  };
}

async function loadRules(config: Config, { resolver, store, inlineSigning = false }: MilterGround): Promise<MailRules> {
  const { sealingKey, ...rules } = await loadMailRules(config, store, { inlineSigning });
  return {
    ...rules,
    removeOwnResultsOutbound: config.milter.removeOwnResultsOutbound,
    authentication: authenticationOptions(config, resolver, sealingKey),
  };
}

function sameListeners(one: Config, other: Config): boolean {
  return JSON.stringify(one.milter) === JSON.stringify(other.milter);
}

/** Reloads at SIGHUP. Dispose to stop listening to it. */
export function reloadAtHangup(reload: () => Promise<void>): Disposable {
  const handle = (): void => void reload();
  process.on('SIGHUP', handle);
  return { [Symbol.dispose]: () => process.off('SIGHUP', handle) };
}
