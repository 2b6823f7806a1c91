import { parseMilterAddress } from '@zegel/service-runtime/config';
import type { ConfOption } from './conf-file.ts';
import type { Notes } from './note.ts';

/** A listener of our configuration. */
export interface ImportedListener {
  readonly address: string;
  readonly mode: 'both' | 'verify';
  readonly permissions?: string;
}

/** `Socket` with `Mode` and `UMask`; null, with a note, when it is none that we listen on. */
export function readListener(
  socket: ConfOption,
  mode: ConfOption | undefined,
  umask: ConfOption | undefined,
  notes: Notes,
): ImportedListener | null {
  const address = addressOf(socket.value);
  if (address === null || parseMilterAddress(address) === null) {
    notes.add('dropped', socket.name, socket, `${socket.value} is neither local:/path nor inet:port@host.`);
    return null;
  }
  if (/^(?:0\.0\.0\.0|\[::\]):/.test(address)) {
    notes.add(
      'changed',
      socket.name,
      socket,
      'It listens on every interface, and the milter protocol knows no passwords: name an address that only the mail server reaches.',
    );
  }
  const permissions = address.startsWith('unix:') ? permissionsOf(umask?.value) : null;
  return { address, mode: modeOf(mode, notes), ...(permissions === null ? {} : { permissions }) };
}

/** Without a mode OpenDKIM signs what comes from internal hosts and verifies the rest. */
function modeOf(mode: ConfOption | undefined, notes: Notes): ImportedListener['mode'] {
  const value = mode?.value ?? 'sv';
  if (!value.includes('s')) return 'verify';
  if (!value.includes('v') && mode !== undefined) {
    notes.add(
      'changed',
      mode.name,
      mode,
      'Mail that is not outbound is authenticated and annotated, not passed over. A listener of mode "sign" takes everything for outbound: use it where only your own mail comes through.',
    );
  }
  return 'both';
}

function addressOf(text: string): string | null {
  const [, kind = '', rest = ''] = /^(local|unix|inet6?):(.*)$/.exec(text) ?? [];
  if (kind === 'local' || kind === 'unix') return rest.startsWith('/') ? `unix:${rest}` : null;
  if (kind === '' && text.startsWith('/')) return `unix:${text}`;
  const [, port = '', host = ''] = /^(\d{1,5})(?:@(.+))?$/.exec(rest) ?? [];
  if (port === '' || Number(port) > 65_535) return null;
  if (host === '') return kind === 'inet6' ? `[::]:${port}` : `0.0.0.0:${port}`;
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  return bare.includes(':') ? `[${bare}]:${port}` : `${bare}:${port}`;
}

/** What is left of 0777 by a umask in octal digits. */
function permissionsOf(umask: string | undefined): string | null {
  if (umask === undefined || !/^0?[0-7]{1,3}$/.test(umask)) return null;
  return (0o777 & ~Number.parseInt(umask, 8) & 0o666).toString(8).padStart(3, '0');
}
