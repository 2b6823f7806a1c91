import { SILENT_SERVER_MS } from '../limits.ts';
import type { NameServer } from './name-server.ts';

/**
 * Which name servers kept silent of late (RFC 1035 §7.2). They are asked last for a while: else a dead one costs every
 * question its share of the time.
 */
export class SilentServers {
  /** Until when a server is asked last, in milliseconds of `performance.now()`. */
  readonly #until = new Map<NameServer, number>();

  /** The servers in their order, those that kept silent behind the others. */
  putLast(servers: readonly NameServer[]): readonly NameServer[] {
    if (this.#until.size === 0) return servers;
    const now = performance.now();
    const isSilent = (server: NameServer): boolean => now < (this.#until.get(server) ?? 0);
    return [...servers.filter((server) => !isSilent(server)), ...servers.filter(isSilent)];
  }

  /** The server kept silent. */
  add(server: NameServer): void {
    this.#until.set(server, performance.now() + SILENT_SERVER_MS);
  }

  /** The server answered, whatever it said. */
  delete(server: NameServer): void {
    this.#until.delete(server);
  }
}
