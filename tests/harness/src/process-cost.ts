import { globSync, readFileSync, readdirSync } from 'node:fs';

/** Ticks of the clock in which Linux counts processor time. */
const ticksPerSecond = 100;

/**
 * Processor seconds that a process and all below it have used, those of threads that have ended included. Linux tells
 * them in steps of 10 ms.
 */
export function cpuSeconds(pid: number): number {
  let ticks = 0;
  for (const one of processTree(pid)) {
    const stat = readFileSync(`/proc/${one}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / ticksPerSecond;
}

/** Processor seconds that the threads of one process have used which are alive, to the nanosecond. */
export function threadSeconds(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  const nanoseconds = readdirSync(tasks).map((id) =>
    Number(readFileSync(`${tasks}/${id}/schedstat`, 'latin1').split(' ')[0]),
  );
  return nanoseconds.reduce((sum, one) => sum + one, 0) / 1e9;
}

/** Resident memory of one process, in bytes. */
export function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return Number(kilobytes) * 1024;
}

/** Open descriptors of one process. */
export function openDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** A process and all that descend from it. */
function processTree(pid: number): readonly number[] {
  const found = [pid];
  for (const one of found) {
    for (const file of globSync(`/proc/${one}/task/*/children`)) {
      found.push(...childrenIn(file));
    }
  }
  return found;
}

/** A thread may end between the look into its folder and the reading. */
function childrenIn(file: string): readonly number[] {
  try {
    return readFileSync(file, 'latin1').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
