import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Meter } from '@opentelemetry/api';

/** How often the event loop's delay is sampled, in milliseconds; also what an idle loop measures. */
const RESOLUTION_MS = 20;

/**
 * Measures the process: memory, CPU, uptime and how late the event loop runs. Dispose to stop measuring.
 *
 * The event loop's lag covers the time since metrics were last read, so that a peak is seen once and then gone.
 */
export function measureProcess(meter: Meter): Disposable {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();

  meter
    .createObservableGauge('process_resident_memory_bytes', { description: 'Resident memory', unit: 'By' })
    .addCallback((result) => result.observe(process.memoryUsage.rss()));
  const heap = meter.createObservableGauge('process_heap_bytes', { description: 'JavaScript heap', unit: 'By' });
  heap.addCallback((result) => {
    const { heapUsed, heapTotal, external } = process.memoryUsage();
    result.observe(heapUsed, { kind: 'used' });
    result.observe(heapTotal, { kind: 'total' });
    result.observe(external, { kind: 'external' });
  });
  meter
    .createObservableCounter('process_cpu_seconds_total', { description: 'CPU time spent', unit: 's' })
    .addCallback((result) => {
      const { user, system } = process.cpuUsage();
      result.observe((user + system) / 1e6);
    });
  meter
    .createObservableGauge('process_uptime_seconds', { description: 'Time since the process began', unit: 's' })
    .addCallback((result) => result.observe(process.uptime()));
  meter
    .createObservableGauge('process_event_loop_lag_seconds', {
      description: 'How late the event loop ran since metrics were last read',
      unit: 's',
    })
    .addCallback((result) => {
      result.observe(lagSeconds(delay.percentile(50)), { quantile: '0.5' });
      result.observe(lagSeconds(delay.percentile(99)), { quantile: '0.99' });
      result.observe(lagSeconds(delay.max), { quantile: '1' });
      delay.reset();
    });

  return { [Symbol.dispose]: () => delay.disable() };
}

function lagSeconds(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1e3);
}
