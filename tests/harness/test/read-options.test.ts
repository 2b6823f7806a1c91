import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

const harness = new URL('../src/index.ts', import.meta.url).href;
const script = `
  import { readOptions } from '${harness}';
  const values = readOptions('the usage', { count: { type: 'string', default: '5' }, table: { type: 'boolean', default: false } });
  console.log(JSON.stringify(values));
`;

const run = (...words: readonly string[]): ReturnType<typeof spawnSync> =>
  spawnSync(process.execPath, ['--input-type=module', '--eval', script, '--', ...words], { encoding: 'utf8' });

describe('the options of a script', () => {
  it('are what was given, and else the defaults', () => {
    const { stdout, status } = run('--count', '7');
    expect(status).toBe(0);
    expect(JSON.parse(String(stdout))).toEqual({ count: '7', table: false });
  });

  it.each(['--help', '-h'])('are told by %s', (word) => {
    expect(run('--count', '7', word)).toMatchObject({ status: 0, stdout: 'the usage\n', stderr: '' });
  });

  it.each([['--cuont'], ['--count'], ['word']])('are told when there is no such one: %s', (...words) => {
    const { status, stdout, stderr } = run(...words);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('the usage');
  });
});
