/**
 * Getting one usable response out of several name servers that may be slow, broken or gone.
 */

import type { DecodedPacket } from 'dns-packet';
import type { DnsFailure, RecordType } from '../resolver.ts';
import type { NameServer } from './name-server.ts';
import type { Exchange } from './exchange.ts';
import { makeQuery, rcode } from './query.ts';
import type { Random } from './query.ts';
import { isReferral } from './response.ts';
import type { SilentServers } from './silent-servers.ts';
import { askTcp } from './tcp.ts';
import { askUdp } from './udp.ts';

export interface Upstream {
  readonly servers: readonly NameServer[];
  readonly silent: SilentServers;
  readonly random: Random;
  readonly mixedCase: boolean;
  /** Told of every query that is sent. */
  readonly onQuery: (transport: 'udp' | 'tcp') => void;
}

export type Reply =
  | { readonly ok: true; readonly packet: DecodedPacket; readonly octets: number; readonly server: NameServer }
  | { readonly ok: false; readonly reason: DnsFailure };

/** Times a server that keeps silent is asked. */
const ROUNDS = 2;

/** Which failure is told when servers failed in different ways: what a server said before what we did not hear. */
const BY_WEIGHT: readonly DnsFailure[] = ['servfail', 'refused', 'malformed', 'timeout', 'network'];

const RCODE = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  nameError: 3,
  notImplemented: 4,
  refused: 5,
  badVersion: 16,
};

/**
 * Asks the servers in their order until one gives a NOERROR or NXDOMAIN response; those that did not answer at all are
 * asked once more, and by the next questions after the others. The time left is shared evenly among the attempts left, and
 * ends at `deadline` (of `performance.now()`) in any case.
 */
export async function askServers(
  name: string,
  type: RecordType,
  upstream: Upstream,
  deadline: number,
  signal: AbortSignal,
): Promise<Reply> {
  const failures = new Set<DnsFailure>();
  let servers = upstream.silent.putLast(upstream.servers);
  for (let round = 1; round <= ROUNDS; round += 1) {
    const silent: NameServer[] = [];
    for (const [index, server] of servers.entries()) {
      const attemptsLeft = servers.length * (ROUNDS - round + 1) - index;
      const timeLeft = deadline - performance.now();
      if (timeLeft <= 0 || signal.aborted) return { ok: false, reason: heaviest(failures, 'timeout') };
      const reply = await askServer(name, type, upstream, server, timeLeft / attemptsLeft, signal);
      const isSilent = !reply.ok && (reply.reason === 'timeout' || reply.reason === 'network');
      // Silence until the wait was given up tells of the callers' impatience, not of the server.
      if (!isSilent) upstream.silent.delete(server);
      else if (!signal.aborted) upstream.silent.add(server);
      if (reply.ok) return reply;
      failures.add(reply.reason);
      if (isSilent) silent.push(server);
    }
    servers = silent;
  }
  return { ok: false, reason: heaviest(failures, 'timeout') };
}

async function askServer(
  name: string,
  type: RecordType,
  upstream: Upstream,
  server: NameServer,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Reply> {
  const end = performance.now() + timeoutMs;
  const timeLeft = (): number => Math.max(1, end - performance.now());
  const ask = (transport: 'udp' | 'tcp', edns: boolean): Promise<Exchange> => {
    upstream.onQuery(transport);
    const query = makeQuery(name, type, { random: upstream.random, mixedCase: upstream.mixedCase, edns });
    return (transport === 'udp' ? askUdp : askTcp)(query, server, timeLeft(), signal);
  };
  let edns = true;
  let exchange = await ask('udp', edns);
  if (exchange.outcome === 'response' && refusesEdns(exchange.packet)) {
    edns = false;
    exchange = await ask('udp', edns);
  }
  if (exchange.outcome === 'response' && exchange.packet.flag_tc) exchange = await ask('tcp', edns);
  if (exchange.outcome !== 'response') return { ok: false, reason: exchange.outcome };
  const failure = failureOf(exchange.packet);
  if (failure !== null) return { ok: false, reason: failure };
  return { ok: true, packet: exchange.packet, octets: exchange.octets, server };
}

/** How servers from before EDNS answer a query that has it (RFC 6891 §7). */
function refusesEdns(packet: DecodedPacket): boolean {
  const code = rcode(packet);
  return code === RCODE.formatError || code === RCODE.notImplemented || code === RCODE.badVersion;
}

function failureOf(packet: DecodedPacket): DnsFailure | null {
  const code = rcode(packet);
  if (code === RCODE.refused) return 'refused';
  if (code !== RCODE.noError && code !== RCODE.nameError) return 'servfail';
  return isReferral(packet) ? 'servfail' : null;
}

function heaviest(failures: ReadonlySet<DnsFailure>, otherwise: DnsFailure): DnsFailure {
  return BY_WEIGHT.find((failure) => failures.has(failure)) ?? otherwise;
}
