/** The milters that are compared, each as a process on a Unix socket of its own. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram, startProcess } from '@zegel/test-harness';
import type { TestProcess } from '@zegel/test-harness';

/** What all of them work with. */
export interface BenchGround {
  readonly folder: string;
  readonly keyFile: string;
  readonly domain: string;
  readonly selector: string;
  /** Address of a name server on port 53. */
  readonly nameServer: string;
}

export interface Contender {
  readonly name: string;
  readonly task: 'sign' | 'verify';
  /** What it does of verification; empty for signing. */
  readonly checks: string;
  /** Connections at a time, where it bears fewer than the others have. */
  readonly connections?: number;
  start(ground: BenchGround): Promise<Running>;
}

export interface Running {
  readonly socket: string;
  readonly process: TestProcess;
}

const floorMilter = fileURLToPath(new URL('../../programs/floor-milter.ts', import.meta.url));
const zegelMain = fileURLToPath(new URL('../../../../services/milter/src/main.ts', import.meta.url));

/** What no milter in Node does without: reading, a hash, one RSA operation. */
function floor(task: Contender['task']): Contender {
  return {
    name: 'floor',
    task,
    checks: '',
    async start({ folder, keyFile }) {
      const socket = path.join(folder, `floor-${task}.sock`);
      return { socket, process: await startProcess(process.execPath, [floorMilter, task, socket, keyFile]) };
    },
  };
}

function zegel(task: Contender['task']): Contender {
  return {
    name: 'zegel',
    task,
    checks: task === 'verify' ? 'SPF, DKIM, DMARC, ARC' : '',
    async start({ folder, keyFile, domain, selector, nameServer }) {
      const socket = path.join(folder, `zegel-${task}.sock`);
      const process = await startProcess(globalThis.process.execPath, [...nodeOptions(), zegelMain], {
        env: {
          AUTHSERV_ID: 'mx.receiver.test',
          ZEGEL_DATA_DIR: folder,
          ZEGEL_DNS_SERVERS: nameServer,
          ZEGEL_METRICS_LISTEN: '127.0.0.1:0',
          ZEGEL_MILTER_LISTEN: JSON.stringify([{ address: `unix:${socket}`, mode: task }]),
          ZEGEL_SIGNING_KEYS: JSON.stringify([{ domain, selector, file: keyFile }]),
        },
      });
      await process.waitForLine(/"msg":"started"/, 60_000);
      return { socket, process };
    },
  };
}

/** For a profile of the server: ZEGEL_BENCH_NODE_OPTIONS="--cpu-prof --cpu-prof-dir=/somewhere". */
function nodeOptions(): readonly string[] {
  return (process.env['ZEGEL_BENCH_NODE_OPTIONS'] ?? '').split(' ').filter(Boolean);
}

function opendkim(task: Contender['task']): Contender {
  return {
    name: 'opendkim',
    task,
    checks: task === 'verify' ? 'DKIM' : '',
    // With several at a time 2.11.0 ends or answers 4xx, mostly within the first thousand messages: "BIO_new_mem_buf() failed".
    connections: 1,
    async start({ folder, keyFile, domain, selector, nameServer }) {
      const socket = path.join(folder, `opendkim-${task}.sock`);
      const config = path.join(folder, `opendkim-${task}.conf`);
      // Its resolver is libunbound, which asks nobody on loopback unless told to.
      const resolver = path.join(folder, 'opendkim-resolver.conf');
      writeFileSync(
        resolver,
        `server:\n  do-not-query-localhost: no\nforward-zone:\n  name: "."\n  forward-addr: ${nameServer}\n`,
      );
      writeFileSync(path.join(folder, 'everybody'), '0.0.0.0/0\n');
      const signing = `Domain ${domain}\nSelector ${selector}\nKeyFile ${keyFile}\nInternalHosts ${folder}/everybody\n`;
      writeFileSync(
        config,
        `Socket local:${socket}\nMode ${task === 'sign' ? 's' : 'v'}\nCanonicalization relaxed/relaxed\nSyslog no\n` +
          `RequireSafeKeys no\nOversignHeaders From\nAuthservID mx.receiver.test\nResolverConfiguration ${resolver}\n` +
          (task === 'sign' ? signing : ''),
      );
      const process = await startProcess(findProgram('opendkim', ['opendkim'], ['/usr/sbin']), ['-f', '-x', config]);
      return { socket, process };
    },
  };
}

const opendmarc: Contender = {
  name: 'opendmarc',
  task: 'verify',
  checks: 'SPF, DMARC',
  async start({ folder, nameServer }) {
    const socket = path.join(folder, 'opendmarc.sock');
    const config = path.join(folder, 'opendmarc.conf');
    writeFileSync(
      config,
      `Socket local:${socket}\nSyslog false\nAuthservID mx.receiver.test\nSPFIgnoreResults true\nSPFSelfValidate true\n`,
    );
    const process = await startWithNameServer(nameServer, folder, [
      findProgram('opendmarc', ['opendmarc'], ['/usr/sbin']),
      '-f',
      '-c',
      config,
    ]);
    return { socket, process };
  },
};

function rspamd(task: Contender['task']): Contender {
  return {
    name: 'rspamd',
    task,
    checks: task === 'verify' ? 'SPF, DKIM, DMARC, ARC' : '',
    async start({ folder, keyFile, domain, selector, nameServer }) {
      const own = path.join(folder, `rspamd-${task}`);
      mkdirSync(own, { recursive: true });
      const socket = path.join(own, 'milter.sock');
      const config = path.join(own, 'rspamd.conf');
      const modules =
        task === 'sign'
          ? `dkim_signing { enabled = true; sign_authenticated = true; allow_username_mismatch = true; use_domain = "header"; check_pubkey = false; domain { ${domain} { path = "${keyFile}"; selector = "${selector}"; } } }`
          : 'dkim { enabled = true; } spf { enabled = true; } dmarc { enabled = true; reporting { enabled = false; } } arc { enabled = true; }';
      writeFileSync(
        config,
        `options { filters = "dkim,spf"; pidfile = "${own}/pid"; tempdir = "${own}"; local_addrs = []; max_lua_urls = 0;
  dns { nameserver = ["${nameServer}:53"]; } control_socket = "${own}/control.sock mode=0600"; hs_cache_dir = "${own}"; }
logging { type = "console"; level = "error"; }
worker "rspamd_proxy" { bind_socket = "${socket} mode=0666"; count = 1; milter = true; timeout = 60s;
  upstream "local" { default = true; self_scan = true; } }
modules { path = "/usr/share/rspamd/plugins/"; }
lua = "/usr/share/rspamd/rules/rspamd.lua";
milter_headers { use = ["authentication-results"]; }
${modules}
`,
      );
      const process = await startProcess(findProgram('rspamd', ['rspamd'], ['/usr/sbin']), ['-f', '-i', '-c', config]);
      return { socket, process };
    },
  };
}

/** Runs a program that knows no other name server than that of /etc/resolv.conf, with a file of ours in its place. */
function startWithNameServer(address: string, folder: string, command: readonly string[]): Promise<TestProcess> {
  const file = path.join(folder, 'resolv.conf');
  writeFileSync(file, `nameserver ${address}\n`);
  const script = `mount --bind ${file} /etc/resolv.conf && exec "$0" "$@"`;
  return startProcess('unshare', ['-m', 'sh', '-c', script, ...command]);
}

export const contenders: readonly Contender[] = [
  floor('sign'),
  zegel('sign'),
  opendkim('sign'),
  rspamd('sign'),
  floor('verify'),
  zegel('verify'),
  opendkim('verify'),
  opendmarc,
  rspamd('verify'),
];
