import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import type { ListenerMode } from '@zegel/mail-policy';
import { MilterConnection, milterLimits } from '@zegel/milter-protocol';
import type { ConnectionEnd, FilterWishes } from '@zegel/milter-protocol';
import { errorCode } from '@zegel/service-runtime';
import type { Connections } from './connections.ts';
import { milterServiceLimits } from './limits.ts';
import { listenAt } from './listen-address.ts';
import type { ListenAddress } from './listen-address.ts';
import { SessionHandler } from './session-handler.ts';
import type { HandlerGround } from './session-handler.ts';

export interface ListenSettings {
  readonly address: ListenAddress;
  readonly mode: ListenerMode;
  /** Mode bits of the file of a Unix socket. Default: what the umask leaves. */
  readonly permissions?: number | undefined;
}

export interface ListenerOptions extends ListenSettings {
  /** Milliseconds that an MTA may be silent: while it waits for a client, and while it hands over a message. */
  readonly idleMs: number;
  readonly commandMs: number;
}

/** A listener that is open. Dispose to stop listening; its connections go on. */
export interface MilterListener extends AsyncDisposable {
  /** As in a configuration: `unix:/path`, `host:port`. */
  readonly address: string;
  readonly mode: ListenerMode;
}

/** Milliseconds of silence after which the kernel asks whether the other end is still there. */
const keepAliveMs = 60_000;

/** Opens a listener. See {@link listenAt} for what it rejects with. */
export async function openListener(
  { address, mode, permissions, idleMs, commandMs }: ListenerOptions,
  connections: Connections,
  ground: Omit<HandlerGround, 'mode'>,
): Promise<MilterListener> {
  const { instruments, logger } = ground;
  const handlerGround: HandlerGround = { ...ground, mode };
  const options = {
    wishes: wishesOf(mode),
    idleMs,
    commandMs,
    limits: { ...milterLimits, maxMessageFrames: milterServiceLimits.maxMessageFrames },
  };
  const serve = (socket: Socket): MilterConnection => {
    const connection = new MilterConnection(socket, (session) => new SessionHandler(handlerGround, session), options);
    const { remoteAddress } = socket;
    connection.ended.then(
      (end) => tellEnd(end, remoteAddress),
      (error: unknown) => {
        instruments.countProtocolError({ code: errorCode(error) });
        logger.error({ err: error, code: errorCode(error) }, 'a connection ended in an error');
      },
    );
    return connection;
  };
  const tellEnd = ({ reason, code, explanation, messages }: ConnectionEnd, remoteAddress: string | undefined): void => {
    if (code === null) {
      logger.debug({ reason, messages }, 'connection over');
      return;
    }
    instruments.countProtocolError({ code });
    logger.warn({ reason, code, explanation, messages, remoteAddress }, 'connection closed for what came over it');
  };

  // An MTA whose machine is gone is noticed long before it has been silent for too long.
  const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs }, (socket) => {
    if (connections.add(socket, serve)) return;
    instruments.countProtocolError({ code: 'connection.too-many' });
    logger.warn({ code: 'connection.too-many', open: connections.open }, 'a connection was closed: too many of them');
  });
  const listening = await listenAt(server, address, permissions);
  // Such as no descriptor left for a connection: the listener goes on.
  server.on('error', (error) => logger.error({ err: error, code: errorCode(error) }, 'a listener reports an error'));
  return {
    address: listening,
    mode,
    async [Symbol.asyncDispose]() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      // Closed once its connections are, which is not waited for here.
      closed.catch(() => {});
    },
  };
}

/**
 * What is wanted of an MTA. Recipients, DATA and unknown commands say nothing that is needed, and no step but the end of a
 * message is answered: one reply for each message.
 */
function wishesOf(mode: ListenerMode): FilterWishes {
  return {
    actions: ['add-header', 'change-header'],
    optionalActions: mode === 'sign' ? [] : ['quarantine'],
    leaveOut: ['recipient', 'data', 'unknown'],
    silent: ['connect', 'helo', 'mail', 'header', 'end-of-header', 'body'],
    macros: [
      { stage: 'connect', names: ['{daemon_name}', '{client_addr}'] },
      { stage: 'mail', names: ['i', '{auth_authen}'] },
      { stage: 'end-of-header', names: ['i', '{auth_authen}'] },
      { stage: 'end-of-message', names: ['i'] },
    ],
  };
}
