import { UnsignableMessageError, signMessage, verifyMessage } from '@zegel/dkim';
import { ZoneResolver } from '@zegel/dns';
import { parseHeader } from '@zegel/message';
import { oddMessages } from '../conformance-messages.ts';
import { fuzzKey, fuzzZone } from '../fuzz-key.ts';
import { must } from '../target.ts';
import type { FuzzTarget } from '../target.ts';
import { message } from './message.ts';

const now = new Date('2026-11-24T00:00:00Z');
const resolver = new ZoneResolver(fuzzZone);

/** Signing: what is signed verifies, and what is not is refused with a code. */
export const dkimSign: FuzzTarget = {
  name: 'dkim-sign',
  covers: ['dkim', 'canonicalization'],
  tokens: message.tokens,
  seeds: () => oddMessages(),
  run: async (raw) => {
    const forms = raw.length % 2 === 0 ? 'relaxed' : 'simple';
    let signature: Uint8Array;
    try {
      signature = await signMessage(raw, { keys: [fuzzKey], now, canonicalization: { header: forms, body: forms } });
    } catch (error) {
      if (error instanceof UnsignableMessageError) return [error.code];
      throw error;
    }
    must(parseHeader(signature).fields.length === 1, 'a signature that is not one field');
    const [result] = await verifyMessage(Buffer.concat([signature, raw]), { resolver, now });
    must(result?.result === 'pass', `signed, and not verified: ${result?.code.replaceAll('-', ' ')}`);
    return ['signed'];
  },
};
