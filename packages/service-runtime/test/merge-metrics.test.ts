import { describe, expect, it } from 'vitest';
import { createTelemetry, mergeMetrics } from '../src/index.ts';

const first = `# HELP requests_total Requests
# TYPE requests_total counter
requests_total{code="200"} 3
requests_total{code="500"} 1
# HELP process_uptime_seconds Uptime
# TYPE process_uptime_seconds gauge
process_uptime_seconds 7
# HELP seconds Time
# TYPE seconds histogram
seconds_count 2
seconds_sum 0.5
seconds_bucket{le="1"} 2
seconds_bucket{le="+Inf"} 2
`;

describe('metrics of several processes', () => {
  it('are summed, and told apart where a sum says nothing', () => {
    const second = first.replace('} 3', '} 4').replace('process_uptime_seconds 7', 'process_uptime_seconds 9');
    const merged = mergeMetrics([
      { process: null, text: first },
      { process: '1', text: second },
    ]);
    expect(merged).toBe(`# HELP requests_total Requests
# TYPE requests_total counter
requests_total{code="200"} 7
requests_total{code="500"} 2
# HELP process_uptime_seconds Uptime
# TYPE process_uptime_seconds gauge
process_uptime_seconds 7
process_uptime_seconds{process="1"} 9
# HELP seconds Time
# TYPE seconds histogram
seconds_count 4
seconds_sum 1
seconds_bucket{le="1"} 4
seconds_bucket{le="+Inf"} 4
`);
  });

  it('of one process are what it says', () => {
    expect(mergeMetrics([{ process: null, text: first }])).toBe(first);
    expect(mergeMetrics([])).toBe('');
  });

  it('are rendered with those of the service', async () => {
    await using telemetry = createTelemetry({ service: 'test' });
    telemetry.instruments.countUnsigned({ reason: 'x' });
    using others = telemetry.addProcesses(async () => [
      { process: '1', text: '# TYPE zegel_milter_unsigned_total counter\nzegel_milter_unsigned_total{reason="x"} 2\n' },
    ]);
    expect(others).toBeDefined();
    expect(await telemetry.render()).toContain('zegel_milter_unsigned_total{reason="x"} 3\n');
  });
});
