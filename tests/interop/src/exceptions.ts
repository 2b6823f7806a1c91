import type { GeneratedMessage } from '@zegel/test-harness';
import type { CanonicalizationPair, DkimAlgorithm } from './implementation.ts';
import type { PeerName } from './peer.ts';

/** What a peer did that the others do not follow. */
export interface Situation {
  readonly message: GeneratedMessage;
  readonly algorithm: DkimAlgorithm;
  readonly canonicalization: CanonicalizationPair;
}

/**
 * A disagreement that is the peer's fault. It excuses nothing alone: on every message that it is used for, another peer
 * must side with us.
 */
export interface KnownException {
  readonly peer: PeerName;
  /** `reader`: it refuses the whole message, to sign and to verify. `signer`: what it signs does not verify. */
  readonly as: 'reader' | 'signer';
  readonly what: string;
  /** The standard's own words. */
  readonly standard: string;
  applies(situation: Situation): boolean;
}

/** Every exception there is. A disagreement that is not described here fails the tests. */
export const knownExceptions: readonly KnownException[] = [
  {
    peer: 'dkimpy',
    as: 'reader',
    what: 'refuses white space between a field name and its colon',
    standard:
      'RFC 6376 §3.4.2: "Delete any WSP characters remaining before and after the colon separating the header field name from the header field value."',
    applies: ({ message }) => message.features.has('space-before-colon'),
  },
  {
    peer: 'libopendkim',
    as: 'reader',
    what: 'refuses a field name with a semicolon in it',
    standard:
      'RFC 5322 §2.2: "A field name MUST be composed of printable US-ASCII characters (i.e., characters that have values between 33 and 126, inclusive), except colon."',
    applies: ({ message }) => message.features.has('semicolon-in-field-name'),
  },
  {
    peer: 'dkimpy',
    as: 'signer',
    what: 'folds h= in the middle of a name that is longer than a line',
    standard: 'RFC 6376 §3.5: sig-h-tag = %x68 [FWS] "=" [FWS] hdr-name *( [FWS] ":" [FWS] hdr-name )',
    applies: ({ message }) => message.features.has('long-field-name'),
  },
  {
    peer: 'libopendkim',
    as: 'signer',
    what: 'signs its own field with b= behind h=, and then emits b= on a line of its own',
    standard:
      'RFC 6376 §3.4.1: "The "simple" header canonicalization algorithm does not change header fields in any way."',
    applies: ({ algorithm, canonicalization }) =>
      algorithm === 'ed25519-sha256' && canonicalization.startsWith('simple/'),
  },
];
