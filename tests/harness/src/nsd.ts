import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { findProgram } from './missing-program.ts';
import { startProcess } from './process.ts';
import type { TestProcess } from './process.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A real name server, NSD of Debian, on loopback with a folder and a port of its own. */
export interface Nsd extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
  /** Ends the server and removes its folder. */
  stop(): Promise<void>;
}

const ADDRESS = '127.0.0.1';
const ATTEMPTS = 5;

/**
 * Serves zones, given as origin and master file text (RFC 1035 §5). Works as root and as any other user. Resolves when
 * the server has loaded them; rejects with what it logged when it does not start. Throws MissingProgramError when it is
 * not installed.
 */
export async function startNsd(zones: Readonly<Record<string, string>>): Promise<Nsd> {
  const program = findProgram('nsd', ['nsd'], ['/usr/sbin']);
  const folder = temporaryFolder('nsd');
  const file = path.join(folder.path, 'nsd.conf');
  for (const [origin, text] of Object.entries(zones)) writeFileSync(path.join(folder.path, `${origin}.zone`), text);
  const launch = async (): Promise<TestProcess> => {
    const started = await startProcess(program, ['-d', '-c', file]);
    await started.waitForLine(/nsd started/u);
    return started;
  };
  // Another process may take the port between our look and the server's bind.
  for (let attempt = 1; ; attempt += 1) {
    const port = await findFreePort();
    writeFileSync(file, configuration(folder.path, port, Object.keys(zones)));
    try {
      const server = await launch();
      const stop = async (): Promise<void> => {
        await server.kill('SIGTERM');
        folder.remove();
      };
      return { address: ADDRESS, port, stop, [Symbol.asyncDispose]: stop };
    } catch (error) {
      if (attempt < ATTEMPTS && String(error).includes('in use')) continue;
      folder.remove();
      throw error;
    }
  }
}

/** Response rate limiting is off: it would drop answers to a test that asks fast. */
function configuration(folder: string, port: number, origins: readonly string[]): string {
  return `server:
  ip-address: ${ADDRESS}@${port}
  server-count: 1
  rrl-ratelimit: 0
  username: ""
  chroot: ""
  zonesdir: "${folder}"
  xfrdir: "${folder}"
  zonelistfile: "${folder}/zone.list"
  xfrdfile: ""
  database: ""
  pidfile: ""
  verbosity: 1
remote-control:
  control-enable: no
${origins.map((origin) => `zone:\n  name: ${origin}\n  zonefile: ${origin}.zone\n`).join('')}`;
}

/** A port that is free for UDP and TCP at this moment. */
async function findFreePort(): Promise<number> {
  for (;;) {
    const udp = createSocket('udp4');
    udp.bind(0, ADDRESS);
    await once(udp, 'listening');
    const { port } = udp.address();
    const tcp = createServer();
    const free = await new Promise<boolean>((resolve) => {
      tcp.once('error', () => resolve(false));
      tcp.listen(port, ADDRESS, () => resolve(true));
    });
    udp.close();
    if (!free) continue;
    tcp.close();
    await once(tcp, 'close');
    return port;
  }
}
