import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { explainMail } from '@zegel/mail-policy';
import type { Disposition, ListenerMode, MailExplanation, MailSession } from '@zegel/mail-policy';
import { loadMailRules } from '@zegel/service-ground/rules';
import type { LoadedRules } from '@zegel/service-ground/rules';
import { configFileVariable, readConfig } from '@zegel/service-runtime/config';
import type { Config } from '@zegel/service-runtime/config';
import { readArguments, required } from './arguments.ts';
import { UsageError, exitStatus } from './errors.ts';

export const explainUsage = `zegel explain --from ADDRESS

Says what would become of a message, without a message: whether it is outbound, who hands it in and as whom that may sign, which
domain and which keys sign, or how it is refused; for inbound mail what the policy does by what DMARC says.

  --from A           the author: an address, or the whole body of a From field
  --auth-user L      the login of the client ({auth_authen})
  --ip A             the address of the client
  --helo H           what the client says in HELO
  --daemon-name N    the mail server's own service ({daemon_name})
  --mode M           mode of the listener: sign, verify or both (default)
  --config FILE      the configuration file (ZEGEL_CONFIG)
  --json             write the decision as JSON: what the milter logs about a message

It goes by the configuration as a service would read it now. A map of logins over HTTP is asked; the embedded database can be read only
while no service uses it.
`;

/** `zegel explain`. */
export async function runExplain(args: readonly string[]): Promise<number> {
  const options = readArguments(args, {
    from: { type: 'string' },
    'auth-user': { type: 'string' },
    ip: { type: 'string' },
    helo: { type: 'string' },
    'daemon-name': { type: 'string' },
    mode: { type: 'string', default: 'both' },
    config: { type: 'string' },
    json: { type: 'boolean' },
  });
  const from = required(options.from, '--from');
  if (/[\r\n]/.test(from)) throw new UsageError('--from is one line');
  const { ip, helo } = options;
  if (ip !== undefined && isIP(ip) === 0) throw new UsageError(`--ip ${ip} is not an IP address`);
  const session: MailSession = {
    listenerMode: readMode(options.mode),
    ...(options['auth-user'] === undefined ? {} : { login: options['auth-user'] }),
    ...(options['daemon-name'] === undefined ? {} : { daemonName: options['daemon-name'] }),
    ...(ip === undefined ? {} : { ip }),
    ...(helo === undefined ? {} : { helo }),
  };
  const env = options.config === undefined ? process.env : { ...process.env, [configFileVariable]: options.config };
  const told = await withRules(readConfig(env), (rules) => explainMail(session, from, rules));
  process.stdout.write(options.json === true ? `${JSON.stringify(told, null, 2)}\n` : describe(told));
  return exitStatus.done;
}

function readMode(text: string): ListenerMode {
  if (text === 'sign' || text === 'verify' || text === 'both') return text;
  throw new UsageError(`--mode ${text} is none of sign, verify and both`);
}

/** Opens the database only where the configuration needs it, and makes none. */
async function withRules<T>(config: Config, use: (rules: LoadedRules) => Promise<T>): Promise<T> {
  const needsStore = config.signing.keys === undefined || config.submitters.logins.kind === 'store';
  if (!needsStore) return use(await loadMailRules(config));
  const { databaseUrl, dataDir } = config;
  if (databaseUrl === undefined && !existsSync(dataDir)) {
    throw new UsageError(`signing.keys names no key files, and there is no database in ${dataDir}`);
  }
  const [{ openDatabase }, { loadMasterKey, openKeystore }] = await Promise.all([
    import('@zegel/database'),
    import('@zegel/keystore'),
  ]);
  const database = await openDatabase(databaseUrl === undefined ? { folder: dataDir } : { url: databaseUrl });
  try {
    const keystore = await openKeystore({ database, masterKey: await loadMasterKey(config.masterKey) });
    return await use(await loadMailRules(config, { keySource: keystore, logins: keystore.logins }));
  } finally {
    await database.close();
  }
}

function describe(told: MailExplanation): string {
  const rows: [string, string][] = [
    ['direction', `${told.direction.direction}: ${told.direction.explanation} (${told.direction.code})`],
  ];
  if ('dispositions' in told) {
    const { ifPass, ifQuarantine, ifReject, ifTemporaryError } = told.dispositions;
    rows.push(
      ['DMARC passes', disposition(ifPass)],
      ['DMARC asks to quarantine', disposition(ifQuarantine)],
      ['DMARC asks to reject', disposition(ifReject)],
      ['DMARC is not known now', disposition(ifTemporaryError)],
    );
  } else {
    const { submitter, decision, refusal } = told;
    const entries = submitter.maySignAs.length === 0 ? 'nobody' : submitter.maySignAs.join(', ');
    rows.push(
      ['submitter', `${submitter.explanation} (${submitter.code})`],
      ['may sign as', entries],
      ['author domain', decision.authorDomain ?? 'none'],
      ['rule', decision.rule ?? 'none: the author domain, or the nearest above it that has keys'],
      ['signing', `${told.explanation}${told.advice === undefined ? '' : ` ${told.advice}`} (${decision.code})`],
    );
    if (refusal !== null) {
      const { reply, action, group } = refusal;
      const wire = reply === undefined ? '' : `: ${reply.code} ${reply.enhanced} ${reply.text}`;
      rows.push(['refusal', `${group}: ${action}${wire}`]);
    }
    rows.push(['outcome', decision.outcome]);
  }
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `${name.padEnd(width)}  ${text}\n`).join('');
}

function disposition({ action, explanation, code, reply, reason }: Disposition): string {
  const wire = reply === undefined ? (reason ?? '') : `${reply.code} ${reply.enhanced} ${reply.text}`;
  return `${action}: ${explanation}${wire === '' ? '' : ` "${wire}"`} (${code})`;
}
