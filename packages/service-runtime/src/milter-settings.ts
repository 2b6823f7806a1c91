import { z } from 'zod';
import { parseAddress } from './listen-address.ts';
import type { HostPort } from './listen-address.ts';
import { configLimits } from './limits.ts';
import { boolean, integer, mapping, structure, textOf } from './setting.ts';

/** Where a milter listens: a TCP port or a Unix socket. */
export type MilterAddress = HostPort | { readonly path: string };

const modes = ['sign', 'verify', 'both'] as const;

const listener = mapping(
  {
    address: textOf('unix:/absolute/path, or host:port with an IPv6 host in brackets', parseMilterAddress),
    mode: z.enum(modes, { error: 'sign, verify or both' }),
    permissions: textOf('three octal digits in quotes, such as "660"', parsePermissions).optional(),
  },
  'a listener with address and mode',
);

/** Settings of the milter, section `milter` of the file. */
export const milterSettings = z.object({
  listen: structure(z.array(listener, { error: 'a list of listeners' }).max(configLimits.maxListeners), [], {
    variable: 'ZEGEL_MILTER_LISTEN',
    description:
      'Listeners of the milter, each with its mode: "sign" for mail of one\'s own, "verify" for mail of others, "both" where it is told apart message by message. A Unix socket may have permissions (the umask decides otherwise).',
    allowed: 'a list of {address, mode, permissions}',
    fallback: 'none: the milter does not run',
  }),
  processes: integer('ZEGEL_MILTER_PROCESSES', 1, [1, 256], 'processes', 'Processes that serve the same sockets.'),
  maxConnections: integer(
    'ZEGEL_MILTER_MAX_CONNECTIONS',
    1000,
    [1, 100_000],
    'connections',
    'Connections that one process serves at the same time; further ones wait.',
  ),
  idleMs: integer(
    'ZEGEL_MILTER_IDLE_MS',
    7_210_000,
    [1000, 86_400_000],
    'ms',
    'How long a connection may be silent while its mail server waits for a client: between messages, and until the whole message is there.',
  ),
  commandMs: integer(
    'ZEGEL_MILTER_COMMAND_MS',
    300_000,
    [1000, 86_400_000],
    'ms',
    'How long a connection may be silent while its mail server hands over a message.',
  ),
  removeOwnResultsOutbound: boolean(
    'ZEGEL_MILTER_REMOVE_OWN_RESULTS_OUTBOUND',
    true,
    'Whether Authentication-Results under our names are removed from outbound mail too.',
  ),
});

/** Reads `unix:/path` or `host:port`; null for anything else. */
export function parseMilterAddress(text: string): MilterAddress | null {
  if (!text.startsWith('unix:')) return parseAddress(text);
  const path = text.slice('unix:'.length);
  const fits = Buffer.byteLength(path) <= configLimits.maxSocketPathBytes;
  return path.startsWith('/') && !path.includes('\0') && fits ? { path } : null;
}

function parsePermissions(text: string): number | null {
  return /^0?[0-7]{3}$/.test(text) ? Number.parseInt(text, 8) : null;
}
