import type { Socket } from 'node:net';
import type { MilterConnection } from '@zegel/milter-protocol';
import { PassingSet } from './passing-set.ts';

export interface ConnectionLimits {
  /** Connections served at one time. */
  readonly maxConnections: number;
  /** Connections beyond them that wait for a place. */
  readonly maxWaiting: number;
  /** Milliseconds that one of them waits; then it is closed. */
  readonly waitMs: number;
}

type Served = Pick<MilterConnection, 'ended' | 'stop'>;
type Serve = (socket: Socket) => Served;

/**
 * The connections of all listeners. When every place is taken, a further connection waits unread: its MTA meets its own
 * time limit for the negotiation, and nothing is spent on it before its turn. Unread, it does not show that its MTA has
 * gone: its wait is bounded, so that those that have gone do not keep others out.
 */
export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #open = new PassingSet<Served>();
  readonly #waiting = new Map<Socket, { readonly serve: Serve; readonly timer: NodeJS.Timeout }>();
  #isStopping = false;
  #whenEmpty: (() => void) | null = null;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  get open(): number {
    return this.#open.size;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Takes a new connection in. Answers false when it was closed: even the places to wait in are taken. */
  add(socket: Socket, serve: Serve): boolean {
    if (this.#isStopping) {
      socket.destroy();
      return true;
    }
    if (this.#open.size < this.#limits.maxConnections) {
      this.#serve(socket, serve);
      return true;
    }
    if (this.#waiting.size >= this.#limits.maxWaiting) {
      socket.destroy();
      return false;
    }
    const timer = setTimeout(() => socket.destroy(), this.#limits.waitMs);
    this.#waiting.set(socket, { serve, timer });
    socket.pause();
    socket.on('error', () => {
      // Shows as a close.
    });
    socket.once('close', () => this.#endWait(socket));
    return true;
  }

  #endWait(socket: Socket): void {
    clearTimeout(this.#waiting.get(socket)?.timer);
    this.#waiting.delete(socket);
  }

  #serve(socket: Socket, serve: Serve): void {
    const connection = serve(socket);
    const member = this.#open.add(connection);
    const over = (): void => {
      this.#open.delete(member);
      this.#serveNext();
    };
    connection.ended.then(over, over);
  }

  #serveNext(): void {
    const [next] = this.#waiting;
    if (next !== undefined) {
      const [socket, { serve }] = next;
      this.#endWait(socket);
      this.#serve(socket, serve);
      socket.resume();
    } else if (this.#open.size === 0) {
      this.#whenEmpty?.();
    }
  }

  /** Takes no further message: connections end now, or when the message in progress is answered. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const socket of this.#waiting.keys()) {
      this.#endWait(socket);
      socket.destroy();
    }
    if (this.#open.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#whenEmpty = resolve;
    for (const { value } of this.#open.members()) value.stop();
    await promise;
  }
}
