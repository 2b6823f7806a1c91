// `npm test`: every test there is, on real servers. The last line is `N passed, N failed`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureSystemPackages } from './system-packages.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

if (!ensureSystemPackages()) {
  console.log('0 passed, 1 failed');
  process.exit(1);
}

const folder = mkdtempSync(path.join(tmpdir(), 'zegel-test-'));
const report = path.join(folder, 'report.json');
const { status } = spawnSync(
  path.join(root, 'node_modules/.bin/vitest'),
  ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit', env: { ...process.env, TZ: 'UTC' } },
);
const counts = readCounts(report);
rmSync(folder, { recursive: true, force: true });

// A skipped test is one that did not hold; a run that failed outside its tests has failed too.
const failed = Math.max(counts.failed + counts.skipped, status === 0 ? 0 : 1);
if (counts.skipped > 0) console.log(`${counts.skipped} skipped, which counts as failed`);
console.log(`${counts.passed} passed, ${failed} failed`);
process.exit(failed === 0 && counts.passed > 0 ? 0 : 1);

function readCounts(file) {
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(readFileSync(file, 'utf8'));
    return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests + numTodoTests };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
