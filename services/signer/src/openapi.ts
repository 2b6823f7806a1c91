import { z } from 'zod';
import { operations } from './api.ts';
import type { Operation } from './api.ts';

const problemSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'detail'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', description: 'Stable name of the problem' },
    detail: { type: 'string', description: 'What is wrong with this request, for a person' },
    advice: { type: 'string' },
  },
};

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
    security: [{ token: [] }],
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: { Problem: problemSchema },
    },
  };
}

function describe(operationId: string, { summary, scope, parameters = [], body, answer }: Operation): object {
  return {
    operationId,
    summary,
    ...(scope === 'public' ? { security: [] } : {}),
    ...(typeof scope === 'string' && scope !== 'public' ? { description: `Needs the scope ${scope}.` } : {}),
    parameters: parameters.map((parameter) => ({
      ...parameter,
      required: parameter.in === 'path',
      schema: { type: 'string' },
    })),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { [body.type]: { schema: schemaOf(body.type, body.schema) } } } }),
    responses: {
      [answer.status]: {
        description: 'Done',
        ...(answer.status === 204
          ? {}
          : {
              content: Object.fromEntries(
                answer.types.map((type) => [type, { schema: schemaOf(type, answer.schema) }]),
              ),
            }),
      },
      default: {
        description: 'A problem',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  };
}

function schemaOf(type: string, schema: z.ZodType | undefined): object {
  if (type === 'message/rfc822') return { type: 'string', description: 'The exact bytes of a message' };
  return schema === undefined ? { type: 'object' } : z.toJSONSchema(schema, { io: 'output' });
}
