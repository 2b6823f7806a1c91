import type { Attributes, Meter } from '@opentelemetry/api';

/** Authentication methods, by the names RFC 8601 §2.7 gives them. */
export type AuthenticationMethod = 'dkim' | 'spf' | 'dmarc' | 'arc' | 'iprev' | 'auth' | 'bimi';

/** What a DNS resolver has counted since it was made. */
export interface DnsCounts {
  /** Queries sent to servers. */
  readonly queries: number;
  /** Look-ups answered from the cache. */
  readonly cacheHits: number;
  /** Look-ups that ended in a temporary failure. */
  readonly failures: number;
}

/** One answered HTTP request. */
export interface HttpRequestMeasure {
  readonly method: string;
  /** The route's pattern (`/v1/inbound/{id}`), never the path asked for: each distinct value is a time series. */
  readonly route: string;
  readonly status: number;
  readonly seconds: number;
}

/** One message that came to its end over the milter protocol. */
export interface MilterMessageMeasure {
  readonly direction: 'outbound' | 'inbound';
  /** `signed`, `unsigned`, `accepted`, `quarantined`, `rejected` or `deferred`. */
  readonly outcome: string;
  /** From the end of the message to its answer. */
  readonly seconds: number;
}

/** The connections of MTAs at this moment. */
export interface MilterConnectionCounts {
  readonly open: number;
  /** Taken in and not served yet: all places are taken. */
  readonly waiting: number;
}

/** Everything that is measured in a Zegel service; process metrics are measured without being asked. */
export interface Instruments {
  /** A message we were asked to sign. `code` says why it was refused, or how it was signed. */
  countSigning(outcome: { readonly result: 'signed' | 'refused'; readonly code: string }): void;
  /** One result of one method on one message (`dkim`, `pass`). */
  countVerification(outcome: { readonly method: AuthenticationMethod; readonly result: string }): void;
  /** An inbound message came into this state (`queued`, `done`, `parked`). */
  countInbound(outcome: { readonly state: string }): void;
  recordHttpRequest(request: HttpRequestMeasure): void;
  countMilterMessage(message: MilterMessageMeasure): void;
  /** An outbound message that was not signed: why, as the configuration groups it, and what became of it. */
  countRefusal(refusal: { readonly group: string; readonly action: string }): void;
  /** An outbound message went on without a signature, by the code of the reason. */
  countUnsigned(unsigned: { readonly reason: string }): void;
  /** A connection of an MTA was closed because of what came over it. */
  countProtocolError(error: { readonly code: string }): void;
  /** Reads the connections of MTAs whenever metrics are asked for. Dispose to stop. */
  observeMilterConnections(read: () => MilterConnectionCounts): Disposable;
  /** Reads how often processes of the service were started anew whenever metrics are asked for. Dispose to stop. */
  observeRestarts(read: () => number): Disposable;
  /** Reads the number of jobs by state whenever metrics are asked for. Dispose to stop. */
  observeQueue(read: () => Promise<Readonly<Record<string, number>>>): Disposable;
  /** Reads how many bytes of messages are held in memory whenever metrics are asked for. Dispose to stop. */
  observeMessageBytes(read: () => number): Disposable;
  /** Reads a resolver's counts whenever metrics are asked for. Dispose to stop. */
  observeDns(read: () => DnsCounts): Disposable;
}

/** Upper bounds in seconds: a signature takes a millisecond, a message full of slow DNS twenty seconds. */
const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30];

/**
 * A counter by labels, to be called with a value for each. It counts by itself and is read when metrics are asked for: the
 * counters of OpenTelemetry sort and write out the labels at each count, which shows where a message counts six times.
 */
function tally<const Labels extends readonly string[]>(
  meter: Meter,
  name: string,
  labels: Labels,
  description: string,
): (...values: { readonly [Index in keyof Labels]: string | number }) => void {
  const counts = new Map<string, { readonly attributes: Attributes; count: number }>();
  meter.createObservableCounter(name, { description }).addCallback((result) => {
    for (const { attributes, count } of counts.values()) result.observe(count, attributes);
  });
  return (...values) => {
    const key = values.join('\0');
    const known = counts.get(key);
    if (known !== undefined) known.count++;
    else counts.set(key, { attributes: Object.fromEntries(labels.map((label, at) => [label, values[at]])), count: 1 });
  };
}

/** Makes the named instruments. The names are the ones dashboards rely on. */
export function createInstruments(meter: Meter): Instruments {
  const signing = tally(
    meter,
    'zegel_signing_messages_total',
    ['result', 'code'],
    'Messages handed in for signing, by result and code',
  );
  const verification = tally(
    meter,
    'zegel_authentication_results_total',
    ['method', 'result'],
    'Results of message authentication, by method and result',
  );
  const inbound = tally(meter, 'zegel_inbound_messages_total', ['state'], 'Inbound messages that came into a state');
  const requests = tally(
    meter,
    'zegel_http_requests_total',
    ['method', 'route', 'status'],
    'HTTP requests answered, by method, route and status',
  );
  const durations = meter.createHistogram('zegel_http_request_duration_seconds', {
    description: 'Time from the request to the end of its answer',
    unit: 's',
    advice: { explicitBucketBoundaries: DURATION_BUCKETS },
  });
  const milterMessages = tally(
    meter,
    'zegel_milter_messages_total',
    ['direction', 'outcome'],
    'Messages answered over the milter protocol, by direction and outcome',
  );
  const milterDurations = meter.createHistogram('zegel_milter_message_duration_seconds', {
    description: 'Time from the end of a message to its answer over the milter protocol',
    unit: 's',
    advice: { explicitBucketBoundaries: DURATION_BUCKETS },
  });
  const refusals = tally(
    meter,
    'zegel_milter_refusals_total',
    ['group', 'action'],
    'Outbound messages that were not signed, by the group of the reason and what became of them',
  );
  const unsigned = tally(
    meter,
    'zegel_milter_unsigned_total',
    ['reason'],
    'Outbound messages that went on without a signature, by reason',
  );
  const protocolErrors = tally(
    meter,
    'zegel_milter_protocol_errors_total',
    ['code'],
    'Connections of MTAs closed because of what came over them, by code',
  );
  const milterConnections = meter.createObservableGauge('zegel_milter_connections', {
    description: 'Connections of MTAs: open ones are served, waiting ones until a place is free',
  });
  const restarts = meter.createObservableCounter('zegel_process_restarts_total', {
    description: 'Processes of the service that ended and were started anew',
  });
  const queue = meter.createObservableGauge('zegel_queue_jobs', { description: 'Jobs in the queue, by state' });
  const messageBytes = meter.createObservableGauge('zegel_http_message_bytes', {
    description: 'Bytes of messages that requests in work hold in memory; see ZEGEL_MAX_INFLIGHT_BYTES',
    unit: 'By',
  });
  const dnsQueries = meter.createObservableCounter('zegel_dns_queries_total', {
    description: 'DNS queries sent to servers',
  });
  const dnsCacheHits = meter.createObservableCounter('zegel_dns_cache_hits_total', {
    description: 'DNS look-ups answered from the cache',
  });
  const dnsFailures = meter.createObservableCounter('zegel_dns_failures_total', {
    description: 'DNS look-ups that ended in a temporary failure',
  });

  return {
    countSigning: ({ result, code }) => signing(result, code),
    countVerification: ({ method, result }) => verification(method, result),
    countInbound: ({ state }) => inbound(state),
    recordHttpRequest({ method, route, status, seconds }) {
      requests(method, route, status);
      durations.record(seconds, { method, route });
    },
    countMilterMessage({ direction, outcome, seconds }) {
      milterMessages(direction, outcome);
      milterDurations.record(seconds, { direction });
    },
    countRefusal: ({ group, action }) => refusals(group, action),
    countUnsigned: ({ reason }) => unsigned(reason),
    countProtocolError: ({ code }) => protocolErrors(code),
    observeMilterConnections(read) {
      const observe: Parameters<typeof milterConnections.addCallback>[0] = (result) => {
        const { open, waiting } = read();
        result.observe(open, { state: 'open' });
        result.observe(waiting, { state: 'waiting' });
      };
      milterConnections.addCallback(observe);
      return { [Symbol.dispose]: () => milterConnections.removeCallback(observe) };
    },
    observeRestarts(read) {
      const observe: Parameters<typeof restarts.addCallback>[0] = (result) => result.observe(read());
      restarts.addCallback(observe);
      return { [Symbol.dispose]: () => restarts.removeCallback(observe) };
    },
    observeQueue(read) {
      const observe: Parameters<typeof queue.addCallback>[0] = async (result) => {
        for (const [state, jobs] of Object.entries(await read())) result.observe(jobs, { state });
      };
      queue.addCallback(observe);
      return { [Symbol.dispose]: () => queue.removeCallback(observe) };
    },
    observeMessageBytes(read) {
      const observe: Parameters<typeof messageBytes.addCallback>[0] = (result) => result.observe(read());
      messageBytes.addCallback(observe);
      return { [Symbol.dispose]: () => messageBytes.removeCallback(observe) };
    },
    observeDns(read) {
      const observed = [dnsQueries, dnsCacheHits, dnsFailures];
      const observe: Parameters<Meter['addBatchObservableCallback']>[0] = (result) => {
        const counts = read();
        result.observe(dnsQueries, counts.queries);
        result.observe(dnsCacheHits, counts.cacheHits);
        result.observe(dnsFailures, counts.failures);
      };
      meter.addBatchObservableCallback(observe, observed);
      return { [Symbol.dispose]: () => meter.removeBatchObservableCallback(observe, observed) };
    },
  };
}
