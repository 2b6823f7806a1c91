import type { Growth } from './growth.ts';
import type { Calibration } from './machine.ts';
import type { MemoryReport } from './memory.ts';
import type { Rate } from './race.ts';
import type { RestReport } from './rest.ts';
import type { StartUpReport } from './start-up.ts';

/** Everything one run has measured: what is written as JSON, and what the page and the chart are made of. */
export interface Results {
  readonly date: string;
  readonly commit: string;
  readonly machine: string;
  readonly loadBefore: readonly number[];
  readonly loadAfter: readonly number[];
  readonly calibrationBefore: Calibration;
  readonly calibrationAfter: Calibration;
  /** Name and version of everybody who took part. */
  readonly contestants: Readonly<Record<string, string>>;
  /** Why some did not. */
  readonly missing: readonly string[];
  readonly races: readonly RaceResult[];
  readonly growth: readonly Growth[];
  readonly memory?: MemoryReport;
  readonly startUp?: StartUpReport;
  readonly rest?: RestReport;
}

export interface RaceResult {
  readonly name: string;
  readonly title: string;
  readonly targets: Readonly<Record<string, number>>;
  /** The first is what the others are measured against. */
  readonly rates: readonly Rate[];
}
