/**
 * Starts a real name server, NSD of Debian, on loopback with a folder and a port of its own.
 */

import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** The Debian package that brings the server. */
export const NSD_PACKAGE = 'nsd';

export interface Nsd extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
  /** Ends the server and removes its folder. */
  stop(): Promise<void>;
}

const ADDRESS = '127.0.0.1';
const ATTEMPTS = 5;

/**
 * Serves zones, given as origin and master file text (RFC 1035 §5). Works as root and as any other user. Resolves when the server has
 * loaded them; rejects with what it logged when it does not start.
 */
export async function startNsd(zones: Readonly<Record<string, string>>): Promise<Nsd> {
  const folder = await mkdtemp(join(tmpdir(), 'zegel-nsd-'));
  for (const [origin, text] of Object.entries(zones)) await writeFile(join(folder, `${origin}.zone`), text);
  // Another process may take the port between our look and the server's bind.
  for (let attempt = 1; ; attempt += 1) {
    const port = await findFreePort();
    await writeFile(join(folder, 'nsd.conf'), configuration(folder, port, Object.keys(zones)));
    try {
      const server = await launch(join(folder, 'nsd.conf'));
      const stop = async (): Promise<void> => {
        if (server.exitCode === null && server.signalCode === null) {
          server.kill('SIGTERM');
          await once(server, 'exit');
        }
        await rm(folder, { recursive: true, force: true });
      };
      return { address: ADDRESS, port, stop, [Symbol.asyncDispose]: stop };
    } catch (error) {
      if (attempt < ATTEMPTS && String(error).includes('in use')) continue;
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }
}

function launch(configFile: string): Promise<ChildProcess> {
  // Debian puts it where only root looks.
  const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` };
  const server = spawn('nsd', ['-d', '-c', configFile], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  return new Promise((resolve, reject) => {
    const log: string[] = [];
    server.on('error', (cause) =>
      reject(new Error(`nsd does not start; is the package ${NSD_PACKAGE} installed?`, { cause })),
    );
    server.on('exit', (code) => reject(new Error(`nsd ended with ${code}:\n${log.join('\n')}`)));
    createInterface({ input: server.stderr }).on('line', (line) => {
      log.push(line);
      if (line.includes('nsd started')) resolve(server);
    });
  });
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
