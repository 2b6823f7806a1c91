import { STATUS_CODES } from 'node:http';
import type { Response } from 'express';
import { answerJson } from './answer.ts';
import type { Fields } from './answer.ts';
import { retryAfter as retryAfterSeconds } from './limits.ts';

/** What a problem says beyond its status (RFC 9457). */
export interface ProblemOptions {
  /** Stable; the last part of the type URI. */
  readonly code: string;
  /** What is wrong with this request, for a person. */
  readonly detail: string;
  readonly advice?: string | undefined;
  /** Seconds after which trying again makes sense. */
  readonly retryAfter?: number;
  /** WWW-Authenticate (RFC 6750 §3). */
  readonly challenge?: string;
  /** The methods that there are: the field Allow of a 405. */
  readonly allow?: string;
  /** Further members of the answer. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** A request that is answered with application/problem+json. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly code: string;
  readonly options: ProblemOptions;

  constructor(status: number, options: ProblemOptions) {
    super(options.detail);
    this.status = status;
    this.code = options.code;
    this.options = options;
  }

  /** The reason phrase of the status. */
  get title(): string {
    return STATUS_CODES[this.status] ?? 'Error';
  }
}

/** Answers with a problem; `fields` are header fields beside its own. */
export function answerProblem(response: Response, problem: Problem, fields: Fields = []): void {
  const { status } = problem;
  answerJson(response, problemBody(problem), {
    status,
    type: 'application/problem+json',
    fields: [...problemFields(problem), ...fields],
  });
}

/** The same for a client that knows no problems: rspamd's, which takes an answer without this member for a verdict. */
export function answerError(response: Response, problem: Problem, fields: Fields = []): void {
  const { status, code, options } = problem;
  const value = { error: `${code}: ${options.detail}` };
  answerJson(response, value, { status, fields: [...problemFields(problem), ...fields] });
}

function problemFields({ options: { allow, challenge, retryAfter } }: Problem): Fields {
  return [
    ...(allow === undefined ? [] : ['Allow', allow]),
    ...(challenge === undefined ? [] : ['WWW-Authenticate', challenge]),
    ...(retryAfter === undefined ? [] : ['Retry-After', String(retryAfter)]),
  ];
}

/** The members of RFC 9457 §3.1, with `code` and what else is known. */
export function problemBody({ status, title, options: { code, detail, advice, extra } }: Problem): object {
  return {
    type: `urn:zegel:problem:${code}`,
    title,
    status,
    code,
    detail,
    ...(advice === undefined ? {} : { advice }),
    ...extra,
  };
}

/** Errors of the packages below, by code: what a client can do about them. */
const statusByCode: Readonly<Record<string, number>> = {
  'database.unavailable': 503,
  'queue.unavailable': 503,
  'queue.full': 503,
  'message-store.unavailable': 503,
  'message-store.full': 503,
  'message-store.missing': 404,
  'keystore.domain-unknown': 404,
  'keystore.key-unknown': 404,
  'keystore.token-unknown': 404,
  'keystore.login-unknown': 404,
  'keystore.domain-exists': 409,
  'keystore.domain-in-use': 409,
  'keystore.selector-in-use': 409,
  'keystore.state-change-illegal': 409,
  'keystore.too-many-keys': 409,
  'keystore.domain-invalid': 422,
  'keystore.selector-invalid': 422,
  'keystore.key-size-unsupported': 422,
  'keystore.key-unreadable': 422,
  'keystore.algorithm-mismatch': 422,
  'keystore.token-invalid': 422,
  'keystore.login-invalid': 422,
  'keystore.page-invalid': 400,
  'dkim.key-unreadable': 422,
  'dkim.key-type-unsupported': 422,
  'dkim.key-too-short': 422,
  'dkim.key-too-long': 422,
  'dkim.key-name-invalid': 422,
};

/** What a client is told when one of the things we stand on is lost. Messages of drivers hold addresses: not for outside. */
const lostDetail: Readonly<Record<string, string>> = {
  'queue.full': 'As many messages wait as may. Nothing of this request was kept.',
  'message-store.full': 'The message store has no room. Nothing of this request was kept.',
};

/** The problem that an error stands for, or null for one that nobody expected. */
export function problemOf(error: unknown): Problem | null {
  if (error instanceof Problem) return error;
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return null;
  const { code } = error;
  const status = statusByCode[code];
  if (status === undefined) return null;
  if (status !== 503) return new Problem(status, { code, detail: error.message });
  const detail =
    lostDetail[code] ?? 'Something this service needs cannot be reached. Nothing of this request was kept.';
  const retryAfter = code.endsWith('.full') ? retryAfterSeconds.full : retryAfterSeconds.unavailable;
  return new Problem(503, { code, detail, retryAfter });
}
