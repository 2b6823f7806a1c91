import { existsSync } from 'node:fs';
import { runToEnd } from '@zegel/test-harness';
import { describe, expect, test } from 'vitest';
import { zegel } from './zegel.ts';

/** A Node of the host that is older than the code wants, as Debian has it; undefined on a host without one. */
const oldNode = await findOldNode('/usr/bin/node');

async function findOldNode(file: string): Promise<string | undefined> {
  if (!existsSync(file)) return undefined;
  const [major = 0, minor = 0] = (await runToEnd(file, ['-p', 'process.versions.node'])).split('.').map(Number);
  return major < 22 || (major === 22 && minor < 19) ? file : undefined;
}

describe('the launcher', () => {
  test('runs the command on the Node it is started with when that is new enough', async () => {
    const { stdout } = await zegel(['version']);
    expect(stdout.toString()).toContain(`Node ${process.versions.node}`);
  });

  test.runIf(oldNode !== undefined)('starts the Node that comes with the package from an older one', async () => {
    const { status, stdout, stderr } = await zegel(['version'], { node: oldNode! });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.toString()).toMatch(/, Node (?:2[4-9]|[3-9]\d)\./);
  });

  test.runIf(oldNode !== undefined)('hands input, output and exit status through', async () => {
    const { status, stderr } = await zegel(['sign', '--nonsense'], { node: oldNode!, stdin: 'x' });
    expect(status).toBe(1);
    expect(stderr).toContain('--nonsense');
    const verify = await zegel(['verify', '--json', '--dns', '/dev/null'], {
      node: oldNode!,
      stdin: 'From: a@b.test\r\n\r\n',
    });
    expect(verify.status).toBe(1);
  });
});
