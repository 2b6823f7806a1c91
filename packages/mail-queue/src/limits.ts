/** Messages that may wait before `submit` refuses more, unless told otherwise. */
export const MAX_WAITING = 10_000;

/** Milliseconds for which the number of waiting jobs is believed before it is asked again. */
export const WAITING_COUNT_AGE = 250;

/** Bytes of the session, as JSON. */
export const MAX_SESSION_BYTES = 64 * 1024;

/** Milliseconds a producer waits for the queue before it counts as lost. */
export const QUEUE_TIMEOUT = 3_000;

/** Milliseconds between attempts to reach Redis again, at most. */
export const MAX_RECONNECT_DELAY = 2_000;

/** How often a worker tries a message, unless told otherwise: with the back-off below, for about a quarter of an hour. */
export const ATTEMPTS = 10;

/** Milliseconds before the second attempt, doubled for each one after it. */
export const BACKOFF = 2_000;

/** Milliseconds between two attempts, at most. */
export const MAX_BACKOFF = 10 * 60_000;

/** How often a message may be taken from a worker that died or hung. */
export const MAX_STALLED_COUNT = 3;

/** Milliseconds a worker's claim on a job holds without being renewed. */
export const LOCK_DURATION = 30_000;

/** Milliseconds between looks for jobs whose claim has run out. */
export const STALLED_INTERVAL = 15_000;

/** Milliseconds `close()` of a worker waits for the messages in work before it lets go of them. */
export const CLOSE_TIMEOUT = 25_000;

/** Milliseconds it then waits for them to notice. */
export const LET_GO_TIMEOUT = 2_000;

/** Milliseconds between two reconciliations and sweeps of a worker. */
export const RECONCILE_INTERVAL = 60_000;

/** Milliseconds that a message is kept after it is done. */
export const RETENTION = 7 * 24 * 60 * 60_000;

/** Milliseconds after which bytes that belong to no message are litter, and how often a worker looks for some. */
export const LITTER_AGE = 24 * 60 * 60_000;

/** Rows handled together by reconciliation and sweep. */
export const BATCH = 100;

/** Characters of an error's text that are kept with a message. */
export const MAX_ERROR_TEXT = 1_000;

/** Events BullMQ keeps in its stream. */
export const MAX_EVENTS = 1_000;

/** Bytes of one value in Redis. */
export const REDIS_CHUNK_BYTES = 512 * 1024;

/** Seconds that an unfinished message lives in Redis. */
export const REDIS_UNFINISHED_TTL = 3_600;

/** Milliseconds after which an unfinished file counts as abandoned. */
export const UNFINISHED_FILE_AGE = 60 * 60_000;
