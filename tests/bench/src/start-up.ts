import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from '@zegel/test-harness';
import type { Ground } from './ground.ts';
import { message } from './messages.ts';
import { median } from './race.ts';

/** Milliseconds by the clock, medians. */
export interface StartUpReport {
  readonly nothing: number;
  readonly sign: number;
}

const launcher = path.join(import.meta.dirname, '../../../services/cli/bin/zegel.mjs');

/** `zegel sign` on 10 kB against `node -e 0`, taking turns. */
export function measureStartUp({ domain, selector, privateKeyPem }: Ground, rounds: number): StartUpReport {
  using folder = temporaryFolder('bench');
  const keyFile = path.join(folder.path, 'key.pem');
  const input = path.join(folder.path, 'message.eml');
  writeFileSync(keyFile, privateKeyPem, { mode: 0o600 });
  writeFileSync(input, message(domain, 'text', 10_000));
  const sign = [launcher, 'sign', '--domain', domain, '--selector', selector, '--key', keyFile, '--input', input];
  const nothing: number[] = [];
  const signing: number[] = [];
  timed(sign);
  for (let round = 0; round < rounds; round++) {
    nothing.push(timed(['-e', '0']));
    signing.push(timed(sign));
  }
  return { nothing: median(nothing), sign: median(signing) };
}

function timed(args: readonly string[]): number {
  const begun = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`node ${args.join(' ')} ends with ${status}: ${stderr}`);
  return performance.now() - begun;
}
