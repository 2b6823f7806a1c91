/**
 * The question on the wire: what is sent, and what tells its answer from other packets.
 */

import { AUTHENTIC_DATA, DNSSEC_OK, RECURSION_DESIRED, encode } from 'dns-packet';
import type { DecodedPacket } from 'dns-packet';
import { UDP_PAYLOAD_OCTETS } from '../limits.ts';
import type { RecordType } from '../resolver.ts';

/** A number from 0 to `bound` - 1 that nobody can foresee. */
export type Random = (bound: number) => number;

export interface Query {
  readonly id: number;
  /** As sent: in mixed case when that is asked for. */
  readonly name: string;
  readonly type: RecordType;
  readonly caseSensitive: boolean;
  readonly packet: Buffer;
}

export interface QueryStyle {
  readonly random: Random;
  /** Random letter case in the name, to be echoed exactly ("0x20"). */
  readonly mixedCase: boolean;
  /** Whether the query carries an OPT record; without it there are no DO bit and no answers over 512 octets. */
  readonly edns: boolean;
}

/**
 * A query with a fresh random id: recursion desired, AD set (RFC 6840 §5.7: tell us whether it is authentic),
 * EDNS(0) with DO and 1232 octets. `name` must be normalized.
 */
export function makeQuery(name: string, type: RecordType, style: QueryStyle): Query {
  const id = style.random(0x1_0000);
  const sent = style.mixedCase ? mixCase(name, style.random) : name;
  const packet = encode({
    type: 'query',
    id,
    flags: RECURSION_DESIRED | AUTHENTIC_DATA,
    questions: [{ type, class: 'IN', name: sent }],
    additionals: style.edns
      ? [
          {
            type: 'OPT',
            name: '.',
            udpPayloadSize: UDP_PAYLOAD_OCTETS,
            extendedRcode: 0,
            ednsVersion: 0,
            flags: DNSSEC_OK,
            flag_do: true,
            options: [],
          },
        ]
      : [],
  });
  return { id, name: sent, type, caseSensitive: style.mixedCase, packet };
}

/** Whether a decoded packet is the response to this query: id, direction, operation, and the question echoed (RFC 5452 §9.1). */
export function isResponseTo(packet: DecodedPacket, query: Query): boolean {
  if (packet.id !== query.id || !packet.flag_qr || opcode(packet) !== 0) return false;
  const questions = packet.questions ?? [];
  const echoed = questions[0];
  // A server that could not or would not read the question may leave it out of its refusal.
  if (echoed === undefined) return rcode(packet) !== 0 && rcode(packet) !== 3;
  if (questions.length !== 1 || echoed.type !== query.type || echoed.class !== 'IN') return false;
  return query.caseSensitive ? echoed.name === query.name : echoed.name.toLowerCase() === query.name.toLowerCase();
}

/** The extended RCODE (RFC 6891 §6.1.3): twelve bits, eight of them in the OPT record. */
export function rcode(packet: DecodedPacket): number {
  const low = (packet.flags ?? 0) & 0xf;
  for (const record of packet.additionals ?? []) {
    if (record.type === 'OPT') return low | (record.extendedRcode << 4);
  }
  return low;
}

function opcode(packet: DecodedPacket): number {
  return ((packet.flags ?? 0) >> 11) & 0xf;
}

function mixCase(name: string, random: Random): string {
  let mixed = '';
  for (const letter of name) mixed += random(2) === 0 ? letter : letter.toUpperCase();
  return mixed;
}
