import type { Socket } from 'node:net';
import type { MilterConnection } from '@zegel/milter-protocol';
import { PassingSet } from './passing-set.ts';

export interface ConnectionLimits {
  /** Connections served at one time. */
  readonly maxConnections: number;
  /** Connections beyond them that wait for a place. */
  readonly maxWaiting: number;
}

type Serve = (socket: Socket) => MilterConnection;

/**
 * The connections of all listeners. When every place is taken, a further connection waits unread: its MTA meets its own
 * time limit for the negotiation, and nothing is spent on it before its turn.
 */
export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #open = new PassingSet<MilterConnection>();
  readonly #waiting = new Map<Socket, Serve>();
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
    this.#waiting.set(socket, serve);
    socket.pause();
    socket.on('error', () => {
      // Shows as a close.
    });
    socket.once('close', () => this.#waiting.delete(socket));
    return true;
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
      const [socket, serve] = next;
      this.#waiting.delete(socket);
      this.#serve(socket, serve);
      socket.resume();
    } else if (this.#open.size === 0) {
      this.#whenEmpty?.();
    }
  }

  /** Takes no further message: connections end now, or when the message in progress is answered. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const socket of this.#waiting.keys()) socket.destroy();
    this.#waiting.clear();
    if (this.#open.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#whenEmpty = resolve;
    for (const { value } of this.#open.members()) value.stop();
    await promise;
  }
}
