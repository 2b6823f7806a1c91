import { AggregationTemporality, InstrumentType, MetricReader } from '@opentelemetry/sdk-metrics';

/**
 * Reads metrics when they are asked for. Unlike the reader of the Prometheus exporter it reports of an observed gauge
 * only what was just observed: a queue state that is gone, or a store that cannot be asked, must not go on showing its
 * last value. (A class because the SDK wants its base class extended.)
 */
export class PullReader extends MetricReader {
  constructor() {
    super({
      aggregationTemporalitySelector: (type) =>
        type === InstrumentType.OBSERVABLE_GAUGE ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE,
    });
  }

  protected override async onForceFlush(): Promise<void> {}

  protected override async onShutdown(): Promise<void> {}
}
