import type { ColumnType, Generated } from 'kysely';

/** The PostgreSQL schema that holds Zegel's tables. BullMQ's are in `bullmq`. */
export const SCHEMA = 'zegel';

/** The states of a key, in the order of its life (`revoked`: published with an empty `p=`, RFC 6376 §3.6.1). */
export type KeyState = 'pending' | 'published' | 'active' | 'retiring' | 'revoked' | 'deleted';

/** `queued` → `verifying` → `done`, or `parked` when it could not be verified: the message waits for a person. */
export type InboundState = 'queued' | 'verifying' | 'done' | 'parked';

type Timestamp = ColumnType<Date, Date | string, Date | string>;
type OptionalTimestamp = ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
type DefaultTimestamp = ColumnType<Date, Date | string | undefined, Date | string>;
/** Written as JSON text (`JSON.stringify`): a bare array or string would otherwise be taken for a PostgreSQL value. */
type Json = ColumnType<unknown, string, string>;
type OptionalJson = ColumnType<unknown, string | null | undefined, string | null>;
type OptionalText = ColumnType<string | null, string | null | undefined, string | null>;

/** Domains we hold keys for. Names in lower case, as A-labels, without the final dot. */
export interface DomainsTable {
  name: string;
  created_at: DefaultTimestamp;
}

export interface KeysTable {
  id: string;
  domain: string;
  selector: string;
  /** `rsa-sha256` or `ed25519-sha256`. */
  algorithm: string;
  state: KeyState;
  /** SubjectPublicKeyInfo, DER. */
  public_key: Uint8Array;
  /** The private key, encrypted. */
  wrapped_key: Uint8Array;
  created_at: DefaultTimestamp;
  state_changed_at: DefaultTimestamp;
}

export interface TokensTable {
  id: string;
  name: string;
  /** SHA-256 of the token; the token itself is nowhere. */
  secret_hash: Uint8Array;
  scopes: string[];
  /** The domains the token may act for; null is all of them. */
  domains: ColumnType<string[] | null, string[] | null | undefined, string[] | null>;
  created_at: DefaultTimestamp;
  expires_at: OptionalTimestamp;
  revoked_at: OptionalTimestamp;
  last_used_at: OptionalTimestamp;
}

/** Which authors a login may sign as. */
export interface LoginsTable {
  /** In lower case as far as it is US-ASCII: a login, `*@domain`, or `*`. */
  login: string;
  /** Addresses, domains, or `*`. */
  authors: string[];
  created_at: DefaultTimestamp;
  changed_at: DefaultTimestamp;
}

/** Messages taken in for verification. Their bytes are in the message store; `message_ref` and `result_ref` point there. */
export interface InboundTable {
  id: string;
  state: InboundState;
  received_at: Timestamp;
  session: Json;
  message_ref: string;
  /** Size of the message as received, in bytes. `int8`, so it is read as text. */
  message_bytes: ColumnType<string, number | bigint | string, number | bigint | string>;
  result_ref: OptionalText;
  report: OptionalJson;
  error_code: OptionalText;
  error_text: OptionalText;
  /** How often a worker has begun on the message. It only grows, and so tells a late worker that another one has taken over. */
  attempts: Generated<number>;
  /**
   * What `attempts` was when the message was last put back by hand, and each one after it that failed for want of a
   * store or of the database: the allowance counts from there.
   */
  attempts_before: Generated<number>;
  updated_at: DefaultTimestamp;
}

/** Facts the installation keeps about itself. */
export interface SettingsTable {
  name: string;
  value: Json;
}

/** Every table of schema `zegel`, as Kysely sees it. `Database.db` qualifies the names already. */
export interface Schema {
  domains: DomainsTable;
  keys: KeysTable;
  tokens: TokensTable;
  logins: LoginsTable;
  inbound: InboundTable;
  settings: SettingsTable;
}
