/** The metrics of one process in the Prometheus text format, and what it is called. */
export interface MetricsText {
  /** Label `process` of what cannot be summed; null for the process that is asked. */
  readonly process: string | null;
  readonly text: string;
}

/** What tells about a process and not about work done: each process keeps its own series. */
const ofProcess = /^(?:process_|zegel_service_info)/;
const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;

/**
 * The metrics of several processes as those of one service. Values of the same series are summed: counters, buckets, and
 * gauges that count things. What tells about a process (`process_…`, `zegel_service_info`) gets a label `process` instead.
 */
export function mergeMetrics(texts: readonly MetricsText[]): string {
  const families = new Map<string, { readonly comments: string[]; readonly series: Map<string, number> }>();
  for (const { process, text } of texts) {
    let family: string | undefined;
    for (const line of text.split('\n')) {
      const comment = /^# (?:HELP|TYPE|UNIT) (\S+)/.exec(line)?.[1];
      if (comment !== undefined) {
        family = comment;
        const known = families.get(family);
        if (known === undefined) families.set(family, { comments: [line], series: new Map() });
        else if (known.series.size === 0 && !known.comments.includes(line)) known.comments.push(line);
        continue;
      }
      const [, name, labels = '', value] = sample.exec(line) ?? [];
      if (name === undefined) continue;
      const holder = families.get(family ?? name) ?? { comments: [], series: new Map<string, number>() };
      families.set(family ?? name, holder);
      const own = process !== null && ofProcess.test(name) ? `process="${process}"` : '';
      const key = series(name, [labels, own]);
      holder.series.set(key, (holder.series.get(key) ?? 0) + Number(value));
    }
  }
  const lines: string[] = [];
  for (const { comments, series } of families.values()) {
    lines.push(...comments, ...[...series].map(([key, value]) => `${key} ${formatted(value)}`));
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function series(name: string, labels: readonly string[]): string {
  const given = labels.filter((label) => label !== '');
  return given.length === 0 ? name : `${name}{${given.join(',')}}`;
}

function formatted(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}
