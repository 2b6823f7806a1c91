import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below those that Linux gives to outgoing connections (32768 to 60999): nobody gets one by chance. Among them, who
 * tries to connect until somebody listens would in the end be given the very port it calls, and be connected to itself.
 */
const firstPort = 10_000;
const portsOfProcess = 20;
const slices = 1_100;

const ownSlice = firstPort + (process.pid % slices) * portsOfProcess;
let taken = 0;

/**
 * A TCP port that was free on 127.0.0.1 a moment ago, in a range that another process of the tests draws from once in a
 * thousand times. Listen on port 0 where you can, and use this only for programs that want to be told a number.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < portsOfProcess; tries++) {
    const port = ownSlice + (taken++ % portsOfProcess);
    if (await isFree(port)) return port;
  }
  throw new Error(`No TCP port from ${ownSlice} to ${ownSlice + portsOfProcess - 1} is free`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  const isOpen = await once(server, 'listening').then(
    () => true,
    () => false,
  );
  if (isOpen) await once(server.close(), 'close');
  return isOpen;
}
