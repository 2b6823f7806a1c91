export * from './configuration.ts';
export { countReport } from './count-report.ts';
export type { CountedReport } from './count-report.ts';
export { renderConfigTable } from './config-table.ts';
export { untilAllIsRead } from './event-loop-turn.ts';
export { exitStatus, startFailureStatus } from './exit-status.ts';
export { openHealthListener } from './health-listener.ts';
export type { HealthListener, HealthListenerOptions } from './health-listener.ts';
export type {
  AuthenticationMethod,
  DnsCounts,
  HttpRequestMeasure,
  Instruments,
  MilterConnectionCounts,
  MilterMessageMeasure,
} from './instruments.ts';
export { ListenError, listenOn } from './listen.ts';
export { mergeMetrics } from './merge-metrics.ts';
export type { MetricsText } from './merge-metrics.ts';
export { formatAddress, parseAddress } from './listen-address.ts';
export type { HostPort } from './listen-address.ts';
export { createLogger } from './logger.ts';
export type { Logger, LoggerOptions } from './logger.ts';
export { Readiness } from './readiness.ts';
export type { ReadinessCheck, ReadinessOptions, ReadinessReport } from './readiness.ts';
export { requestId } from './request-id.ts';
export { ResourceStack, ResourceStackClosedError } from './resource-stack.ts';
export type { CloseFailure } from './resource-stack.ts';
export { runService } from './run-service.ts';
export type { RunServiceOptions, ServiceContext } from './run-service.ts';
export { createTelemetry } from './telemetry.ts';
export type { Telemetry, TelemetryOptions } from './telemetry.ts';
export { packageVersion } from './package-version.ts';
