// `npm run conformance`: runs the suites of independent test data and prints how much of each is met. Exits with 1 below
// the mark. A case whose expectation the standard does not share is a test that names the rule, and is counted apart.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

const files = process.argv.slice(2);
const folder = mkdtempSync(path.join(tmpdir(), 'zegel-conformance-'));
const report = path.join(folder, 'report.json');
spawnSync(
  path.join(root, 'node_modules/.bin/vitest'),
  ['run', '--reporter=json', `--outputFile.json=${report}`, ...(files.length > 0 ? files : ['conformance'])],
  { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
);
const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
rmSync(folder, { recursive: true, force: true });
for (const { name, assertionResults } of testResults) {
  const groups = Map.groupBy(assertionResults, (one) => one.ancestorTitles.join(' > '));
  for (const [title, list] of groups)
    console.log(
      path.relative(root, name),
      '|',
      title,
      '|',
      list.filter((x) => x.status === 'passed').length,
      '/',
      list.length,
    );
}
