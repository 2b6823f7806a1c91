/** Limits of the HTTP listener. Message sizes are configured: see ZEGEL_MAX_MESSAGE_BYTES and ZEGEL_MAX_INFLIGHT_BYTES. */
export interface HttpLimits {
  /** Bytes of request line and header fields; above it 431. */
  readonly maxHeaderSize: number;
  /** Milliseconds for the header of a request to arrive; after it 408. */
  readonly headersTimeout: number;
  /** Milliseconds for a whole request to arrive, and for the rest of a body that is not wanted; after it 408. */
  readonly requestTimeout: number;
  /** Milliseconds an answer may wait for its client to read on; after it the connection is cut. */
  readonly answerTimeout: number;
  /** Milliseconds between looks for requests and readers that are too slow: these three limits are as exact as that. */
  readonly connectionsCheckingInterval: number;
  /** Milliseconds an idle connection is kept. */
  readonly keepAliveTimeout: number;
  readonly maxConnections: number;
}

export const httpLimits: HttpLimits = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 120_000,
  answerTimeout: 60_000,
  connectionsCheckingInterval: 5_000,
  keepAliveTimeout: 65_000,
  maxConnections: 10_000,
};

/** Limits of the hooks of mail servers. */
export const hookLimits = {
  /** Header fields in a list: above it the request is not what a mail server sends. */
  maxListedFields: 100_000,
  /** Bytes of JSON for each byte of message, escapes counted in, and what else may stand around it. */
  jsonFactor: 2,
  jsonMargin: 1024 * 1024,
} as const;

/** Bytes of a JSON body: a list of a thousand domains fits. */
export const maxJsonBytes = 512 * 1024;

/** How much of ZEGEL_MAX_INFLIGHT_BYTES one token may have in work, so that others find room. One message always may. */
export const tokenShare = 0.5;

/** Seconds after which a client is told to try again. */
export const retryAfter = { unavailable: 5, full: 30, notDone: 1 } as const;

/** How much of the grace time at shutdown requests in work may take; the rest is for what they stand on. */
export const closeShare = 0.8;
