import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { createGround } from './ground.ts';
import { measureGrowth } from './growth.ts';
import { calibrate, describeMachine, load } from './machine.ts';
import { measureMemory } from './memory.ts';
import { startPeers } from './peers.ts';
import { race } from './race.ts';
import { measureRest, restModes } from './rest.ts';
import type { RestOptions } from './rest.ts';
import type { RaceResult, Results } from './results.ts';
import { startRivals } from './rival-processes.ts';
import { createScenarios } from './scenarios.ts';
import { measureStartUp } from './start-up.ts';
import { createBench } from '../adapter.ts';

/** How much is measured. */
export interface SpeedOptions {
  /** Races and parts whose name holds one of these words; all when there is none. Parts: growth, memory, start, rest. */
  readonly only: readonly string[];
  readonly rounds: number;
  /** Seconds of processor time of one sample. */
  readonly sampleSeconds: number;
  /** Seconds of processor time that a contestant works before it counts. */
  readonly warmUpSeconds: number;
  /** Bytes of the largest message of the growth table. */
  readonly largest: number;
  readonly streamMegabytes: number;
  readonly verifications: number;
  /** Of the servers. */
  readonly rest: RestOptions;
  /** Hears what is being measured. */
  readonly onStep?: (what: string) => void;
}

export const speedOptions: SpeedOptions = {
  only: [],
  rounds: 31,
  sampleSeconds: 0.1,
  warmUpSeconds: 3,
  largest: 10_000_000,
  streamMegabytes: 100,
  verifications: 200_000,
  rest: {
    modes: restModes,
    warmUpRounds: 50,
    rounds: 41,
    turnSeconds: 0.25,
    waitModes: ['express', 'zegel'],
    waitWarmUp: 15_000,
    stretches: 31,
  },
};

/** Runs the benchmark: everybody in turns, on one machine, in one run. */
export async function measureSpeed(options: SpeedOptions): Promise<Results> {
  const { only, rounds, sampleSeconds, warmUpSeconds, onStep = () => {} } = options;
  const isWanted = (name: string): boolean => only.length === 0 || only.some((word) => name.includes(word));
  const ground = createGround();
  const loadBefore = load();
  onStep('calibration');
  const calibrationBefore = await calibrate(ground);
  using rivals = await startRivals(ground, ['mailauth', 'nodemailer']);
  await using peers = await startPeers(ground);
  const races: RaceResult[] = [];
  for (const { name, title, contestants, targets } of await createScenarios(ground, rivals.running, peers)) {
    if (!isWanted(name)) continue;
    onStep(name);
    const rates = await race(contestants, { rounds, sampleSeconds, warmUpSeconds });
    races.push({ name, title, targets, rates });
  }
  const part = async <Part>(name: string, measure: () => Promise<Part> | Part): Promise<Part | undefined> => {
    if (!isWanted(name)) return undefined;
    onStep(name);
    return measure();
  };
  const { largest, streamMegabytes: megabytes, verifications } = options;
  const rest = await part('rest', () => measureRest(ground, options.rest));
  const startUp = await part('start', () => measureStartUp(ground, rounds));
  const growth = await part('growth', () => measureGrowth(ground, largest, { rounds: 3, sampleSeconds: 0.1 }));
  const memory = await part('memory', () => measureMemory(ground, { megabytes, verifications }));
  const nodes = [createBench(ground), ...rivals.running, ...peers.running];
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: commit(),
    machine: describeMachine(),
    loadBefore,
    loadAfter: load(),
    calibrationBefore,
    calibrationAfter: await calibrate(ground),
    contestants: Object.fromEntries(nodes.map(({ name, version }) => [name, version])),
    missing: peers.missing,
    races,
    growth: growth ?? [],
    ...(memory === undefined ? {} : { memory }),
    ...(startUp === undefined ? {} : { startUp }),
    ...(rest === undefined ? {} : { rest }),
  };
}

function commit(): string {
  const { stdout, status } = spawnSync('git', ['describe', '--always', '--dirty'], {
    cwd: path.join(import.meta.dirname, '..'),
    encoding: 'utf8',
  });
  return status === 0 ? stdout.trim() : 'unknown';
}
