import { KeystoreError } from './errors.ts';
import { keystoreLimits } from './limits.ts';

/** What part of a list is asked for. */
export interface PageRequest {
  /** Items at most, 1 to 1,000; 100 unless given. */
  readonly limit?: number;
  /** The `next` of the page before. */
  readonly after?: string;
}

/** A part of a list. What is added or deleted between two pages neither repeats nor hides other items. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Ask with this for the next page; null when this is the last one. */
  readonly next: string | null;
}

/** The number of items asked for. @throws {KeystoreError} `keystore.page-invalid` */
export function pageSize({ limit = keystoreLimits.defaultPageSize }: PageRequest): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= keystoreLimits.maxPageSize) return limit;
  throw new KeystoreError('keystore.page-invalid', `a page holds 1 to ${keystoreLimits.maxPageSize} items`);
}

/** A page out of one row more than it holds; `position` says where an item stands in the order of the list. */
export function pageOf<T>(rows: readonly T[], size: number, position: (item: T) => readonly string[]): Page<T> {
  const items = rows.slice(0, size);
  const last = items.at(-1);
  const next = rows.length > size && last !== undefined ? encode(position(last)) : null;
  return { items, next };
}

/** Whether the database takes a text as a part of a position. */
type CursorPart = (text: string) => boolean;

/** The position a cursor was made of, with as many parts; null without one. @throws {KeystoreError} `keystore.page-invalid` */
export function readCursor(after: string | undefined, parts: readonly CursorPart[]): readonly string[] | null {
  if (after === undefined) return null;
  const position = Buffer.from(after, 'base64url').toString('utf8').split('\n');
  if (position.length === parts.length && parts.every((fits, index) => fits(position[index] ?? ''))) return position;
  throw new KeystoreError('keystore.page-invalid', 'the cursor is not one of ours');
}

function encode(position: readonly string[]): string {
  return Buffer.from(position.join('\n'), 'utf8').toString('base64url');
}

const ISO_TIME = /^[1-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
/** An id as the database makes and takes it. */
export const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The position of what is listed by a time, and by its id where two have the same. */
export function timePosition(time: Date, id: string): readonly string[] {
  return [time.toISOString(), id];
}

/** The parts of {@link timePosition}. */
export const timeCursor: readonly CursorPart[] = [isTime, (text) => UUID.test(text)];

/** Dates that do not exist are none: of 30 February JavaScript makes 2 March, and the database an error. */
function isTime(text: string): boolean {
  const time = ISO_TIME.test(text) ? Date.parse(text) : NaN;
  return !Number.isNaN(time) && new Date(time).toISOString() === text;
}
