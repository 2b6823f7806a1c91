import type { KeyState } from '@zegel/database';

/**
 * The life of a key. A published record is never replaced in place: a new key gets a new selector, signs when its
 * record is seen in DNS, and the old one stays published while mail signed with it is under way.
 *
 * - `pending`: made; its record is to be published
 * - `published`: its record was seen in DNS
 * - `active`: signs
 * - `retiring`: signs no more; its record still stands. May become active again (roll back)
 * - `revoked`: its record is to be published with an empty p= (RFC 6376 §3.6.1); the private key is destroyed
 * - `deleted`: its record is to be removed; the row stays, so that the selector is not used again
 */
const nextStates: Readonly<Record<KeyState, readonly KeyState[]>> = {
  pending: ['published', 'deleted'],
  published: ['active', 'deleted'],
  active: ['retiring'],
  retiring: ['active', 'revoked'],
  revoked: ['deleted'],
  deleted: [],
};

/** The states a key can go to from here. */
export function nextKeyStates(state: KeyState): readonly KeyState[] {
  return nextStates[state];
}

/** Whether a key in this state still has its private half. */
export function hasPrivateKey(state: KeyState): boolean {
  return state !== 'revoked' && state !== 'deleted';
}
