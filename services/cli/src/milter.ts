import path from 'node:path';
import { runMilter } from '@zegel/milter';
import { readArguments } from './arguments.ts';
import { zegelVersion } from './version.ts';

export const milterUsage = `zegel milter

Runs the milter: Postfix or Sendmail hands each message over, and it is signed when it goes out and authenticated when it
comes in. SIGTERM stops it when the messages in progress are answered; SIGHUP makes it read configuration and keys anew.

  --config FILE    the configuration file (ZEGEL_CONFIG)

The file must name a listener at least (milter.listen): see docs/milter.md.
`;

/** `zegel milter`. Ends the process itself. */
export async function runMilterCommand(args: readonly string[]): Promise<never> {
  const options = readArguments(args, { config: { type: 'string' } });
  const config = options.config === undefined ? {} : { ZEGEL_CONFIG: path.resolve(options.config) };
  return runMilter({ ...process.env, ...config }, zegelVersion());
}
