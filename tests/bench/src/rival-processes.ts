import { fork } from 'node:child_process';
import path from 'node:path';
import type { Bench } from '../adapter.ts';
import type { GroundKeys } from './ground.ts';
import { heard } from './heard.ts';
import { inProcess } from './race.ts';
import type { Contestant } from './race.ts';
import type { Rival } from './rivals.ts';

/** What is asked of a contestant, by the name of the method. */
export type Operation = 'sign' | 'verify' | 'spf' | 'dmarc' | 'auth';

const operations: readonly Operation[] = ['sign', 'verify', 'spf', 'dmarc', 'auth'];

/** A contestant in Node, wherever it runs. */
export interface NodeContestant {
  readonly name: string;
  readonly version: string;
  readonly operations: readonly Operation[];
  /** Does the work once, and answers what came of it, and how to have it done many times. */
  prepare(operation: Operation, message: Buffer): Promise<Prepared>;
}

export interface Prepared extends Contestant {
  readonly result: Awaited<ReturnType<Bench[Operation]>>;
}

/** What a rival's process answers when it has been told the keys. */
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
      return { result: await work(message), ...inProcess(rival.name, () => work(message)) };
    },
  };
}

/** Rivals that run. Dispose to end their processes. */
export interface RivalProcesses extends Disposable {
  readonly running: readonly NodeContestant[];
}

const program = path.join(import.meta.dirname, '../programs/rival.ts');

/**
 * Starts the rivals, each in a process of its own as a user of it would have: in one process whoever takes his turn
 * behind one that makes much garbage pays for the collector, which goes on in other threads.
 */
export async function startRivals(keys: GroundKeys, names: readonly string[]): Promise<RivalProcesses> {
  using open = new DisposableStack();
  const running: NodeContestant[] = [];
  for (const name of names) running.push(open.use(await startRival(name, keys)));
  const processes = open.move();
  return { running, [Symbol.dispose]: () => processes.dispose() };
}

async function startRival(
  rival: string,
  { privateKeyPem, edPrivateKeyPem }: GroundKeys,
): Promise<NodeContestant & Disposable> {
  const child = fork(program, [rival], { serialization: 'advanced' });
  const ask = <Answer>(request: GroundKeys | RivalRequest): Promise<Answer> => {
    const answer = heard<Answer>(child, `The process of ${rival}`);
    child.send(request);
    return answer;
  };
  const introduction = await ask<Introduction>({ privateKeyPem, edPrivateKeyPem });
  let tasks = 0;
  return {
    ...introduction,
    async prepare(operation, message) {
      const task = tasks++;
      const result = await ask<Prepared['result']>({ task, operation, message });
      return { name: introduction.name, result, run: (count) => ask<number>({ task, count }) };
    },
    // It ends by itself then.
    [Symbol.dispose]: () => child.disconnect(),
  };
}
