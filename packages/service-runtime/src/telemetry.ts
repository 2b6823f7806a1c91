import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { createInstruments } from './instruments.ts';
import type { Instruments } from './instruments.ts';
import { mergeMetrics } from './merge-metrics.ts';
import type { MetricsText } from './merge-metrics.ts';
import { measureProcess } from './process-instruments.ts';
import { PullReader } from './pull-reader.ts';

/** The measurements of one service. A value that is passed on: no global meter is ever registered. */
export interface Telemetry extends AsyncDisposable {
  readonly instruments: Instruments;
  /**
   * All metrics in the Prometheus text format. A reading that fails or takes longer than two seconds (a queue whose
   * store is gone) is left out, told to `onError`, and the others stand.
   */
  render(): Promise<string>;
  /** Adds the metrics of further processes of the service to what is rendered; see `mergeMetrics`. Dispose to stop. */
  addProcesses(read: () => Promise<readonly MetricsText[]>): Disposable;
}

/** What telemetry is made from. */
export interface TelemetryOptions {
  /** Name of the service, the label of `zegel_service_info`. */
  readonly service: string;
  readonly version?: string;
  /** Hears of readings that failed. */
  readonly onError?: (error: unknown) => void;
}

/** Milliseconds that reading all observed values may take. */
const COLLECT_TIMEOUT_MS = 2_000;

/** Starts measuring a service. Dispose to stop. */
export function createTelemetry({ service, version = 'unknown', onError }: TelemetryOptions): Telemetry {
  const reader = new PullReader();
  const serializer = new PrometheusSerializer(undefined, false, undefined, true, true);
  const provider = new MeterProvider({
    resource: resourceFromAttributes({ 'service.name': service, 'service.version': version }),
    readers: [reader],
  });
  const meter = provider.getMeter('zegel');
  meter
    .createObservableGauge('zegel_service_info', { description: 'Which service this is; always 1' })
    .addCallback((result) => result.observe(1, { service, version, node: process.version }));
  const processMeasures = measureProcess(meter);
  const others = new Set<() => Promise<readonly MetricsText[]>>();

  return {
    instruments: createInstruments(meter),
    async render() {
      const { resourceMetrics, errors } = await reader.collect({ timeoutMillis: COLLECT_TIMEOUT_MS });
      for (const error of errors) onError?.(error);
      // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- it is the SDK's own value, seen through a re-export
      const own = serializer.serialize(resourceMetrics);
      if (others.size === 0) return own;
      const read = await Promise.allSettled([...others].map((other) => other()));
      const texts = read.flatMap((result) => {
        if (result.status === 'fulfilled') return result.value;
        onError?.(result.reason);
        return [];
      });
      return mergeMetrics([{ process: null, text: own }, ...texts]);
    },
    addProcesses(read) {
      others.add(read);
      return { [Symbol.dispose]: () => others.delete(read) };
    },
    async [Symbol.asyncDispose]() {
      processMeasures[Symbol.dispose]();
      await provider.shutdown();
    },
  };
}
