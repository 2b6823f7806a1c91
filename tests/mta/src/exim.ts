import { chmodSync } from 'node:fs';
import { createDebianMachine, freePort } from '@zegel/test-harness';
import { hostname } from './mta.ts';
import { readRecipe } from './recipe.ts';
import { waitForGreeting } from './smtp-client.ts';
import type { SmtpLogin } from './smtp-client.ts';

/** An Exim under test, configured by infra/mta/exim. */
export interface Exim extends AsyncDisposable {
  readonly version: string;
  /** Takes mail for example.net from anybody, and for anybody from those who log in. */
  readonly port: number;
  /** Tries everything in the queue again, and waits for the end of that. */
  runQueue(): Promise<void>;
  /** What lies in the queue, as `exim4 -bp` lists it. */
  queue(): Promise<string>;
  log(): string;
}

export interface EximOptions {
  /** The port of 127.0.0.1 to which it relays everything. */
  readonly sink: number;
  /** Where Zegel's REST API listens, as `http://127.0.0.1:port`. */
  readonly api: string;
  readonly token: string;
  readonly login: SmtpLogin;
}

const users = { mail: 8, 'Debian-exim': 905 };

/** A small configuration, without DNS, around the files of the recipe. */
function configuration(port: number, { sink, login }: EximOptions): string {
  return `
primary_hostname = ${hostname}
domainlist relay_to_domains = example.net
hostlist relay_from_hosts = 127.0.0.9
local_interfaces = 127.0.0.1
daemon_smtp_ports = ${port}
acl_smtp_rcpt = acl_check_rcpt
acl_smtp_data = acl_check_data
auth_advertise_hosts = *
tls_advertise_hosts =
host_lookup =
rfc1413_query_timeout = 0s
smtp_accept_max_per_connection = 0
log_file_path = /var/log/exim4/%slog
pid_file_path = /run/exim.pid

begin acl
acl_check_rcpt:
  accept  authenticated = *
  accept  hosts = +relay_from_hosts
  accept  domains = +relay_to_domains
  deny    message = relay not permitted

acl_check_data:
  .include /etc/exim4/zegel/acl.conf
  accept

begin routers
everything:
  driver = manualroute
  domains = *
  self = send
  route_list = * "127.0.0.1::${sink}" byname
  transport = \${if eq{$acl_m_zegel}{sign}{zegel_signed}{zegel_verified}}

begin transports
.include /etc/exim4/zegel/transports.conf

begin retry
* * F,1d,1h

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_advertise_condition = true
  server_condition = \${if and{{eq{$auth2}{${login.name}}}{eq{$auth3}{${login.password}}}}}
  server_set_id = $auth2
`;
}

/** Starts Exim as Debian packages it, with the recipe of infra/mta/exim. */
export async function startExim(options: EximOptions): Promise<Exim> {
  const machine = createDebianMachine({ packages: ['exim4-daemon-heavy'], hostname, users });
  try {
    const owner = { uid: users['Debian-exim'], gid: users['Debian-exim'] };
    const port = await freePort();
    for (const name of ['acl.conf', 'transports.conf']) {
      machine.write(`etc/exim4/zegel/${name}`, readRecipe(`exim/${name}`, []));
    }
    machine.write(
      'etc/exim4/zegel/zegel-filter',
      readRecipe('exim/zegel-filter', [['http://127.0.0.1:8080', options.api]]),
    );
    chmodSync(machine.path('etc/exim4/zegel/zegel-filter'), 0o755);
    machine.write('etc/exim4/zegel/header', `Authorization: Bearer ${options.token}\n`);
    machine.write('etc/exim4/exim4.conf', configuration(port, options));
    machine.makeFolder('var/spool/exim4', owner, 0o750);
    machine.makeFolder('var/log/exim4', owner, 0o750);
    const version = /Exim version (\S+)/u.exec(await machine.run('exim4', ['-bV']))?.[1] ?? 'unknown';
    const daemon = await machine.start('exim4', ['-bdf', '-q1h']);
    const log = (): string => machine.read('var/log/exim4/mainlog');
    await waitForGreeting([port], daemon, () => daemon.output());
    return {
      version,
      port,
      runQueue: async () => void (await machine.run('exim4', ['-qff'])),
      queue: () => machine.run('exim4', ['-bp']),
      log,
      [Symbol.asyncDispose]: machine.stop,
    };
  } catch (error) {
    await machine.stop();
    throw error;
  }
}
