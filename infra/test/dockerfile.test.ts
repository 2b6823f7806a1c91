import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isIgnored, root } from './build-context.ts';
import { parseDockerfile } from './dockerfile.ts';

const { args, stages } = parseDockerfile(readFileSync(join(root, 'infra/docker/Dockerfile'), 'utf8'));
const [build, runtime] = stages;
const last = (name: string) => runtime!.instructions.findLast((instruction) => instruction.name === name);
const copies = runtime!.instructions.filter(({ name }) => name === 'COPY');
const variables = Object.fromEntries(
  runtime!.instructions
    .filter(({ name }) => name === 'ENV')
    .flatMap(({ argument }) => argument.split(/\s+/).map((pair) => pair.split('=', 2) as [string, string])),
);

describe('Dockerfile', () => {
  it('has a stage that builds and one that runs', () => {
    expect(stages.map(({ name }) => name)).toEqual(['build', 'runtime']);
  });

  it('takes its bases from arguments, pinned to more than "latest"', () => {
    for (const { base } of stages) {
      const image = args.get(/^\$\{(\w+)\}$/.exec(base)![1]!)!;
      expect(image).toMatch(/^[a-z]+:[a-z0-9.-]+$/);
      expect(image).not.toContain(':latest');
    }
  });

  it('copies from stages that exist, and from paths of the build context that exist', () => {
    const from = copies.flatMap(({ flags }) => flags.filter(([flag]) => flag === 'from').map(([, stage]) => stage));
    expect(new Set(from)).toEqual(new Set([build!.name]));
    const fromContext = copies.filter(({ flags }) => !flags.some(([flag]) => flag === 'from'));
    const sources = fromContext.flatMap(({ argument }) => argument.split(/\s+/).slice(0, -1));
    expect(sources.filter((source) => !existsSync(join(root, source)) || isIgnored(source))).toEqual([]);
  });

  it('copies into the image what the build makes', () => {
    const made = copies
      .filter(({ flags }) => flags.some(([flag]) => flag === 'from'))
      .map(({ argument }) => argument.split(/\s+/)[0]);
    expect(made).toEqual(['/src/out/app', '/src/out/data']);
  });

  it('needs no shell in the image that runs', () => {
    expect(runtime!.instructions.filter(({ name }) => name === 'RUN')).toEqual([]);
    expect(last('ENTRYPOINT')?.exec).not.toBeNull();
    expect(last('CMD')?.exec).not.toBeNull();
    expect(last('HEALTHCHECK')?.exec).not.toBeNull();
  });

  it('starts node itself as the first process, so that it gets the SIGTERM', () => {
    expect(last('ENTRYPOINT')?.exec?.[0]).toBe('node');
    expect(last('STOPSIGNAL')?.argument).toBe('SIGTERM');
  });

  it('runs as a numeric user that is not root, and gives it the data folder', () => {
    expect(last('USER')?.argument).toBe('65532:65532');
    const data = copies.find(({ argument }) => argument.endsWith(' /data'));
    expect(data?.flags).toContainEqual(['chown', '65532:65532']);
    expect(last('VOLUME')?.argument).toBe('/data');
    expect(variables.ZEGEL_DATA_DIR).toBe('/data');
  });

  it('exposes the ports it listens on', () => {
    const ports = [variables.ZEGEL_LISTEN, variables.ZEGEL_METRICS_LISTEN].map((listen) => listen!.split(':')[1]);
    expect(last('EXPOSE')?.argument.split(' ')).toEqual(ports);
  });

  it('holds no secret', () => {
    expect(Object.keys(variables).filter((name) => /KEY|TOKEN|PASSWORD|URL/.test(name))).toEqual([]);
  });
});

describe('.dockerignore', () => {
  it.each([
    '.git/config',
    'node_modules/x',
    'packages/dns/node_modules/x',
    'services/cli/dist/main.js',
    'infra/docker/secrets/master-key',
  ])('keeps %s out', (path) => expect(isIgnored(path)).toBe(true));

  it.each(['package.json', 'pnpm-lock.yaml', 'packages/dns/src/index.ts', 'infra/docker/build-tree.mjs'])(
    'lets %s in',
    (path) => expect(isIgnored(path)).toBe(false),
  );
});
