// `npm run conformance`: runs the suites of independent test data and prints how much of each is met, then the cases that
// the standard decides against their suite. Exits with 1 when anything is below the mark.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** A suite: the test file and group that run it, and how many cases it must have met. */
const suites = [
  { name: 'spf/rfc7208', file: 'packages/spf/test/conformance', group: /^RFC 7208/, cases: 203 },
  { name: 'spf/rfc4408', file: 'packages/spf/test/conformance', group: /^RFC 4408/, cases: 191 },
  { name: 'spf/stalwart', file: 'packages/spf/test/conformance', group: /^Stalwart/, cases: 163 },
  { name: 'spf/rspamd', file: 'packages/spf/test/conformance', group: /^Rspamd/, cases: 40 },
  { name: 'dkim, must pass', file: 'packages/dkim/test/conformance', group: /: signatures that hold/, cases: 33 },
  { name: 'dkim, must not pass', file: 'packages/dkim/test/conformance', group: /that do not hold/, cases: 98 },
  { name: 'dkim, partial l= is policy', file: 'packages/dkim/test/conformance', group: /part of the body/, cases: 3 },
  { name: 'dkim, old signatures', file: 'packages/dkim/test/conformance', group: /too old to accept/, cases: 21 },
  { name: 'arc validation', file: 'packages/arc/test/conformance', group: /chain validation/, cases: 119 },
  { name: 'arc sealing', file: 'packages/arc/test/conformance', group: /sealing/, cases: 18 },
  {
    name: 'arc sealing, held by dkimpy and Mail::DKIM',
    file: 'packages/arc/test/interop',
    group: /./,
    title: /^conformance: /,
    cases: 16,
  },
  { name: 'arc real', file: 'packages/arc/test/conformance', group: /real sealed mail/, cases: 1 },
  { name: 'dmarc verify', file: 'packages/dmarc/test/verify.conformance', group: /./, cases: 71 },
  { name: 'dmarc rspamd', file: 'tests/conformance/dmarc-messages', group: /./, cases: 17 },
  { name: 'dmarc records', file: 'packages/dmarc/test/records.conformance', group: /records can be used/, cases: 60 },
  { name: 'dmarc records, alignment', file: 'packages/dmarc/test/records.conformance', group: /alignment/, cases: 10 },
  { name: 'dmarc records, reports', file: 'packages/dmarc/test/records.conformance', group: /reports/, cases: 11 },
  { name: 'authres strict', file: 'packages/auth-results/test/conformance', group: /: strict/, cases: 139 },
  { name: 'authres lenient', file: 'packages/auth-results/test/conformance', group: /: lenient/, cases: 34 },
  { name: 'authres, the grammar decides', file: 'packages/auth-results/test/conformance', group: /decides/, cases: 8 },
  { name: 'e2e', file: 'tests/conformance/e2e', group: /./, cases: 26 },
  { name: 'espoofer, receiving', file: 'tests/conformance/espoofer', group: /receiving/, cases: 24 },
  { name: 'espoofer, submitting', file: 'tests/conformance/espoofer', group: /submitting/, cases: 4 },
];

/** Tests about a suite, not of it. */
const bookkeeping = /^(?:has|holds|names|every case|differs|each have)\b/;
/** Tests whose title says that the standard decides otherwise. */
const exception = /against the suite|decides|disputed|any more|but b=/;

const folder = mkdtempSync(path.join(tmpdir(), 'zegel-conformance-'));
const report = path.join(folder, 'report.json');
process.stderr.write('running the suites …\n');
spawnSync(
  path.join(root, 'node_modules/.bin/vitest'),
  ['run', '--reporter=json', `--outputFile.json=${report}`, ...new Set(suites.map((suite) => suite.file))],
  { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
);
const { testResults } = JSON.parse(readFileSync(report, 'utf8'));
rmSync(folder, { recursive: true, force: true });

const tests = testResults.flatMap(({ name, assertionResults }) =>
  assertionResults.map(({ ancestorTitles, title, status }) => ({
    file: path.relative(root, name),
    group: ancestorTitles.join(' > '),
    title,
    met: status === 'passed',
  })),
);

let isBelow = tests.some((test) => !test.met);
const named = [];
console.log('| suite | met | of |\n|---|---|---|');
for (const { name, file, group, cases } of suites) {
  const own = tests.filter(
    (test) => test.file.startsWith(file) && group.test(test.group) && !bookkeeping.test(test.title),
  );
  const met = own.filter((test) => test.met).length;
  if (met < own.length || own.length < cases) isBelow = true;
  console.log(`| ${name} | ${met} | ${Math.max(own.length, cases)} |`);
  named.push(
    ...own.filter((test) => exception.test(`${test.group} ${test.title}`)).map((test) => `${name}: ${test.title}`),
  );
}
console.log(`\nDecided against the suite by the standard, each a test that names the rule: ${named.length}\n`);
for (const line of named) console.log(`- ${line}`);
for (const { file, group, title } of tests.filter((test) => !test.met))
  console.log(`\nNOT MET: ${file}: ${group} > ${title}`);
console.log(isBelow ? '\nbelow the mark' : '\nall marks are reached');
process.exit(isBelow ? 1 : 0);
