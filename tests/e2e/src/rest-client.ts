import { readFileSync } from 'node:fs';
import path from 'node:path';
import { patience } from '@zegel/test-harness';
import { vi } from 'vitest';

/** What `GET /v1/inbound/{id}` answers. */
export interface InboundState {
  readonly id: string;
  readonly state: 'queued' | 'verifying' | 'done' | 'parked';
  readonly attempts: number;
  readonly report: { readonly dkim: readonly { readonly result: string }[] } | null;
  readonly error: { readonly code: string } | null;
}

/** What became of a submitted message. */
export type Submitted =
  | { readonly status: 202; readonly id: string }
  | { readonly status: 503; readonly code: string; readonly retryAfter: number };

interface Request {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
}

/** The part of the REST API that the tests use, with the admin token of a data folder. */
export class RestClient {
  readonly #base: string;
  readonly #token: string;
  readonly #session: string;

  constructor(address: string, dataFolder: string, session: string) {
    this.#base = `http://${address}`;
    this.#token = readFileSync(path.join(dataFolder, 'admin-token'), 'utf8').trim();
    this.#session = session;
  }

  request(resource: string, init: Request = {}): Promise<Response> {
    return fetch(`${this.#base}${resource}`, {
      ...init,
      headers: { Authorization: `Bearer ${this.#token}`, ...init.headers },
    });
  }

  /** `POST /v1/inbound`. Rejects for every answer but an acceptance and a 503 that says when to come back. */
  async submit(message: Uint8Array): Promise<Submitted> {
    const response = await this.request(`/v1/inbound?${this.#session}`, {
      method: 'POST',
      headers: { 'Content-Type': 'message/rfc822' },
      body: new Uint8Array(message),
    });
    const answer: { readonly id?: string; readonly code?: string } = JSON.parse(await response.text());
    const retryAfter = Number(response.headers.get('Retry-After') ?? Number.NaN);
    if (response.status === 202 && answer.id !== undefined) return { status: 202, id: answer.id };
    if (response.status === 503 && answer.code !== undefined && retryAfter > 0) {
      return { status: 503, code: answer.code, retryAfter };
    }
    throw new Error(`POST /v1/inbound: ${response.status} ${JSON.stringify(answer)}, Retry-After ${retryAfter}`);
  }

  /** Submits a message that must be taken, and answers its id. */
  async accept(message: Uint8Array): Promise<string> {
    const submitted = await this.submit(message);
    if (submitted.status !== 202) throw new Error(`not accepted: ${submitted.code}`);
    return submitted.id;
  }

  async inbound(id: string): Promise<InboundState> {
    const response = await this.request(`/v1/inbound/${id}`);
    if (response.status !== 200) throw new Error(`GET /v1/inbound/${id}: ${response.status}`);
    return JSON.parse(await response.text());
  }

  /** Waits until a message is in a state. */
  settled(id: string, state: InboundState['state']): Promise<InboundState> {
    return vi.waitFor(async () => {
      const inbound = await this.inbound(id);
      if (inbound.state !== state) throw new Error(`still ${inbound.state}: ${JSON.stringify(inbound.error)}`);
      return inbound;
    }, patience);
  }

  /** The edited message of one that is done. */
  async result(id: string): Promise<Buffer> {
    const response = await this.request(`/v1/inbound/${id}/message`);
    if (response.status !== 200) throw new Error(`GET /v1/inbound/${id}/message: ${response.status}`);
    return Buffer.from(await response.arrayBuffer());
  }
}
