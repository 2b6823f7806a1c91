import type { Agreement, Offer } from './agreement.ts';
import { readAgreement } from './agreement.ts';
import { negotiate } from './negotiate.ts';
import type { FilterWishes, Negotiation } from './negotiate.ts';
import { encodeReply } from './reply.ts';

/** A negotiation with what follows from it: what both ends go by, and the frame that says so. */
export type Negotiated =
  | { readonly ok: true; readonly agreement: Agreement; readonly reply: Uint8Array }
  | Extract<Negotiation, { readonly ok: false }>;

/** What came of the last offer, by the wishes it met. */
const lastOffers = new WeakMap<FilterWishes, { readonly offer: Offer; readonly negotiated: Negotiated }>();

/** As {@link negotiate}. An MTA offers the same over every connection, so the last outcome is kept. Wishes must not change. */
export function negotiateAgain(offer: Offer, wishes: FilterWishes): Negotiated {
  const last = lastOffers.get(wishes);
  if (last !== undefined && isSameOffer(last.offer, offer)) return last.negotiated;
  const result = negotiate(offer, wishes);
  const negotiated: Negotiated = result.ok
    ? {
        ok: true,
        agreement: readAgreement(result.answer),
        reply: encodeReply({ kind: 'negotiate', ...result.answer }),
      }
    : result;
  lastOffers.set(wishes, { offer, negotiated });
  return negotiated;
}

function isSameOffer(one: Offer, other: Offer): boolean {
  return one.version === other.version && one.actions === other.actions && one.protocol === other.protocol;
}
