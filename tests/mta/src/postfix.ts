import { createDebianMachine, freePort } from '@zegel/test-harness';
import type { DebianMachine } from '@zegel/test-harness';
import { hostname, logins } from './mta.ts';
import type { StartMta } from './mta.ts';
import { readRecipe } from './recipe.ts';
import type { RecipeChange } from './recipe.ts';
import { waitForGreeting } from './smtp-client.ts';

const users = { postfix: 901, postdrop: 902 };
const queue = '/var/spool/postfix';

/** Folders of the queue and their modes, as `postfix check` would make them; that takes seconds. */
const ownFolders = 'active bounce corrupt defer deferred flush hold incoming private saved trace'.split(' ');

/** What the test needs beside Debian's own configuration and the recipe. */
function settings(sink: number): string {
  return `
myhostname = ${hostname}
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
mynetworks = 127.0.0.99/32
relay_domains = example.net
relayhost = [127.0.0.1]:${sink}
inet_protocols = ipv4
smtp_dns_support_level = disabled
smtpd_recipient_limit = 5000
message_size_limit = 52428800
mailbox_size_limit = 0
maillog_file = /var/log/mail.log
smtpd_client_connection_count_limit = 0
`;
}

/** Starts Postfix as Debian packages it, in its chroot, with the recipe of infra/mta/postfix. */
export const startPostfix: StartMta = async ({ sink, startFilters }) => {
  const machine = createDebianMachine({ packages: ['postfix', 'sasl2-bin'], hostname, users });
  try {
    const [inboundPort, submissionPort] = [await freePort(), await freePort()];
    makeQueue(machine);
    const verifyPort = await startFilters(machine.path(`${queue}/zegel/submission.sock`));
    const verifyAt: RecipeChange = ['8891', String(verifyPort)];
    const submissionAt: RecipeChange = ['submission inet', `127.0.0.1:${submissionPort} inet`];
    const recipe = {
      main: readRecipe('postfix/main.cf', [verifyAt]),
      master: readRecipe('postfix/master.cf', [
        submissionAt,
        // A client on loopback without a certificate.
        ['security_level=encrypt', 'security_level=none'],
        ['tls_auth_only=yes', 'tls_auth_only=no'],
      ]),
    };
    const debian = {
      main: machine.packaged('postfix', 'usr/share/postfix/main.cf.debian'),
      master: machine.packaged('postfix', 'usr/share/postfix/master.cf.dist'),
    };
    machine.write('etc/postfix/main.cf', debian.main + settings(sink) + recipe.main);
    machine.write(
      'etc/postfix/master.cf',
      debian.master.replace(/^smtp +inet/mu, `127.0.0.1:${inboundPort} inet`) + recipe.master,
    );
    await makeLogins(machine);
    const version = (await machine.run('postconf', ['-dh', 'mail_version'])).trim();
    const master = await machine.start('env', ['MAIL_CONFIG=/etc/postfix', '/usr/lib/postfix/sbin/master', '-s']);
    const log = (): string => machine.read('var/log/mail.log');
    await waitForGreeting([inboundPort, submissionPort], master, log);
    return {
      name: 'Postfix',
      version,
      inboundPort,
      submissionPort,
      submitLocally: async (args, raw) => void (await machine.run('sendmail', args, raw)),
      log,
      shell: (command) => machine.run('sh', ['-c', command]),
      changes: [verifyAt, ['submission/inet', `127.0.0.1:${submissionPort}/inet`]],
      [Symbol.asyncDispose]: machine.stop,
    };
  } catch (error) {
    await machine.stop();
    throw error;
  }
};

function makeQueue(machine: DebianMachine): void {
  const postfix = { uid: users.postfix, gid: users.postfix };
  for (const name of ownFolders) machine.makeFolder(`${queue}/${name}`, { ...postfix, gid: 0 }, 0o700);
  machine.makeFolder(`${queue}/pid`, { uid: 0, gid: 0 });
  machine.makeFolder(`${queue}/maildrop`, { ...postfix, gid: users.postdrop }, 0o1730);
  machine.makeFolder(`${queue}/public`, { ...postfix, gid: users.postdrop }, 0o2710);
  // As the recipe has it made: sockets in it get its group.
  machine.makeFolder(`${queue}/zegel`, { uid: 0, gid: users.postfix }, 0o2750);
  machine.makeFolder('var/lib/postfix', postfix);
  machine.write('var/log/mail.log', '');
  // What Debian's init script copies into the chroot.
  machine.makeFolder(`${queue}/etc`);
  for (const name of ['hosts', 'services', 'nsswitch.conf', 'resolv.conf']) {
    machine.write(`${queue}/etc/${name}`, machine.read(`etc/${name}`));
  }
  machine.write('etc/postfix/dynamicmaps.cf', '');
}

/** Cyrus SASL with a password database of its own, where the chroot finds it. */
async function makeLogins(machine: DebianMachine): Promise<void> {
  machine.write('etc/postfix/sasl/smtpd.conf', 'pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN\n');
  const database = `${queue}/etc/sasldb2`;
  for (const { name, password } of Object.values(logins)) {
    const [user = '', realm = ''] = name.split('@');
    await machine.run('saslpasswd2', ['-p', '-c', '-f', database, '-u', realm, user], password);
  }
  await machine.run('chown', ['postfix', database]);
}
