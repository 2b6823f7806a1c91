import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);
const program = fileURLToPath(new URL('stream-growth.ts', import.meta.url));

describe('Memory', () => {
  it.each(['sign', 'verify'])('does not grow with the message: %s 100 MB in chunks', async (mode) => {
    const { stdout } = await run(process.execPath, [program, mode, '100']);
    expect(Number(stdout)).toBeLessThan(16 * 1024 * 1024);
  });
});
