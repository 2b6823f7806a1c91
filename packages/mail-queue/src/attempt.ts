import { codeOf, isLostInfrastructure } from './errors.ts';
import { resultId } from './inbound-record.ts';
import type { Claim, InboundRecords } from './inbound-record.ts';
import type { MessageStore } from './message-store.ts';

/** A message in a worker's hands. */
export interface InboundMessage {
  readonly id: string;
  /** What `submit` was given with it, as JSON brought it back. */
  readonly session: unknown;
  /** The bytes as they came; may be opened more than once. */
  open(): AsyncIterable<Uint8Array>;
  /** Aborted when the worker no longer holds the message: another one has it, or the process is about to end. */
  readonly signal: AbortSignal;
}

/** What a worker made of a message. */
export interface InboundOutcome {
  /** Any JSON; kept with the message. */
  readonly report: unknown;
  /** The edited message, null when nothing was edited. Read once, while it is stored. */
  readonly result: AsyncIterable<Uint8Array> | null;
  /** Called when report and edited message are kept and the message is `done`: this is the attempt that counts. */
  readonly onDone?: () => void;
}

/** Looks at one message. It rejects for lost infrastructure only, and is then called again later. */
export type ProcessMessage = (message: InboundMessage) => Promise<InboundOutcome>;

/** An attempt that failed. It carries a code and nothing else, since BullMQ keeps the text of errors with the job. */
export class AttemptFailedError extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.name = 'AttemptFailedError';
    this.code = code;
  }
}

export interface AttemptOptions {
  readonly records: InboundRecords;
  readonly store: MessageStore;
  readonly process: ProcessMessage;
  /** Attempts that may fail before the message is parked. */
  readonly attempts: number;
  /** Attempts that may end with the death of the worker, beyond those. */
  readonly maxStalledCount: number;
}

/**
 * One attempt at a message: claim it, look at it, keep the edited message, then report and state in one update. Any number of
 * attempts, one after the other or at once, end in one outcome with one edited message: only the latest claim counts.
 * What fails for want of a store or of the database does not count towards the attempts.
 *
 * @returns the code that the message was parked with; null when it was not.
 * @throws AttemptFailedError when the message is to be tried again.
 */
export async function attemptMessage(id: string, signal: AbortSignal, options: AttemptOptions): Promise<string | null> {
  const { records } = options;
  const claim = await records.claim(id);
  if (claim === null) return null;
  const park = async (code: string, text: string): Promise<string | null> =>
    (await records.park(id, code, text, claim.attempt)) ? code : null;
  if (claim.attemptsInTurn > options.attempts + options.maxStalledCount) {
    return park('queue.stalled', `${claim.attemptsInTurn - 1} attempts did not end`);
  }
  try {
    await complete(claim, signal, options);
    return null;
  } catch (error) {
    const code = codeOf(error);
    const text = error instanceof Error ? error.message : String(error);
    const isLost = isLostInfrastructure(error);
    // An attempt that was taken away is not the message's fault either.
    if (!isLost && !signal.aborted && claim.attemptsInTurn >= options.attempts) return park(code, text);
    await records.postpone(claim, code, text, { counts: !isLost });
    throw new AttemptFailedError(code);
  }
}

async function complete(claim: Claim, signal: AbortSignal, options: AttemptOptions): Promise<void> {
  const { records, store } = options;
  const own = resultId(claim.id, claim.attempt);
  let outcome: InboundOutcome;
  let resultRef: string | null;
  try {
    outcome = await options.process({
      id: claim.id,
      session: claim.session,
      open: () => openLater(store, claim.messageRef),
      signal,
    });
    signal.throwIfAborted();
    resultRef = outcome.result === null ? null : await store.put(own, outcome.result);
  } catch (error) {
    await store.delete(own).catch(() => undefined);
    throw error;
  }
  // When this rejects, the update may have been made all the same: the edited message stays, and a later attempt clears it away.
  if (!(await records.finish(claim, outcome.report, resultRef))) {
    await store.delete(own);
    return;
  }
  outcome.onDone?.();
  // Attempts that died between storing and reporting have left theirs behind.
  for (let earlier = 1; earlier < claim.attempt; earlier += 1) {
    await store.delete(resultId(claim.id, earlier)).catch(() => undefined);
  }
}

async function* openLater(store: MessageStore, reference: string): AsyncGenerator<Uint8Array, void, undefined> {
  yield* await store.open(reference);
}
