import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { findProgram, startProcess } from '@zegel/test-harness';

export interface NameServer extends AsyncDisposable {
  /** On loopback. It answers on port 53: some milters know no other. */
  readonly address: string;
}

/** NSD with one zone of TXT records, by name. Needs root. */
export async function startNameServer(
  folder: string,
  domain: string,
  records: Readonly<Record<string, string>>,
): Promise<NameServer> {
  // A machine may have a name server of its own on the usual ones.
  const address = `127.53.${randomInt(1, 255)}.${randomInt(1, 255)}`;
  const lines = Object.entries(records).map(([name, text]) => {
    const strings = text.match(/.{1,200}/g) ?? [];
    return `${name}. 3600 IN TXT ${strings.map((part) => JSON.stringify(part)).join(' ')}`;
  });
  const zone = [`$ORIGIN ${domain}.`, `@ 3600 IN SOA ns hostmaster 1 3600 600 86400 3600`, '@ 3600 IN NS ns', ...lines];
  writeFileSync(path.join(folder, 'zone'), `${zone.join('\n')}\nns 3600 IN A 127.0.0.1\n`);
  const config = path.join(folder, 'nsd.conf');
  writeFileSync(
    config,
    `server:
  ip-address: ${address}@53
  server-count: 1
  rrl-ratelimit: 0
  username: ""
  zonesdir: "${folder}"
  zonelistfile: "${folder}/zone.list"
  xfrdir: "${folder}"
  xfrdfile: ""
  pidfile: ""
remote-control:
  control-enable: no
zone:
  name: ${domain}
  zonefile: zone
`,
  );
  const server = await startProcess(findProgram('nsd', ['nsd'], ['/usr/sbin']), ['-d', '-c', config]);
  await server.waitForLine(/nsd started/);
  return { address, [Symbol.asyncDispose]: async () => void (await server.kill('SIGKILL')) };
}
