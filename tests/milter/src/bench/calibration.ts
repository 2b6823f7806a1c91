import { generateKeyPairSync, sign } from 'node:crypto';

/** RSA-2048 signatures that one processor second makes here: the measure in which milters are compared. */
export function signaturesPerCpuSecond(seconds = 1.5): number {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const data = Buffer.alloc(1000, 'x');
  for (let warm = 0; warm < 100; warm++) sign('sha256', data, privateKey);
  const before = process.cpuUsage();
  let made = 0;
  for (let used = 0; used < seconds;) {
    for (let block = 0; block < 50; block++) sign('sha256', data, privateKey);
    made += 50;
    const { user, system } = process.cpuUsage(before);
    used = (user + system) / 1e6;
  }
  const { user, system } = process.cpuUsage(before);
  return made / ((user + system) / 1e6);
}
