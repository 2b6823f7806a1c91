import { authenticationReportSchema } from '@zegel/authentication';
import { tokenScopes } from '@zegel/keystore';
import type { TokenScope } from '@zegel/keystore';
import { z } from 'zod';
import type { CredentialForm } from './authorize.ts';
import { rspamdAnswerSchema } from './hooks/rspamd-answer.ts';
import { stalwartAnswerSchema, stalwartRequestSchema } from './hooks/stalwart-request.ts';

/**
 * The REST API as data: one table from which the routes are registered and the OpenAPI document is made, so that neither
 * can say what the other does not do.
 */

export const domainSchema = z.object({ name: z.string(), createdAt: z.iso.datetime() });

export const keySchema = z.object({
  id: z.uuid(),
  domain: z.string(),
  selector: z.string(),
  algorithm: z.enum(['rsa-sha256', 'ed25519-sha256']),
  bits: z.number(),
  state: z.enum(['pending', 'published', 'active', 'retiring', 'revoked', 'deleted']),
  record: z.object({ name: z.string(), text: z.string() }).nullable().describe('The TXT record to publish'),
  createdAt: z.iso.datetime(),
  stateChangedAt: z.iso.datetime(),
});

export const tokenSchema = z.object({
  id: z.uuid(),
  name: z.string(),
  scopes: z.array(z.enum(tokenScopes)),
  domains: z.array(z.string()).nullable().describe('The domains it is for; null is all'),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().nullable(),
  revokedAt: z.iso.datetime().nullable(),
  lastUsedAt: z.iso.datetime().nullable(),
});

export const loginSchema = z.object({
  login: z.string().describe('A login, `*@` and a domain for all of it, or `*` for all'),
  authors: z.array(z.string()).describe('What it may sign as: addresses, domains with all below them, or `*`'),
  createdAt: z.iso.datetime(),
  changedAt: z.iso.datetime(),
});

const noticeSchema = z.object({ code: z.string(), explanation: z.string(), advice: z.string().optional() });

export const signAnswerSchema = z.object({
  result: z.literal('signed'),
  code: z.string(),
  explanation: z.string(),
  signatures: z.array(
    z.object({
      domain: z.string(),
      selector: z.string(),
      algorithm: z.string(),
      field: z.string().describe('The DKIM-Signature field, CRLF ended: put it on top of the message'),
    }),
  ),
  notices: z.array(noticeSchema),
});

export const inboundSchema = z.object({
  id: z.uuid(),
  state: z.enum(['queued', 'verifying', 'done', 'parked']),
  receivedAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  bytes: z.number(),
  attempts: z.number(),
  report: authenticationReportSchema.nullable(),
  error: z.object({ code: z.string(), text: z.string() }).nullable(),
});

export const newDomainSchema = z.strictObject({ name: z.string().max(1024) });

export const newKeySchema = z.strictObject({
  selector: z.string().max(253),
  algorithm: z
    .enum(['rsa-sha256', 'ed25519-sha256'])
    .optional()
    .describe('Default: rsa-sha256 for a key that is generated, its own for one that is imported'),
  modulusLength: z.number().int().optional().describe('Bits of a generated RSA key, 2048 to 4096'),
  privateKey: z.string().optional().describe('PEM of a private key to import; none is generated then'),
});

export const keyStateSchema = z.strictObject({ state: keySchema.shape.state });

export const newTokenSchema = z.strictObject({
  name: z.string().max(1024),
  scopes: z.array(z.enum(tokenScopes)),
  domains: z.array(z.string().max(1024)).nullable().default(null),
  expiresAt: z.iso.datetime({ offset: true }).nullable().default(null).describe('RFC 3339; kept in UTC'),
});

export const loginAuthorsSchema = z.strictObject({ authors: z.array(z.string().max(1024)) });

const page = (item: z.ZodType) =>
  z.object({
    items: z.array(item),
    next: z.string().nullable().describe('Ask with this as `after` for the next page; null on the last one'),
  });

const acceptedSchema = z.object({ id: z.uuid(), state: z.literal('queued') });
const aliveSchema = z.object({ status: z.literal('alive') });
const readinessSchema = z.object({
  ready: z.boolean(),
  phase: z.enum(['starting', 'started', 'draining']),
  checks: z
    .array(
      z.object({
        name: z.string(),
        required: z
          .boolean()
          .describe('Whether it decides about `ready`; without the others a part of the service works'),
        ok: z.boolean(),
        code: z.string().optional(),
      }),
    )
    .readonly(),
});

/** Schemas of answers that have a name of their own in the OpenAPI document. */
export const namedAnswers: Readonly<Record<string, z.ZodType>> = {
  AuthenticationReport: authenticationReportSchema,
  SignAnswer: signAnswerSchema,
  InboundMessage: inboundSchema,
  Accepted: acceptedSchema,
  Domain: domainSchema,
  Key: keySchema,
  Token: tokenSchema,
  Login: loginSchema,
  Readiness: readinessSchema,
  StalwartAnswer: stalwartAnswerSchema,
  RspamdAnswer: rspamdAnswerSchema,
};

/** Likewise of requests. */
export const namedRequests: Readonly<Record<string, z.ZodType>> = {
  NewDomain: newDomainSchema,
  NewKey: newKeySchema,
  KeyState: keyStateSchema,
  NewToken: newTokenSchema,
  LoginAuthors: loginAuthorsSchema,
  StalwartRequest: stalwartRequestSchema,
};

export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path' | 'header';
  readonly description: string;
}

export interface Operation {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** In the form of OpenAPI: `/v1/inbound/{id}`. */
  readonly path: string;
  readonly summary: string;
  /** The scope a token needs; null when any accepted token will do; `public` when none is needed. */
  readonly scope: TokenScope | null | 'public';
  readonly parameters?: readonly Parameter[];
  /** How the token may be given; default: as a bearer token alone. */
  readonly credentials?: readonly CredentialForm[];
  readonly body?: { readonly type: 'message/rfc822' | 'application/json' | '*/*'; readonly schema?: z.ZodType };
  readonly answer: {
    readonly status: 200 | 201 | 202 | 204;
    readonly types: readonly ('application/json' | 'message/rfc822')[];
    readonly schema?: z.ZodType;
    /** It has a Location field. */
    readonly location?: true;
  };
  /** Statuses of problems that are this operation's own; what token and body can bring is added to them. */
  readonly problems?: readonly number[];
  /** Problems are told as `{"error"}`, not as RFC 9457 has it. */
  readonly problemForm?: 'error';
}

const id: Parameter = { name: 'id', in: 'path', description: 'A UUID' };
const login: Parameter = { name: 'login', in: 'path', description: 'A login, percent-encoded' };
const domain: Parameter = { name: 'domain', in: 'path', description: 'A domain name' };
const paging: readonly Parameter[] = [
  { name: 'after', in: 'query', description: 'The `next` of the page before' },
  { name: 'limit', in: 'query', description: 'Items of a page' },
];
const session: readonly Parameter[] = [
  { name: 'ip', in: 'query', description: "The client's address. Without it SPF is not checked" },
  { name: 'helo', in: 'query', description: 'What the client said in HELO or EHLO' },
  { name: 'mailFrom', in: 'query', description: 'The reverse-path, empty for the null one. Write + as %2B' },
  { name: 'X-Zegel-Ip', in: 'header', description: 'Instead of ip' },
  { name: 'X-Zegel-Helo', in: 'header', description: 'Instead of helo, in UTF-8' },
  { name: 'X-Zegel-Mail-From', in: 'header', description: 'Instead of mailFrom, in UTF-8' },
];
const mode: Parameter = {
  name: 'mode',
  in: 'query',
  description: 'sign, verify or both: which mail comes by this URL. Default: both, told apart by login and network',
};
const envelopeFields: readonly Parameter[] = [
  { name: 'From', in: 'header', description: 'The reverse-path' },
  { name: 'Helo', in: 'header', description: 'What the client said in HELO or EHLO' },
  { name: 'IP', in: 'header', description: "The client's address" },
  { name: 'User', in: 'header', description: 'The login; mail with one goes out' },
];
const message = { type: 'message/rfc822' } as const;
const json = ['application/json'] as const;
const jsonOrMessage = ['application/json', 'message/rfc822'] as const;

/** Every operation, by the name under which its handler is registered. */
export const operations = {
  sign: {
    method: 'post',
    path: '/v1/sign',
    summary:
      'Sign a message: answers the DKIM-Signature fields, or with Accept: message/rfc822 the whole signed message',
    scope: 'sign',
    parameters: [
      {
        name: 'domain',
        in: 'query',
        description: 'The signing domain. Default: the author domain, or the nearest one above it that has keys',
      },
    ],
    body: message,
    answer: { status: 200, types: jsonOrMessage, schema: signAnswerSchema },
    problems: [403, 404, 406, 409, 422, 503],
  },
  verify: {
    method: 'post',
    path: '/v1/verify',
    summary:
      'Authenticate a message: answers the report, or with Accept: message/rfc822 the message with Authentication-Results on top and forged ones gone',
    scope: 'verify',
    parameters: session,
    body: message,
    answer: { status: 200, types: jsonOrMessage, schema: authenticationReportSchema },
    problems: [406],
  },
  submitInbound: {
    method: 'post',
    path: '/v1/inbound',
    summary: 'Queue a message for a worker to authenticate',
    scope: 'inbound',
    parameters: session,
    body: message,
    answer: { status: 202, types: json, schema: acceptedSchema, location: true },
    problems: [503],
  },
  listInbound: {
    method: 'get',
    path: '/v1/inbound',
    summary: 'The messages in one state, those first that have been in it the longest; without reports',
    scope: 'inbound',
    parameters: [{ name: 'state', in: 'query', description: 'queued, verifying, done or parked; needed' }, ...paging],
    answer: { status: 200, types: json, schema: page(inboundSchema.omit({ report: true })) },
    problems: [400, 503],
  },
  getInbound: {
    method: 'get',
    path: '/v1/inbound/{id}',
    summary: 'State and report of a queued message',
    scope: 'inbound',
    parameters: [id],
    answer: { status: 200, types: json, schema: inboundSchema },
    problems: [404, 503],
  },
  deleteInbound: {
    method: 'delete',
    path: '/v1/inbound/{id}',
    summary: 'Delete a message that is done or parked, with its report',
    scope: 'inbound',
    parameters: [id],
    answer: { status: 204, types: json },
    problems: [404, 409, 503],
  },
  getInboundMessage: {
    method: 'get',
    path: '/v1/inbound/{id}/message',
    summary: 'The message with Authentication-Results on top, once it is done',
    scope: 'inbound',
    parameters: [id],
    answer: { status: 200, types: ['message/rfc822'] },
    problems: [404, 409, 503],
  },
  retryInbound: {
    method: 'post',
    path: '/v1/inbound/{id}/retry',
    summary: 'Put a parked message back in the queue',
    scope: 'inbound',
    parameters: [id],
    answer: { status: 202, types: json, schema: acceptedSchema },
    problems: [404, 409, 503],
  },
  stalwartHook: {
    method: 'post',
    path: '/v1/hooks/stalwart',
    summary: 'MTA hooks of Stalwart, version 1: sign what goes out, authenticate what comes in',
    scope: 'verify',
    parameters: [mode],
    credentials: ['bearer', 'basic'],
    body: { type: 'application/json', schema: stalwartRequestSchema },
    answer: { status: 200, types: json, schema: stalwartAnswerSchema },
  },
  rspamdHook: {
    method: 'post',
    path: '/checkv2',
    summary: 'The same in the shape of rspamd: the body is the message, octet for octet',
    scope: 'verify',
    parameters: [mode, ...envelopeFields],
    credentials: ['bearer', 'basic', 'password'],
    body: { type: '*/*' },
    answer: { status: 200, types: json, schema: rspamdAnswerSchema },
    problemForm: 'error',
  },
  createDomain: {
    method: 'post',
    path: '/v1/domains',
    summary: 'Add a domain',
    scope: 'keys:write',
    body: { type: 'application/json', schema: newDomainSchema },
    answer: { status: 201, types: json, schema: domainSchema, location: true },
    problems: [409, 503],
  },
  listDomains: {
    method: 'get',
    path: '/v1/domains',
    summary: 'The domains, by name',
    scope: 'keys:read',
    parameters: paging,
    answer: { status: 200, types: json, schema: page(domainSchema) },
    problems: [400, 503],
  },
  getDomain: {
    method: 'get',
    path: '/v1/domains/{domain}',
    summary: 'One domain',
    scope: 'keys:read',
    parameters: [domain],
    answer: { status: 200, types: json, schema: domainSchema },
    problems: [404, 503],
  },
  deleteDomain: {
    method: 'delete',
    path: '/v1/domains/{domain}',
    summary: 'Delete a domain and its keys; refused while one of them is active',
    scope: 'keys:write',
    parameters: [domain],
    answer: { status: 204, types: json },
    problems: [404, 409, 503],
  },
  createKey: {
    method: 'post',
    path: '/v1/domains/{domain}/keys',
    summary: 'Generate a key, or import one: it is pending until its state is changed',
    scope: 'keys:write',
    parameters: [domain],
    body: { type: 'application/json', schema: newKeySchema },
    answer: { status: 201, types: json, schema: keySchema },
    problems: [404, 409, 503],
  },
  listKeys: {
    method: 'get',
    path: '/v1/domains/{domain}/keys',
    summary: 'The keys of a domain, by age; private keys are never shown',
    scope: 'keys:read',
    parameters: [domain, ...paging],
    answer: { status: 200, types: json, schema: page(keySchema) },
    problems: [400, 404, 503],
  },
  changeKey: {
    method: 'patch',
    path: '/v1/domains/{domain}/keys/{id}',
    summary: 'Move a key on in its life: pending, published, active, retiring, revoked, deleted',
    scope: 'keys:write',
    parameters: [domain, id],
    body: { type: 'application/json', schema: keyStateSchema },
    answer: { status: 200, types: json, schema: z.object({ key: keySchema, replaced: keySchema.nullable() }) },
    problems: [404, 409, 503],
  },
  createToken: {
    method: 'post',
    path: '/v1/tokens',
    summary: 'Make a token; its secret is shown this once',
    scope: 'admin',
    body: { type: 'application/json', schema: newTokenSchema },
    answer: { status: 201, types: json, schema: tokenSchema.extend({ secret: z.string() }) },
    problems: [503],
  },
  listTokens: {
    method: 'get',
    path: '/v1/tokens',
    summary: 'The tokens, by age, without their secrets',
    scope: 'admin',
    parameters: paging,
    answer: { status: 200, types: json, schema: page(tokenSchema) },
    problems: [400, 503],
  },
  revokeToken: {
    method: 'delete',
    path: '/v1/tokens/{id}',
    summary: 'Revoke a token for good',
    scope: 'admin',
    parameters: [id],
    answer: { status: 200, types: json, schema: tokenSchema },
    problems: [404, 503],
  },
  setLogin: {
    method: 'put',
    path: '/v1/logins/{login}',
    summary: 'Set what a login may sign as; an empty list permits nothing',
    scope: 'admin',
    parameters: [login],
    body: { type: 'application/json', schema: loginAuthorsSchema },
    answer: { status: 200, types: json, schema: loginSchema },
    problems: [503],
  },
  listLogins: {
    method: 'get',
    path: '/v1/logins',
    summary: 'The logins with what each may sign as',
    scope: 'admin',
    parameters: paging,
    answer: { status: 200, types: json, schema: page(loginSchema) },
    problems: [400, 503],
  },
  deleteLogin: {
    method: 'delete',
    path: '/v1/logins/{login}',
    summary: 'Take a login out of the map: it signs as its own address again',
    scope: 'admin',
    parameters: [login],
    answer: { status: 204, types: [] },
    problems: [404, 503],
  },
  openapi: {
    method: 'get',
    path: '/v1/openapi.json',
    summary: 'This document',
    scope: null,
    answer: { status: 200, types: json },
  },
  healthz: {
    method: 'get',
    path: '/healthz',
    summary: 'The process is alive',
    scope: 'public',
    answer: { status: 200, types: json, schema: aliveSchema },
  },
  readyz: {
    method: 'get',
    path: '/readyz',
    summary: 'Whether traffic may come; 503 says which check fails',
    scope: 'public',
    answer: { status: 200, types: json, schema: readinessSchema },
  },
} as const satisfies Record<string, Operation>;

export type OperationName = keyof typeof operations;
