import type { SharedLookups } from '@zegel/dns';
import { checkHelo, checkHost } from '@zegel/spf';
import type { SpfResult } from '@zegel/spf';
import type { AuthenticationContext } from './context.ts';
import { notice } from './notices.ts';
import type { Notice } from './report.ts';

/** Both identities of a message (RFC 7208 §2.3, §2.4), each with its result or the word that it was not checked. */
export interface SpfChecks {
  readonly mailFrom: SpfResult | NotChecked;
  readonly helo: SpfResult | NotChecked;
}

export interface NotChecked extends Notice {
  readonly result: 'none';
  readonly identity: SpfResult['identity'];
  readonly domain: '';
  readonly evidence?: undefined;
}

/** Checks SPF for both identities, as far as the door knows them. Rejects with an `SpfInputError` for an `ip` that is none. */
export async function checkSpf(
  { session, envelope }: AuthenticationContext,
  lookups: SharedLookups,
  now: Date,
  signal: AbortSignal,
  receiver: string,
): Promise<SpfChecks> {
  const { ip, helo = '' } = session ?? {};
  const mailFrom = envelope?.mailFrom;
  if (ip === undefined) return { mailFrom: notChecked('mailfrom'), helo: notChecked('helo') };
  const options = { ip, helo, now, signal, receiver };
  const [mailFromVerdict, heloVerdict] = await Promise.all([
    mailFrom === undefined
      ? notChecked('mailfrom')
      : checkHost({ ...options, resolver: lookups.share(), mailFrom: asMailbox(mailFrom) }),
    helo === '' ? notChecked('helo') : checkHelo({ ...options, resolver: lookups.share() }),
  ]);
  return { mailFrom: mailFromVerdict, helo: heloVerdict };
}

/**
 * The mailbox in a reverse-path as MTAs take it, which read it as the tokens of RFC 822: blanks behind the `@` are none, and
 * a source route before it, `@relay.example:a@example.com`, is ignored (RFC 5321 §3.6.1, Appendix C).
 */
function asMailbox(mailFrom: string): string {
  const mailbox = mailFrom.replace(/^@[^:]*:(?=.)/, '');
  const domain = mailbox.lastIndexOf('@') + 1;
  return mailbox.slice(0, domain) + mailbox.slice(domain).replace(/^[ \t]+/, '');
}

function notChecked(identity: 'mailfrom' | 'helo'): NotChecked {
  const words = notice('spf.not-checked', { missing: identity === 'helo' ? 'the HELO name' : 'MAIL FROM' });
  return { ...words, result: 'none', identity, domain: '' };
}
