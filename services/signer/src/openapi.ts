import { STATUS_CODES } from 'node:http';
import { z } from 'zod';
import { namedAnswers, namedRequests, operations } from './api.ts';
import type { Operation, Parameter } from './api.ts';
import type { CredentialForm } from './authorize.ts';
import { messageTypes } from './read-message.ts';

const problemSchema = {
  description: 'RFC 9457',
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'detail'],
  properties: {
    type: { type: 'string', format: 'uri', description: 'urn:zegel:problem: and the code' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', description: 'Stable name of the problem' },
    detail: { type: 'string', description: 'What is wrong with this request, for a person' },
    advice: { type: 'string', description: 'What can be done about it' },
    evidence: { type: 'object', description: 'What was found in the message, when that is what is wrong' },
  },
};

const errorSchema = {
  type: 'object',
  required: ['error'],
  properties: { error: { type: 'string', description: 'Code and detail' } },
};

const headers = {
  RequestId: {
    description: 'The id under which the request is logged: the one that was sent, or a new one',
    schema: { type: 'string' },
  },
  Location: { description: 'Where the new resource is', schema: { type: 'string' } },
  RetryAfter: { description: 'Seconds after which trying again makes sense', schema: { type: 'integer' } },
  WwwAuthenticate: { description: 'RFC 6750 §3', schema: { type: 'string' } },
};

const requestId = { 'X-Request-Id': { $ref: '#/components/headers/RequestId' } };
const errorContent = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } };
const problemContent = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };

/** The OpenAPI 3.1 document of the REST API. */
export function openApiDocument(version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const [name, operation] of Object.entries<Operation>(operations)) {
    paths[operation.path] = { ...paths[operation.path], [operation.method]: describe(name, operation) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Zegel',
      version,
      description: 'Signs outbound mail and verifies inbound mail: DKIM, SPF, DMARC and Authentication-Results.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        basic: { type: 'http', scheme: 'basic', description: 'The token is the password' },
        password: { type: 'apiKey', in: 'header', name: 'Password' },
      },
      headers,
      schemas: {
        ...namedSchemas(namedAnswers, 'output'),
        ...namedSchemas(namedRequests, 'input'),
        Problem: problemSchema,
        Error: errorSchema,
      },
    },
  };
}

function describe(operationId: string, operation: Operation): object {
  const { summary, scope, parameters = [], body, answer, credentials, problemForm } = operation;
  const content = problemForm === 'error' ? errorContent : problemContent;
  const isPublic = scope === 'public';
  return {
    operationId,
    summary,
    ...(isPublic ? { security: [] } : {}),
    ...(credentials === undefined ? {} : { security: credentials.map((form) => ({ [schemes[form]]: [] })) }),
    ...(scope === null || isPublic ? {} : { description: `Needs the scope ${scope}.` }),
    ...(parameters.length === 0 ? {} : { parameters: parameters.map(describeParameter) }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: bodyContent(body) } }),
    responses: {
      [answer.status]: {
        description: STATUS_CODES[answer.status] ?? 'Done',
        headers: { ...requestId, ...(answer.location ? { Location: { $ref: '#/components/headers/Location' } } : {}) },
        ...(answer.status === 204 ? {} : { content: answerContent(answer) }),
      },
      ...(operationId === 'readyz'
        ? { 503: { description: 'Not ready', headers: requestId, content: answerContent(answer) } }
        : {}),
      ...Object.fromEntries(problemStatuses(operation).map((status) => [status, describeProblem(status, content)])),
      default: { description: 'Another problem', headers: requestId, content },
    },
  };
}

function describeParameter(parameter: Parameter): object {
  return { ...parameter, required: parameter.in === 'path', schema: { type: 'string' } };
}

const schemes = { bearer: 'token', basic: 'basic', password: 'password' } as const satisfies Record<
  CredentialForm,
  string
>;

/** Every status an operation has a problem for, in order. */
function problemStatuses({ scope, parameters = [], body, problems = [] }: Operation): readonly number[] {
  const statuses = new Set(problems);
  if (scope !== 'public') for (const status of [401, 503]) statuses.add(status);
  if (scope !== null && scope !== 'public') statuses.add(403);
  if (parameters.some((parameter) => parameter.in === 'query')) statuses.add(400);
  if (body !== undefined) for (const status of [400, 413, 415, 503]) statuses.add(status);
  if (body?.type === 'application/json') statuses.add(422);
  return [...statuses].toSorted((a, b) => a - b);
}

function describeProblem(status: number, content: object): object {
  return {
    description: STATUS_CODES[status] ?? 'A problem',
    headers: {
      ...requestId,
      ...(status === 503 ? { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } } : {}),
      ...(status === 401 ? { 'WWW-Authenticate': { $ref: '#/components/headers/WwwAuthenticate' } } : {}),
    },
    content,
  };
}

function bodyContent({ type, schema }: NonNullable<Operation['body']>): object {
  if (type === '*/*') return { [type]: {} };
  if (schema !== undefined) return { [type]: { schema: schemaOf(schema, namedRequests) } };
  return Object.fromEntries(messageTypes.map((messageType) => [messageType, {}]));
}

/** Bytes have no schema in OpenAPI 3.1: their media type says it all. */
function answerContent({ types, schema }: Operation['answer']): object {
  return Object.fromEntries(
    types.map((type) => [
      type,
      type === 'message/rfc822'
        ? {}
        : { schema: schema === undefined ? { type: 'object' } : schemaOf(schema, namedAnswers) },
    ]),
  );
}

type NamedSchemas = Readonly<Record<string, z.ZodType>>;

/** What the document says under `components`; schemas refer to each other by name. */
function namedSchemas(named: NamedSchemas, io: 'input' | 'output'): Record<string, object> {
  const { schemas } = z.toJSONSchema(registryOf(named), { io, uri: referenceTo });
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, plain(schema)]));
}

/** A reference to a schema with a name, or else a schema in place that may refer to such. */
function schemaOf(schema: z.ZodType, named: NamedSchemas): object {
  const name = Object.entries(named).find(([, other]) => other === schema)?.[0];
  if (name !== undefined) return { $ref: referenceTo(name) };
  const registry = registryOf(named);
  registry.add(schema, { id: inPlace });
  const found = z.toJSONSchema(registry, { io: 'output', uri: referenceTo }).schemas[inPlace];
  if (found === undefined) throw new TypeError('zod left out a schema that was asked for');
  return plain(found);
}

const inPlace = 'in-place';

function registryOf(named: NamedSchemas): z.core.$ZodRegistry<{ id: string }> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  return registry;
}

function referenceTo(name: string): string {
  return `#/components/schemas/${name}`;
}

/** Without the members that only a document of its own needs. */
function plain({ $schema: _dialect, $id: _id, ...schema }: z.core.JSONSchema.BaseSchema): object {
  return schema;
}
