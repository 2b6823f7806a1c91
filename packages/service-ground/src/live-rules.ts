import type { AuthenticationOptions } from '@zegel/authentication';
import type { Resolver } from '@zegel/dns';
import { errorCode } from '@zegel/service-runtime';
import type { Config, ServiceContext } from '@zegel/service-runtime';
import { authenticationOptions } from './authentication.ts';
import { loadMailRules } from './mail-rules.ts';
import type { LoadedRules, RuleStore } from './mail-rules.ts';

/** What the rules for mail are made on. */
export interface RulesGround {
  readonly resolver: Resolver;
  /** Keys and logins of the database; absent where the configuration names files. */
  readonly store?: Partial<RuleStore>;
  /** Keys of files sign in this thread; see `createSigningKey` of @zegel/dkim. */
  readonly inlineSigning?: boolean;
}

/** All that a message goes by: what @zegel/mail-flow calls MailRules. */
export interface OpenedRules extends Omit<LoadedRules, 'sealingKey'> {
  readonly removeOwnResultsOutbound: boolean;
  readonly authentication: AuthenticationOptions;
}

/** The rules of a running service, for all its doors. */
export interface LiveRules {
  /** The rules of the moment: a message goes by those it began with. */
  readonly current: () => OpenedRules;
  /**
   * Reads the configuration, key files and maps anew: messages that begin from then on go by them, and no connection is
   * dropped. Where something is wrong the rules stay as they are, and the log says why. Never rejects.
   *
   * Listeners, processes and limits of connections stay as they were at the start.
   */
  readonly reload: () => Promise<void>;
}

/** Loads the rules. Rejects with what `loadMailRules` rejects with. `readAgain` reads the configuration for a reload. */
export async function openMailRules(
  { config, logger }: Pick<ServiceContext, 'config' | 'logger'>,
  ground: RulesGround,
  readAgain: () => Config,
): Promise<LiveRules> {
  let current = await load(config, ground);
  const reload = async (): Promise<void> => {
    try {
      const next = readAgain();
      current = await load(next, ground);
      logger.info({ listenersKept: !sameListeners(config, next) || undefined }, 'configuration and keys are read anew');
    } catch (error) {
      logger.error(
        { code: errorCode(error), reason: error instanceof Error ? error.message : String(error) },
        'the new configuration cannot be used: the one before stays',
      );
    }
  };
  let reloading = Promise.resolve();
  return {
    current: () => current,
    // One after the other: the last one read is the last one used.
    reload: () => (reloading = reloading.then(reload)),
  };
}

async function load(config: Config, { resolver, store, inlineSigning = false }: RulesGround): Promise<OpenedRules> {
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
