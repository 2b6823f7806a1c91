import type { Growth } from './growth.ts';
import { residentSpread } from './memory.ts';
import type { MemoryReport } from './memory.ts';
import { timesRate } from './race.ts';
import type { RestMode, RestReport } from './rest.ts';
import type { RaceResult, Results } from './results.ts';
import type { StartUpReport } from './start-up.ts';

/** The results as markdown: a table for each race, and one for each other thing that was measured. */
export function toMarkdown(results: Results): string {
  const { calibrationBefore: before, calibrationAfter: after } = results;
  const parts = [
    `${results.machine}. ${results.date}, commit ${results.commit}.`,
    [
      `Load averages ${results.loadBefore.join(', ')} before and ${results.loadAfter.join(', ')} after.`,
      `Calibration before and after, per second of processor time: SHA-256 ${before.sha256} and ${after.sha256} MB,`,
      `RSA-2048 ${before.rsaSign} and ${after.rsaSign} signatures, ${before.rsaVerify} and ${after.rsaVerify} verifications.`,
    ].join(' '),
    `Contestants: ${Object.entries(results.contestants)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
    ...results.missing.map((why) => `Missing: ${why}`),
    ...results.races.map(raceTable),
    ...(results.growth.length === 0 ? [] : [growthTable(results.growth)]),
    ...(results.memory === undefined ? [] : [memoryTable(results.memory)]),
    ...(results.startUp === undefined ? [] : [startUpTable(results.startUp)]),
    ...(results.rest === undefined ? [] : [restTable(results.rest), restWaitTable(results.rest)]),
  ];
  return `${parts.join('\n\n')}\n`;
}

function raceTable({ title, rates, targets }: RaceResult): string {
  const reference = rates[0];
  const rows = rates.map(({ name, rate, samples, quiet }) => {
    const share = timesRate(samples, reference?.samples ?? samples);
    const target = targets[name];
    return [
      name,
      rate < 100 ? rate.toFixed(1) : rate.toFixed(0),
      `${(1e6 / rate).toFixed(1)} µs`,
      times(share),
      times(quiet / (reference?.quiet ?? quiet)),
      target === undefined ? '' : `${target} ${share >= target ? '✓' : '✗'}`,
    ];
  });
  const columns = ['', 'Per CPU second', 'CPU time', `Times ${reference?.name ?? ''}`, 'In quiet moments', 'Target'];
  return section(title, columns, rows);
}

function times(share: number): string {
  return share < 10 ? share.toFixed(2) : share.toFixed(1);
}

function growthTable(growth: readonly Growth[]): string {
  const sizes = growth[0]?.points.map(({ bytes }) => bytes) ?? [];
  const rows = growth.map(({ operation, kind, points }) => [
    `${operation} ${kind}`,
    ...points.map(({ milliseconds }) => `${shortNumber(milliseconds)} ms`),
  ]);
  return section('Growth: CPU time of one message', ['', ...sizes.map(shortBytes)], rows);
}

function memoryTable({ megabytes, signAdds, verifyAdds, verifications, resident }: MemoryReport): string {
  const last = resident.at(-1) ?? 0;
  return section(
    'Memory',
    ['', 'Measured', 'Target'],
    [
      [`Signing a stream of ${megabytes} MB adds`, shortBytes(signAdds), '< 16 MB'],
      [`Authenticating a stream of ${megabytes} MB adds`, shortBytes(verifyAdds), '< 16 MB'],
      [
        `Resident memory over ${verifications.toLocaleString('en')} verifications`,
        `${shortBytes(last)} ± ${(residentSpread(resident) * 100).toFixed(1)} %`,
        '± 5 %',
      ],
    ],
  );
}

function startUpTable({ nothing, sign }: StartUpReport): string {
  return section(
    'Start: time by the clock',
    ['', 'Measured', 'Target'],
    [
      ['node -e 0', `${nothing.toFixed(0)} ms`, ''],
      ['zegel sign, 10 kB', `${sign.toFixed(0)} ms`, ''],
      ['The difference', `${(sign - nothing).toFixed(0)} ms`, '< 200 ms'],
    ],
  );
}

const modeNames: Readonly<Record<RestMode, string>> = {
  express: 'bare Express, one RSA signature',
  'zegel-sync': 'zegel, RSA at once in each request',
  'zegel-inline': 'zegel, RSA in batches between requests',
  zegel: 'zegel, RSA in the thread pool',
  mailauth: 'bare Express, mailauth',
};
const restTargets: Readonly<Partial<Record<RestMode, number>>> = {
  'zegel-sync': 0.55,
  'zegel-inline': 0.55,
  zegel: 0.5,
};

function restTable({ connections, rsaRate, rows }: RestReport): string {
  return section(
    `REST: sign 10 kB over HTTP, ${connections} connections; RSA alone makes ${rsaRate.toFixed(0)} signatures per CPU second`,
    ['', 'Per CPU second of the server', 'Of RSA alone', 'Target', 'Requests per second', 'Beside synchronous'],
    rows.map(({ mode, rate, fraction, throughput, timesSync }) => {
      const target = restTargets[mode];
      return [
        modeNames[mode],
        rate.toFixed(0),
        fraction.toFixed(2),
        target === undefined ? '' : `${target} ${fraction >= target ? '✓' : '✗'}`,
        throughput.toFixed(0),
        mode === 'zegel' ? `${timesSync.toFixed(2)}, 1.5 ${timesSync >= 1.5 ? '✓' : '✗'}` : timesSync.toFixed(2),
      ];
    }),
  );
}

function restWaitTable({ connections, waits }: RestReport): string {
  return section(
    `REST: what an answer takes, ${connections} connections, one server by itself`,
    ['', 'Requests per second', 'Median', '99 %', 'Median in quiet moments', '99 % in quiet moments', 'Target'],
    waits.map(({ mode, throughput, p50, p99, quietP50, quietP99 }) => [
      modeNames[mode],
      throughput.toFixed(0),
      ...[p50, p99, quietP50, quietP99].map((time) => `${time.toFixed(1)} ms`),
      mode === 'zegel' ? `40 ms ${quietP99 < 40 ? '✓' : '✗'}` : '',
    ]),
  );
}

function section(title: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = head.map((_, at) => (at === 0 ? '---' : '---:'));
  return [`### ${title}`, '', tableLine(head), tableLine(rule), ...rows.map(tableLine)].join('\n');
}

function shortBytes(bytes: number): string {
  if (bytes >= 1e6) return `${Number((bytes / 1e6).toPrecision(3))} MB`;
  return bytes >= 1e3 ? `${Number((bytes / 1e3).toPrecision(3))} kB` : `${bytes} B`;
}

function shortNumber(value: number): string {
  return String(Number(value.toPrecision(2)));
}

function tableLine(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
