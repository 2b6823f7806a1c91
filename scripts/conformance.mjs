// `npm run conformance`: runs the suites of independent test data and prints how much of each is met, then the cases that
// the standard decides against their suite. Exits with 1 when anything is below the mark.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * The rows of the table: the test file, the group and the titles that are the cases of a suite, and how many cases its data
 * has. One test more or less than that is below the mark, so that no case is left out unseen.
 */
const suites = [
  { name: 'spf/rfc7208', file: 'packages/spf/test/conformance', group: /^RFC 7208/, cases: 203 },
  { name: 'spf/rfc7208, explanations', file: 'packages/spf/test/conformance', group: /of the RFC 7208/, cases: 14 },
  { name: 'spf/rfc4408', file: 'packages/spf/test/conformance', group: /^RFC 4408/, cases: 191 },
  { name: 'spf/rfc4408, explanations', file: 'packages/spf/test/conformance', group: /of the RFC 4408/, cases: 14 },
  { name: 'spf/stalwart', file: 'packages/spf/test/conformance', group: /^Stalwart/, cases: 163 },
  { name: 'spf/rspamd', file: 'packages/spf/test/conformance', group: /^Rspamd/, cases: 40 },
  { name: 'dkim, must pass', file: 'packages/dkim/test/conformance', group: /: signatures that hold/, cases: 33 },
  { name: 'dkim, must not pass', file: 'packages/dkim/test/conformance', group: /that do not hold/, cases: 98 },
  { name: 'dkim, partial l= is policy', file: 'packages/dkim/test/conformance', group: /part of the body/, cases: 3 },
  { name: 'dkim, either answer is fine', file: 'packages/dkim/test/conformance', group: /local policy/, cases: 3 },
  {
    name: 'dkim, canonicalization of old signatures (cases of "must not pass")',
    file: 'packages/dkim/test/conformance',
    group: /too old to accept/,
    cases: 21,
  },
  { name: 'arc validation', file: 'packages/arc/test/conformance', group: /chain validation/, cases: 119 },
  { name: 'arc sealing', file: 'packages/arc/test/conformance', group: /sealing/, cases: 18 },
  {
    name: 'arc sealing, held by dkimpy and Mail::DKIM (all but cv=fail and what must not be sealed)',
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
  { name: 'dmarc records, author domain', file: 'tests/conformance/author-domain', group: /./, cases: 19 },
  {
    name: 'authres strict accept',
    file: 'packages/auth-results/test/conformance',
    group: /: strict, accept/,
    cases: 63,
    others: 'Mail::AuthenticationResults 62/62',
  },
  {
    name: 'authres strict reject',
    file: 'packages/auth-results/test/conformance',
    group: /: strict, reject/,
    cases: 84,
    others: 'Mail::AuthenticationResults 38/75',
  },
  {
    name: 'authres lenient',
    file: 'packages/auth-results/test/conformance',
    group: /: lenient/,
    cases: 34,
    others: 'Mail::AuthenticationResults 24/33',
  },
  { name: 'e2e, cases that assert words (26 of 34)', file: 'tests/conformance/e2e', group: /./, cases: 26 },
  { name: 'espoofer, receiving', file: 'tests/conformance/espoofer', group: /receiving/, cases: 14 },
  { name: 'espoofer, submitting', file: 'tests/conformance/espoofer', group: /submitting/, cases: 2 },
];

/** Tests about a suite, not of it. */
const bookkeeping = /^(?:has|holds|names|every case|differs|each have|comes to the same)\b/;
/** Tests in whose title the standard decides otherwise than the suite. */
const exception = /against the suite/;

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
console.log('| suite | reached | of these, against the suite by the standard | others reach |\n|---|---|---|---|');
for (const { name, file, group, title = /./, cases, others = '' } of suites) {
  const own = tests.filter(
    (test) =>
      test.file.startsWith(file) && group.test(test.group) && title.test(test.title) && !bookkeeping.test(test.title),
  );
  const met = own.filter((test) => test.met).length;
  const decided = own.filter((test) => exception.test(test.title));
  if (met < own.length || own.length !== cases) isBelow = true;
  if (own.length !== cases) named.push(`${name}: ${own.length} tests stand for ${cases} cases`);
  console.log(`| ${name} | ${met}/${cases} | ${decided.length || ''} | ${others} |`);
  named.push(...decided.map((test) => `${name}: ${test.title}`));
}
console.log(`\nDecided against the suite by the standard, each a test that names the rule: ${named.length}\n`);
for (const line of named) console.log(`- ${line}`);
for (const { file, group, title } of tests.filter((test) => !test.met))
  console.log(`\nNOT MET: ${file}: ${group} > ${title}`);
console.log(isBelow ? '\nbelow the mark' : '\nall marks are reached');
process.exit(isBelow ? 1 : 0);
