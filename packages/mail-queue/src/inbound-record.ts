import type { Database, InboundState, InboundTable } from '@zegel/database';
import { sql } from 'kysely';
import type { Selectable } from 'kysely';
import { BATCH, MAX_ERROR_TEXT } from './limits.ts';
import { storedJson, storedText } from './stored-json.ts';

/** What is known of a message taken in. */
export interface InboundRecord {
  readonly id: string;
  readonly state: InboundState;
  readonly receivedAt: Date;
  readonly updatedAt: Date;
  readonly session: unknown;
  /** Size as received, in bytes. */
  readonly bytes: number;
  /** How often a worker has begun on it. */
  readonly attempts: number;
  /** What the worker reported; null until it is done. */
  readonly report: unknown;
  /** Whether there is an edited message to open. */
  readonly hasResult: boolean;
  /** Why it is parked, or why its last attempt failed. */
  readonly error: { readonly code: string; readonly text: string } | null;
}

/** As much of a message as a list holds. */
export type InboundSummary = Omit<InboundRecord, 'session' | 'report' | 'hasResult'>;

/** Where a message stands in a list of its state. */
export interface InboundPosition {
  readonly updatedAt: Date;
  readonly id: string;
}

/** A worker's claim on a message. The number of the attempt makes the claim void as soon as another worker begins. */
export interface Claim {
  readonly id: string;
  readonly attempt: number;
  /** Attempts since the message came or was last put back by hand, this one included. */
  readonly attemptsInTurn: number;
  readonly session: unknown;
  readonly messageRef: string;
}

/** A message that goes, with everything the store may hold of it. */
export interface SweepCandidate {
  readonly id: string;
  readonly messageRef: string;
  readonly attempts: number;
}

/** The reference of the edited message that an attempt makes. */
export const resultId = (id: string, attempt: number): string => `${id}.${attempt}`;

/** The message that a reference of the store belongs to; null when it is none of ours. */
export function ownerOf(reference: string): string | null {
  const id = reference.replace(/\.[0-9]+$/, '');
  return isInboundId(id) ? id : null;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Ids are lower-case UUIDs; nothing else is looked up. */
export const isInboundId = (id: string): boolean => UUID.test(id);

/** The rows of `zegel.inbound`. Every method rejects with `DatabaseUnavailableError` when the database is lost. */
export class InboundRecords {
  readonly #db: Database['db'];
  readonly #now: () => Date;

  constructor(db: Database['db'], now: () => Date) {
    this.#db = db;
    this.#now = now;
  }

  async insert(id: string, session: string, messageRef: string, bytes: number): Promise<void> {
    const now = this.#now();
    await this.#db
      .insertInto('inbound')
      .values({
        id,
        state: 'queued',
        received_at: now,
        updated_at: now,
        session,
        message_ref: messageRef,
        message_bytes: bytes,
      })
      .execute();
  }

  async remove(id: string): Promise<void> {
    await this.#db.deleteFrom('inbound').where('id', '=', id).execute();
  }

  /** Removes a message that is done or parked, and says what the store holds of it; null when it is neither. */
  async removeEnded(id: string): Promise<SweepCandidate | null> {
    const row = await this.#db
      .deleteFrom('inbound')
      .where('id', '=', id)
      .where('state', 'in', ['done', 'parked'])
      .returning(['id', 'message_ref', 'attempts'])
      .executeTakeFirst();
    return row === undefined ? null : { id: row.id, messageRef: row.message_ref, attempts: row.attempts };
  }

  async get(id: string): Promise<InboundRecord | null> {
    const row = await this.#row(id);
    if (row === undefined) return null;
    return { ...toSummary(row), session: row.session, report: row.report, hasResult: row.result_ref !== null };
  }

  /** Messages in a state, those first that have been in it the longest. */
  async list(state: InboundState, limit: number, after: InboundPosition | null): Promise<InboundSummary[]> {
    const rows = await this.#db
      .selectFrom('inbound')
      .select(SUMMARY_COLUMNS)
      .where('state', '=', state)
      .$if(after !== null, (query) =>
        query.where(sql<boolean>`(updated_at, id) > (${after?.updatedAt}::timestamptz, ${after?.id}::uuid)`),
      )
      .orderBy('updated_at')
      .orderBy('id')
      .limit(limit)
      .execute();
    return rows.map(toSummary);
  }

  async references(id: string): Promise<{ message: string; result: string | null } | null> {
    const row = await this.#row(id);
    return row === undefined ? null : { message: row.message_ref, result: row.result_ref };
  }

  /** Begins an attempt. Null when there is nothing to do: the message is done, parked or gone. */
  async claim(id: string): Promise<Claim | null> {
    const row = await this.#db
      .updateTable('inbound')
      .set({ state: 'verifying', attempts: sql<number>`attempts + 1`, updated_at: this.#now() })
      .where('id', '=', id)
      .where('state', 'in', ['queued', 'verifying'])
      .returning(['id', 'attempts', 'attempts_before', 'session', 'message_ref'])
      .executeTakeFirst();
    if (row === undefined) return null;
    return {
      id: row.id,
      attempt: row.attempts,
      attemptsInTurn: row.attempts - row.attempts_before,
      session: row.session,
      messageRef: row.message_ref,
    };
  }

  /** Ends an attempt with what it found. False when the claim was void. */
  async finish({ id, attempt }: Claim, report: unknown, resultRef: string | null): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable('inbound')
      .set({
        state: 'done',
        report: storedJson(report),
        result_ref: resultRef,
        error_code: null,
        error_text: null,
        updated_at: this.#now(),
      })
      .where('id', '=', id)
      .where('state', '=', 'verifying')
      .where('attempts', '=', attempt)
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  /** Notes why an attempt failed; the message waits for the next one. One that does not count is not of its turn. */
  async postpone(
    { id, attempt }: Claim,
    code: string,
    text: string,
    { counts }: { readonly counts: boolean },
  ): Promise<void> {
    await this.#db
      .updateTable('inbound')
      .set({
        ...errorColumns(code, text),
        ...(counts ? {} : { attempts_before: sql<number>`attempts_before + 1` }),
        state: 'queued',
        updated_at: this.#now(),
      })
      .where('id', '=', id)
      .where('state', '=', 'verifying')
      .where('attempts', '=', attempt)
      .execute();
  }

  /** Takes a message out of work, to wait for a person. With an attempt, only while that claim holds; else false. */
  async park(id: string, code: string, text: string, attempt?: number): Promise<boolean> {
    let update = this.#db
      .updateTable('inbound')
      .set({ ...errorColumns(code, text), state: 'parked', updated_at: this.#now() })
      .where('id', '=', id)
      .where('state', 'in', ['queued', 'verifying']);
    if (attempt !== undefined) update = update.where('attempts', '=', attempt);
    const { numUpdatedRows } = await update.executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  /** Puts a parked message back, with all its attempts before it. False when it is not parked. */
  async unpark(id: string): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable('inbound')
      .set({
        state: 'queued',
        attempts_before: sql<number>`attempts`,
        error_code: null,
        error_text: null,
        updated_at: this.#now(),
      })
      .where('id', '=', id)
      .where('state', '=', 'parked')
      .executeTakeFirst();
    return numUpdatedRows > 0n;
  }

  /** How many messages need a job. */
  async openCount(): Promise<number> {
    const { count } = await this.#db
      .selectFrom('inbound')
      .where('state', 'in', ['queued', 'verifying'])
      .select(sql<string>`count(*)`.as('count'))
      .executeTakeFirstOrThrow();
    return Number(count);
  }

  /** A page of the messages that need a job, in the order of their ids. */
  async open(after: string | null): Promise<string[]> {
    let query = this.#db.selectFrom('inbound').where('state', 'in', ['queued', 'verifying']);
    if (after !== null) query = query.where('id', '>', after);
    const rows = await query.select('id').orderBy('id').limit(BATCH).execute();
    return rows.map(({ id }) => id);
  }

  /** Which of these ids have no row. */
  async unknown(ids: readonly string[]): Promise<Set<string>> {
    const unknown = new Set(ids);
    if (unknown.size === 0) return unknown;
    const rows = await this.#db
      .selectFrom('inbound')
      .where('id', 'in', [...unknown])
      .select('id')
      .execute();
    for (const { id } of rows) unknown.delete(id);
    return unknown;
  }

  /** Some messages that were done before a moment. */
  async doneBefore(moment: Date): Promise<SweepCandidate[]> {
    const rows = await this.#db
      .selectFrom('inbound')
      .where('state', '=', 'done')
      .where('updated_at', '<', moment)
      .select(['id', 'message_ref', 'attempts'])
      .orderBy('updated_at')
      .limit(BATCH)
      .execute();
    return rows.map((row) => ({ id: row.id, messageRef: row.message_ref, attempts: row.attempts }));
  }

  async counts(): Promise<Readonly<Record<InboundState, number>>> {
    const rows = await this.#db
      .selectFrom('inbound')
      .select(['state', sql<string>`count(*)`.as('count')])
      .groupBy('state')
      .execute();
    const counts = { queued: 0, verifying: 0, done: 0, parked: 0 };
    for (const { state, count } of rows) counts[state] = Number(count);
    return counts;
  }

  #row(id: string) {
    if (!isInboundId(id)) return Promise.resolve(undefined);
    return this.#db.selectFrom('inbound').where('id', '=', id).selectAll().executeTakeFirst();
  }
}

const SUMMARY_COLUMNS = [
  'id',
  'state',
  'received_at',
  'updated_at',
  'message_bytes',
  'attempts',
  'error_code',
  'error_text',
] as const satisfies readonly (keyof InboundTable)[];

function toSummary(row: Pick<Selectable<InboundTable>, (typeof SUMMARY_COLUMNS)[number]>): InboundSummary {
  return {
    id: row.id,
    state: row.state,
    receivedAt: row.received_at,
    updatedAt: row.updated_at,
    bytes: Number(row.message_bytes),
    attempts: row.attempts,
    error: row.error_code === null ? null : { code: row.error_code, text: row.error_text ?? '' },
  };
}

const errorColumns = (code: string, text: string) => ({
  error_code: code,
  error_text: storedText(text).slice(0, MAX_ERROR_TEXT),
});
