import { z } from 'zod';
import type { Answer } from './test-signer.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- the document is walked as the JSON that it is
type Json = any;

/** What an OpenAPI document says, for a test that holds real answers against it. */
export class OpenApi {
  readonly document: Json;

  constructor(document: Json) {
    this.document = document;
  }

  /** Every operation as `GET /v1/domains`. */
  operations(): string[] {
    return Object.entries<Json>(this.document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
  }

  operation(name: string): Json {
    const [method = '', path = ''] = name.split(' ');
    const found = this.document.paths[path]?.[method.toLowerCase()];
    if (found === undefined) throw new Error(`the document has no ${name}`);
    return found;
  }

  /** Throws unless the document names the status of this answer and its body is as the schema says, with no member more. */
  check(name: string, answer: Answer): void {
    const response = this.operation(name).responses[answer.status];
    if (response === undefined) throw new Error(`${name} is not described to answer ${answer.status}`);
    const missing = Object.keys(response.headers).filter((header) => !answer.headers.has(header));
    if (missing.length > 0) throw new Error(`${name} ${answer.status} lacks the fields ${missing.join(', ')}`);
    const type = answer.headers.get('content-type')?.split(';', 1)[0] ?? 'nothing';
    const content = response.content ?? { nothing: {} };
    if (content[type] === undefined) throw new Error(`${name} ${answer.status} is not described to answer ${type}`);
    const { schema } = content[type];
    if (schema !== undefined) this.schema(schema).parse(answer.json);
  }

  /** A schema of the document that checks values; references are filled in. */
  schema(schema: Json): z.ZodType {
    return z.fromJSONSchema(this.#filledIn(schema));
  }

  #filledIn(value: Json): Json {
    if (Array.isArray(value)) return value.map((item) => this.#filledIn(item));
    if (typeof value !== 'object' || value === null) return value;
    if (typeof value.$ref === 'string') return this.#filledIn(this.resolve(value.$ref));
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#filledIn(item)]));
  }

  resolve(reference: string): Json {
    let found = this.document;
    for (const part of reference.replace(/^#\//, '').split('/')) found = found?.[part];
    if (found === undefined) throw new Error(`${reference} leads nowhere`);
    return found;
  }
}
