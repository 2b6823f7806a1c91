/** Limits of the HTTP listener. Message sizes are configured: see ZEGEL_MAX_MESSAGE_BYTES and ZEGEL_MAX_INFLIGHT_BYTES. */
export const httpLimits = {
  /** Bytes of request line and header fields. */
  maxHeaderSize: 16 * 1024,
  /** Milliseconds for the header of a request to arrive. */
  headersTimeout: 10_000,
  /** Milliseconds for a whole request to arrive. */
  requestTimeout: 120_000,
  /** Milliseconds an idle connection is kept. */
  keepAliveTimeout: 65_000,
  maxConnections: 10_000,
  /** Bytes of a JSON body. */
  maxJsonBytes: 64 * 1024,
} as const;

/** Seconds after which a client is told to try again. */
export const retryAfter = { unavailable: 5, full: 30, notDone: 1 } as const;
