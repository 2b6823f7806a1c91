import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { zegel } from './zegel.ts';

/** The host's own Node, which may be older than the code wants; this one where there is none. */
const hostNode = existsSync('/usr/bin/node') ? '/usr/bin/node' : process.execPath;

describe('the launcher', () => {
  test('runs the command on the Node it is started with when that is new enough', async () => {
    const { stdout } = await zegel(['version']);
    expect(stdout.toString()).toContain(`Node ${process.versions.node}`);
  });

  test('starts the Node that comes with the package when the host has an older one', async () => {
    const { status, stdout, stderr } = await zegel(['version'], { node: hostNode });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.toString()).toMatch(/, Node (?:2[2-9]|[3-9]\d)\./);
  });

  test('hands input, output and exit status through', async () => {
    const { status, stderr } = await zegel(['sign', '--nonsense'], { node: hostNode, stdin: 'x' });
    expect(status).toBe(1);
    expect(stderr).toContain('--nonsense');
    const verify = await zegel(['verify', '--json', '--dns', '/dev/null'], {
      node: hostNode,
      stdin: 'From: a@b.test\r\n\r\n',
    });
    expect(verify.status).toBe(1);
  });
});
