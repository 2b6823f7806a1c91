import { findDoubts, loadMailRules } from '@zegel/service-ground/rules';
import { ConfigError, configFileVariable, describeProblem, readConfig } from '@zegel/service-runtime/config';
import type { Config, Environment } from '@zegel/service-runtime/config';
import { readSubcommand } from './arguments.ts';
import { exitStatus } from './errors.ts';

export const configUsage = `zegel config check [FILE]

Checks a configuration file together with the environment, and opens the key files and maps of logins that it names. Without a FILE
it is the one that ZEGEL_CONFIG names; without that the environment alone is checked. No service, database or URL is asked.

  --json           write what was found as JSON

Problems go to standard error, one a line, with file, line and column, or with the variable; the exit status is 1 then. Doubts
do not keep a service from starting: they are listed, and the exit status is 0.
`;

/** `zegel config check`. */
export async function runConfig(args: readonly string[]): Promise<number> {
  const { options, operand } = readSubcommand(args, 'check', { json: { type: 'boolean' } });
  const env = operand === undefined ? process.env : { ...process.env, [configFileVariable]: operand };
  const { problems, doubts } = await check(env);
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify({ ok: problems.length === 0, problems, doubts }, null, 2)}\n`);
  } else {
    for (const problem of problems) process.stderr.write(`${problem}\n`);
    for (const doubt of doubts) process.stdout.write(`doubt: ${doubt}\n`);
    if (problems.length === 0) process.stdout.write(`${env[configFileVariable] ?? 'the environment'}: ok\n`);
  }
  return problems.length === 0 ? exitStatus.done : exitStatus.badCall;
}

async function check(env: Environment): Promise<{ problems: readonly string[]; doubts: readonly string[] }> {
  let config: Config;
  try {
    config = readConfig(env);
    const nowhere = { keySource: { activeKeys: async () => null }, logins: { entriesOf: async () => null } };
    await loadMailRules(config, nowhere);
  } catch (error) {
    if (error instanceof ConfigError) return { problems: error.problems.map(describeProblem), doubts: [] };
    const isConfig = error instanceof Error && 'code' in error && String(error.code).startsWith('config.');
    if (isConfig) return { problems: [error.message], doubts: [] };
    throw error;
  }
  return { problems: [], doubts: findDoubts(config) };
}
