import { createDebianMachine, freePort } from '@zegel/test-harness';
import type { DebianMachine } from '@zegel/test-harness';
import { hostname, logins } from './mta.ts';
import type { StartMta } from './mta.ts';
import { readRecipe } from './recipe.ts';
import type { RecipeChange } from './recipe.ts';
import { waitForGreeting } from './smtp-client.ts';

const users = { mail: 8, smmta: 903, smmsp: 904 };
const program = '/usr/libexec/sendmail/sendmail';

/**
 * A sendmail.mc as on Debian, without DNS, deaf to the load of the machine, with logins and a smart host, around the
 * lines of the recipe.
 */
function configuration(sink: number, recipe: string): string {
  return `
define(\`_USE_ETC_MAIL_')dnl
include(\`/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(\`debian')dnl
DOMAIN(\`debian-mta')dnl
FEATURE(\`no_default_msa')dnl
FEATURE(\`nocanonify')dnl
FEATURE(\`accept_unresolvable_domains')dnl
define(\`confQUEUE_LA', \`9999')dnl
define(\`confREFUSE_LA', \`9999')dnl
define(\`confDELAY_LA', \`9999')dnl
undefine(\`confHOST_STATUS_DIRECTORY')dnl
define(\`confDONT_PROBE_INTERFACES', \`True')dnl
define(\`confAUTH_MECHANISMS', \`PLAIN')dnl
TRUST_AUTH_MECH(\`PLAIN')dnl
define(\`SMART_HOST', \`relay:[127.0.0.1]')dnl
define(\`RELAY_MAILER_ARGS', \`TCP $h ${sink}')dnl
RELAY_DOMAIN(\`example.net')dnl
${recipe}
MAILER_DEFINITIONS
MAILER(\`local')dnl
MAILER(\`smtp')dnl
`;
}

/** Starts Sendmail as Debian packages it, with the recipe of infra/mta/sendmail. */
export const startSendmail: StartMta = async ({ sink, startFilters }) => {
  const packages = ['sendmail-bin', 'sendmail-base', 'sendmail-cf', 'sasl2-bin'];
  const machine = createDebianMachine({ packages, hostname, users });
  try {
    const [inboundPort, submissionPort, localPort] = [await freePort(), await freePort(), await freePort()];
    machine.makeFolder('run/zegel');
    const verifyPort = await startFilters(machine.path('run/zegel/submission.sock'));
    const changes: readonly RecipeChange[] = [
      ['8891', String(verifyPort)],
      ['Port=smtp', `Port=${inboundPort}, Addr=127.0.0.1`],
      ['Port=submission', `Port=${submissionPort}, Addr=127.0.0.1`],
      ['10587', String(localPort)],
    ];
    const recipe = readRecipe('sendmail/sendmail.mc', changes);
    machine.write('etc/mail/sendmail.mc', configuration(sink, recipe));
    machine.write('etc/mail/service.switch', machine.packaged('sendmail-base', 'etc/mail/service.switch-nodns'));
    for (const name of ['local-host-names', 'trusted-users', 'relay-domains', 'aliases']) {
      machine.write(`etc/mail/${name}`, '');
    }
    const submit = machine.packaged('sendmail-cf', 'usr/share/sendmail/cf/debian/submit.mc');
    const ours = readRecipe('sendmail/submit.mc', [['10587', String(localPort)]]);
    machine.write(
      'etc/mail/submit.mc',
      submit.replace(/^(?=FEATURE\(`msp')/mu, () => ours),
    );
    machine.makeFolder('var/spool/mqueue-client', { uid: users.smmsp, gid: users.smmsp }, 0o2770);
    machine.makeFolder('var/spool/mqueue', { uid: users.smmta, gid: users.smmsp }, 0o750);
    machine.makeFolder('var/lib/sendmail/host_status', { uid: users.smmta, gid: users.smmta });
    machine.makeFolder('run/sendmail/mta');
    machine.write('var/traffic', '');
    for (const name of ['sendmail', 'submit']) {
      machine.write(`etc/mail/${name}.cf`, await machine.run('m4', [`/etc/mail/${name}.mc`]));
    }
    await makeLogins(machine);
    const daemon = await machine.start(program, ['-bD', '-q1h', '-X', '/var/traffic']);
    const log = (): string => machine.read('var/traffic');
    await waitForGreeting([inboundPort, submissionPort], daemon, log);
    return {
      name: 'Sendmail',
      version: /Version (\S+)/u.exec(await machine.run(program, ['-d0.1', '-bv', 'root']))?.[1] ?? 'unknown',
      inboundPort,
      submissionPort,
      submitLocally: async (args, raw) => void (await machine.run(program, args, raw)),
      log,
      shell: (command) => machine.run('sh', ['-c', command]),
      changes,
      [Symbol.asyncDispose]: machine.stop,
    };
  } catch (error) {
    await machine.stop();
    throw error;
  }
};

/** Cyrus SASL with a password database of its own. Sendmail asks for a whole login in the realm of its host. */
async function makeLogins(machine: DebianMachine): Promise<void> {
  machine.write('etc/sasl2/Sendmail.conf', 'pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN\n');
  for (const { name, password } of Object.values(logins)) {
    await machine.run('saslpasswd2', ['-p', '-c', '-f', '/etc/sasldb2', '-u', hostname, name], password);
  }
}
