export type { InboundMessage, InboundOutcome, ProcessMessage } from './attempt.ts';
export {
  InvalidReferenceError,
  InvalidSessionError,
  MessageMissingError,
  MessageStoreFullError,
  MessageStoreUnavailableError,
  QueueFullError,
  QueueUnavailableError,
} from './errors.ts';
export { FileMessageStore } from './file-message-store.ts';
export { openInboundQueue } from './inbound-queue.ts';
export type {
  InboundCounts,
  InboundGround,
  InboundQueue,
  InboundQueueOptions,
  Reconciliation,
} from './inbound-queue.ts';
export type { InboundPosition, InboundRecord, InboundSummary } from './inbound-record.ts';
export { QUEUE_NAME, QUEUE_PREFIX } from './job-queue.ts';
export { startInboundWorker } from './inbound-worker.ts';
export type { FailedAttempt, InboundWorker, InboundWorkerOptions } from './inbound-worker.ts';
export type { MessageBytes, MessageStore } from './message-store.ts';
export { RedisMessageStore } from './redis-message-store.ts';
export type { RedisMessageStoreOptions } from './redis-message-store.ts';
