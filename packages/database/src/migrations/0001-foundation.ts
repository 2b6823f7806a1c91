import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Domains, keys, tokens, inbound messages, settings. Names are qualified: the search path belongs to BullMQ. */
export const foundation: Migration = {
  async up(db) {
    await sql`create table zegel.domains (
      name text primary key,
      created_at timestamptz not null default now()
    )`.execute(db);

    await sql`create table zegel.keys (
      id uuid primary key,
      domain text not null references zegel.domains (name) on delete cascade,
      selector text not null,
      algorithm text not null,
      state text not null check (state in ('pending', 'published', 'active', 'retiring', 'revoked', 'deleted')),
      public_key bytea not null,
      wrapped_key bytea not null,
      created_at timestamptz not null default now(),
      state_changed_at timestamptz not null default now(),
      unique (domain, selector)
    )`.execute(db);
    await sql`create index keys_by_state on zegel.keys (state, state_changed_at)`.execute(db);

    await sql`create table zegel.tokens (
      id uuid primary key,
      name text not null,
      secret_hash bytea not null unique,
      scopes text[] not null,
      domains text[],
      created_at timestamptz not null default now(),
      expires_at timestamptz,
      revoked_at timestamptz,
      last_used_at timestamptz
    )`.execute(db);

    await sql`create table zegel.inbound (
      id uuid primary key,
      state text not null check (state in ('queued', 'verifying', 'done', 'parked')),
      received_at timestamptz not null,
      session jsonb not null,
      message_ref text not null,
      message_bytes bigint not null check (message_bytes >= 0),
      result_ref text,
      report jsonb,
      error_code text,
      error_text text,
      attempts integer not null default 0,
      attempts_before integer not null default 0,
      updated_at timestamptz not null default now()
    )`.execute(db);
    // Reconciliation walks the open messages, the sweep the old ones that are done.
    await sql`create index inbound_by_state on zegel.inbound (state, updated_at)`.execute(db);

    await sql`create table zegel.settings (
      name text primary key,
      value jsonb not null
    )`.execute(db);
  },
};
