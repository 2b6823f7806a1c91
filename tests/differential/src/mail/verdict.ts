import type { DkimVerdict } from '@zegel/authentication';

/** One signature's verdict by mailauth. */
export interface MailauthVerdict {
  readonly result: string;
  readonly comment: string;
  /** Octets of the canonical body that l= leaves out. */
  readonly underSized: number;
}

/**
 * Whether our verdict on a signature and mailauth's are the same one.
 *
 * A pass is a pass, and a signature whose l= leaves out some of the body is one that mailauth passes and marks. Of the
 * others, RFC 8601 §2.7.1 leaves the word to the verifier, so words are held against each other by what was found:
 *
 * - what we call `permerror` mailauth calls `neutral`, or `policy` for rsa-sha1, and it finds out about keys last: a
 *   body that differs is `fail` to it whatever the key. An expired signature, whose key we do not ask for, may be anything
 *   to it but a pass;
 * - `policy` for a short key, `temperror` for a dead name server and `fail` for a changed message are the same words.
 */
export function agreesWithMailauth(ours: DkimVerdict, theirs: MailauthVerdict): boolean {
  const bodyFirst = theirs.result === 'fail' && theirs.comment === 'body hash did not verify';
  switch (ours.code) {
    case 'dkim.pass':
      return theirs.result === 'pass' && theirs.underSized === 0;
    case 'dkim.body-not-covered':
      return theirs.result === 'pass' && theirs.underSized > 0;
    case 'dkim.none':
      return theirs.result === 'none';
    case 'dkim.body-hash-mismatch':
    case 'dkim.signature-mismatch':
      return theirs.result === 'fail';
    case 'dkim.dns-failure':
      return theirs.result === 'temperror' || bodyFirst;
    case 'dkim.key-too-short':
      return theirs.result === 'policy' || bodyFirst;
    case 'dkim.algorithm-obsolete':
      return theirs.result === 'policy' || theirs.result === 'neutral' || bodyFirst;
    case 'dkim.expired':
    case 'dkim.too-many-signatures':
    case 'dkim.timestamp-in-future':
    case 'dkim.body-length-exceeds':
    case 'dkim.key-too-long':
    case 'dkim.key-exponent':
      return theirs.result !== 'pass';
    default:
      return theirs.result === 'neutral' || bodyFirst;
  }
}

/** Whether the hashes fit, as far as we can tell: what dkimpy and Mail::DKIM call a pass. */
export function holds(ours: DkimVerdict): boolean {
  return ours.code === 'dkim.pass' || ours.code === 'dkim.body-not-covered';
}
