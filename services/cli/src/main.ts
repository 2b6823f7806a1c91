import { UsageError, exitStatus } from './errors.ts';
import { zegelVersion } from './version.ts';

const usage = `zegel <command>

  serve     run everything in one process: REST API, worker, milter, metrics
  milter    run the milter alone: sign and authenticate for Postfix or Sendmail
  sign      sign a message with DKIM
  verify    authenticate a message: DKIM, SPF, DMARC
  spf       check SPF, and show every term that was looked at
  keygen    make a DKIM key and the record to publish
  config    check a configuration
  explain   say what would become of a message, and why
  import    make a configuration from that of OpenDKIM
  help      this text; "zegel help sign" tells about one command
  version   the version
`;

interface Command {
  readonly usage: string;
  run(args: readonly string[]): Promise<number>;
}

/** Loaded when they are called, so that a small command does not wait for what only a large one needs. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  async serve() {
    const { runServe, serveUsage } = await import('./serve.ts');
    return { usage: serveUsage, run: runServe };
  },
  async milter() {
    const { milterUsage, runMilterCommand } = await import('./milter.ts');
    return { usage: milterUsage, run: runMilterCommand };
  },
  async sign() {
    const { runSign, signUsage } = await import('./sign.ts');
    return { usage: signUsage, run: runSign };
  },
  async verify() {
    const { runVerify, verifyUsage } = await import('./verify.ts');
    return { usage: verifyUsage, run: runVerify };
  },
  async spf() {
    const { runSpf, spfUsage } = await import('./spf.ts');
    return { usage: spfUsage, run: runSpf };
  },
  async keygen() {
    const { runKeygen, keygenUsage } = await import('./keygen.ts');
    return { usage: keygenUsage, run: runKeygen };
  },
  async config() {
    const { configUsage, runConfig } = await import('./config.ts');
    return { usage: configUsage, run: runConfig };
  },
  async explain() {
    const { explainUsage, runExplain } = await import('./explain.ts');
    return { usage: explainUsage, run: runExplain };
  },
  async import() {
    const { importUsage, runImport } = await import('./import.ts');
    return { usage: importUsage, run: runImport };
  },
};

/** The `zegel` command. Sets the exit status of the process. */
export async function main(args: readonly string[]): Promise<void> {
  const [name = 'help', ...rest] = args;
  process.stdout.on('error', (error) => endWithoutOutput(name, error));
  try {
    process.exitCode = await run(name, rest);
  } catch (error) {
    const isConfig = error instanceof Error && 'code' in error && String(error.code).startsWith('config.');
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`zegel ${name}: ${message}\n`);
    if (error instanceof UsageError) {
      process.stderr.write(`"zegel help${Object.hasOwn(commands, name) ? ` ${name}` : ''}" tells more\n`);
    }
    process.exitCode = error instanceof UsageError || isConfig ? exitStatus.badCall : exitStatus.lostInfrastructure;
  }
}

/** Nobody reads on (`| head -1`): enough was done. Anything else that keeps us from writing is a loss. */
function endWithoutOutput(name: string, error: NodeJS.ErrnoException): never {
  if (error.code === 'EPIPE') process.exit(exitStatus.done);
  process.stderr.write(`zegel ${name}: cannot write: ${error.message}\n`);
  process.exit(exitStatus.lostInfrastructure);
}

async function run(name: string, args: readonly string[]): Promise<number> {
  if (name === 'version' || name === '--version') {
    process.stdout.write(`zegel ${zegelVersion()}, Node ${process.versions.node}\n`);
    return exitStatus.done;
  }
  const isHelp = name === 'help' || name === '--help' || name === '-h';
  const load = Object.hasOwn(commands, isHelp ? (args[0] ?? '') : name)
    ? commands[isHelp ? (args[0] ?? '') : name]
    : undefined;
  if (load === undefined) {
    if (!isHelp || args[0] !== undefined) throw new UsageError(`there is no command ${isHelp ? args[0] : name}`);
    process.stdout.write(usage);
    return exitStatus.done;
  }
  const command = await load();
  if (isHelp || args.includes('--help') || args.includes('-h')) {
    process.stdout.write(command.usage);
    return exitStatus.done;
  }
  return command.run(args);
}
