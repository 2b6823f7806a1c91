import {
  openConfiguredKeystore,
  openMailRules,
  openWatchedDatabase,
  openWatchedResolver,
  reloadAtHangup,
} from '@zegel/service-ground';
import type { GroundContext, LiveRules, RulesGround } from '@zegel/service-ground';
import { ConfigError, readConfig, runService } from '@zegel/service-runtime';
import type { Config, Environment, ServiceContext } from '@zegel/service-runtime';
import { startProcesses } from './processes.ts';
import { startMilter } from './start.ts';
import type { Milter } from './start.ts';
import { beginObjectsYoung } from './young-objects.ts';

/** A milter with rules that are read anew. Dispose to stop. */
export interface MilterService extends Milter, Pick<LiveRules, 'reload'> {}

/** The milter as the main of a process: `zegel milter`. Ends the process itself; see `runService`. */
export async function runMilter(env: Environment, version: string): Promise<never> {
  return runService(
    'zegel-milter',
    async (context) => {
      checkSettings(context.config);
      if (context.config.milter.processes > 1) return startProcesses(context, env);
      const service = await openService(context, env);
      for (const { address, mode } of service.listeners) context.logger.info({ address, mode }, 'milter listens');
      return service;
    },
    { env, version, bufferedLog: true },
  );
}

/** The milter of one process, on ground of its own. */
export async function openService(
  context: GroundContext & Pick<ServiceContext, 'logger'>,
  env: Environment,
): Promise<MilterService> {
  beginObjectsYoung();
  const { config, resources } = context;
  const rules = await openMailRules(context, await openMilterGround(context), () => readConfig(env));
  const milter = await startMilter(context, config.milter, rules.current);
  resources.use('reload', reloadAtHangup(rules.reload));
  return { ...milter, reload: rules.reload };
}

/** A database only where keys or logins lie in it. */
async function openMilterGround(context: GroundContext): Promise<RulesGround> {
  const resolver = openWatchedResolver(context);
  // All cores are used by as many processes.
  if (!needsDatabase(context.config)) return { resolver, inlineSigning: true };
  const database = await openWatchedDatabase(context);
  const keystore = await openConfiguredKeystore(database, context.config, { hasAdminToken: false });
  return { resolver, store: { keySource: keystore, logins: keystore.logins }, inlineSigning: true };
}

function needsDatabase({ signing, submitters }: Config): boolean {
  return signing.keys === undefined || submitters.logins.kind === 'store';
}

function checkSettings(config: Config): void {
  const { listen, processes } = config.milter;
  if (listen.length === 0) {
    throw unusable('milter.listen', 'ZEGEL_MILTER_LISTEN', null, 'a list of one listener or more');
  }
  if (processes > 1 && needsDatabase(config) && config.databaseUrl === undefined) {
    const allowed = '1 with the embedded database, which serves one process: set DATABASE_URL, or name key files';
    throw unusable('milter.processes', 'ZEGEL_MILTER_PROCESSES', String(processes), allowed);
  }
}

function unusable(key: string, variable: string, given: string | null, allowed: string): ConfigError {
  return new ConfigError([{ key, variable, given, allowed, at: null, fault: 'invalid' }]);
}
