import { fork } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import type { Bench } from '../adapter.ts';
import type { Ground } from './ground.ts';
import { inProcess } from './race.ts';
import type { Timed } from './race.ts';
import type { Rival } from './rivals.ts';

/** What is asked of a contestant, by the name of the method. */
export type Operation = 'sign' | 'verify' | 'spf' | 'dmarc' | 'auth';

export const operations: readonly Operation[] = ['sign', 'verify', 'spf', 'dmarc', 'auth'];

/** A contestant in Node, wherever it runs. */
export interface NodeContestant {
  readonly name: string;
  readonly version: string;
  readonly operations: readonly Operation[];
  /** Does the work once, and answers what came of it, and how to have it done many times. */
  prepare(operation: Operation, message: Buffer): Promise<Prepared>;
}

export interface Prepared {
  readonly result: Awaited<ReturnType<Bench[Operation]>>;
  readonly run: Timed;
}

/** What a rival's process is told at its beginning. */
export type GivenKeys = Pick<Ground, 'privateKeyPem' | 'edPrivateKeyPem'>;

/** What it answers then. */
export type Introduction = Pick<NodeContestant, 'name' | 'version' | 'operations'>;

/** What is asked of it after that: a task by its number, first with what it is, then how often. */
export type RivalRequest =
  | { readonly task: number; readonly operation: Operation; readonly message: Uint8Array }
  | { readonly task: number; readonly count: number };

/** One that runs in this process. */
export function localContestant(rival: Rival): NodeContestant {
  return {
    name: rival.name,
    version: rival.version,
    operations: operations.filter((operation) => rival[operation] !== undefined),
    async prepare(operation, message) {
      const work = rival[operation];
      if (work === undefined) throw new Error(`${rival.name} has no ${operation}`);
      return { result: await work(message), run: inProcess(rival.name, () => work(message)).run };
    },
  };
}

/** Rivals that run. Dispose to end their processes. */
export interface RivalProcesses extends AsyncDisposable {
  readonly running: readonly NodeContestant[];
}

const program = path.join(import.meta.dirname, '../programs/rival.ts');

/**
 * Starts the rivals, each in a process of its own as a user of it would have: in one process whoever takes his turn behind one that
 * makes much garbage pays for the collector, which goes on in other threads.
 */
export async function startRivals(
  { privateKeyPem, edPrivateKeyPem }: GivenKeys,
  names: readonly string[],
): Promise<RivalProcesses> {
  const running: (NodeContestant & AsyncDisposable)[] = [];
  const dispose = async (): Promise<void> => {
    for (const rival of running) await rival[Symbol.asyncDispose]();
  };
  try {
    for (const name of names) running.push(await startRival(name, { privateKeyPem, edPrivateKeyPem }));
  } catch (error) {
    await dispose();
    throw error;
  }
  return { running, [Symbol.asyncDispose]: dispose };
}

async function startRival(rival: string, keys: GivenKeys): Promise<NodeContestant & AsyncDisposable> {
  const child = fork(program, [rival], { serialization: 'advanced' });
  const exit = once(child, 'exit');
  const ask = async <Answer>(request: GivenKeys | RivalRequest): Promise<Answer> => {
    child.send(request);
    const [answer] = await Promise.race([
      once(child, 'message'),
      exit.then(() => {
        throw new Error(`The process of ${rival} ended without an answer`);
      }),
    ]);
    return answer as Answer;
  };
  const introduction = await ask<Introduction>(keys);
  let tasks = 0;
  return {
    ...introduction,
    async prepare(operation, message) {
      const task = tasks++;
      const result = await ask<Prepared['result']>({ task, operation, message });
      return { result, run: (count) => ask<number>({ task, count }) };
    },
    async [Symbol.asyncDispose]() {
      child.disconnect();
      await exit;
    },
  };
}
