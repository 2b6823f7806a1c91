import { chmodSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { signMessage } from '@zegel/dkim';
import type { SigningKey } from '@zegel/dkim';
import { serveMilter } from '@zegel/milter-protocol';
import type { CreateHandler } from '@zegel/milter-protocol';

/** What `c=` of @zegel/dkim takes. */
type Canonicalization = 'simple' | 'relaxed';

/** A filter of the test's own: it signs whatever it is shown with one canonicalization for header and body. */
export interface OwnFilter extends AsyncDisposable {
  /** Each message as the MTA showed it, put together again, by the address in MAIL FROM. */
  readonly shown: ReadonlyMap<string, Buffer>;
  /** Listens on a port of 127.0.0.1 that is answered, or on a unix socket that everybody may connect to. */
  listen(where: number | string): Promise<number>;
}

export function ownFilter(keys: readonly SigningKey[], canonicalization: Canonicalization): OwnFilter {
  const shown = new Map<string, Buffer>();
  const createHandler: CreateHandler = () => {
    let sender = '';
    const pieces: Uint8Array[] = [];
    return {
      mail: ({ address }) => {
        sender = address.replace(/^<|>$/gu, '');
        pieces.length = 0;
      },
      header: (name, value) => {
        // Lines of a folded field come with a bare LF.
        const text = Buffer.from(value).toString('latin1').replaceAll('\n', '\r\n');
        pieces.push(name, Buffer.from(`:${text}\r\n`, 'latin1'));
      },
      endOfHeader: () => void pieces.push(Buffer.from('\r\n')),
      body: (chunk) => void pieces.push(Buffer.from(chunk)),
      endOfMessage: async () => {
        const raw = Buffer.concat(pieces);
        shown.set(sender, raw);
        const kinds = { header: canonicalization, body: canonicalization };
        const sign = (key: SigningKey): Promise<Uint8Array> =>
          signMessage(raw, { keys: [key], canonicalization: kinds });
        return { edits: { remove: [], prepend: await Promise.all(keys.map(sign)) } };
      },
    };
  };
  const servers = new Set<ReturnType<typeof createServer>>();
  return {
    shown,
    listen: async (where) => {
      const server = createServer({ noDelay: true }, (socket) => {
        const wishes = { actions: ['add-header'], silent: ['header', 'body'] } as const;
        void serveMilter(socket, createHandler, { wishes, idleMs: 600_000 });
      });
      servers.add(server);
      server.listen(where);
      await once(server, 'listening');
      if (typeof where === 'string') chmodSync(where, 0o777);
      const address = server.address();
      return address === null || typeof address === 'string' ? 0 : address.port;
    },
    [Symbol.asyncDispose]: async () => {
      for (const server of servers) server.close();
      await Promise.all([...servers].filter(({ listening }) => listening).map((server) => once(server, 'close')));
    },
  };
}
