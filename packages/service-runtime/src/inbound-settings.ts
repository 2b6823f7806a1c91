import { parseNetwork } from '@zegel/mail-policy';
import { normalizeDomain } from '@zegel/message';
import { z } from 'zod';
import { list, structure, word } from './setting.ts';
import { domainsAllowed, keyFile, networksAllowed } from './setting-values.ts';

/** Section `inbound`: what becomes of mail that comes in. */
export const inboundSettings = z.object({
  policy: word(
    'ZEGEL_INBOUND_POLICY',
    ['annotate', 'enforce'],
    'annotate',
    '"annotate" accepts everything with its results; "enforce" rejects and quarantines as DMARC asks.',
  ),
  onTemporaryError: word(
    'ZEGEL_INBOUND_ON_TEMPORARY_ERROR',
    ['accept', 'tempfail'],
    'accept',
    'What becomes of mail whose DMARC result is not known for now. It is never rejected for good.',
  ),
  onAmbiguousAuthor: word(
    'ZEGEL_INBOUND_ON_AMBIGUOUS_AUTHOR',
    ['accept', 'quarantine', 'reject'],
    'reject',
    'Under "enforce": what becomes of mail without one author domain, which no DMARC policy could speak for.',
  ),
  onLimitExceeded: word(
    'ZEGEL_INBOUND_ON_LIMIT_EXCEEDED',
    ['accept', 'quarantine', 'reject'],
    'reject',
    'Under "enforce": what becomes of mail above a limit, which is not checked. Accepted, it passes every DMARC policy.',
  ),
  arcSeal: structure(keyFile, undefined, {
    variable: 'ZEGEL_INBOUND_ARC_SEAL',
    description: 'Key with which inbound mail is sealed (ARC, RFC 8617), for whoever gets it next.',
    allowed: '{domain, selector, file}',
    fallback: 'none: mail is not sealed',
  }),
});

/** Section `inbound.exceptions`: mail to which no DMARC policy is applied. */
export const exceptionSettings = z.object({
  domains: list(normalizeDomain, {
    variable: 'ZEGEL_INBOUND_EXCEPTIONS_DOMAINS',
    description: 'Author domains, with all below them, whose DMARC policy is not applied.',
    ...domainsAllowed,
  }),
  networks: list(parseNetwork, {
    variable: 'ZEGEL_INBOUND_EXCEPTIONS_NETWORKS',
    description: 'Clients for whose mail no DMARC policy is applied.',
    ...networksAllowed,
  }),
  sealers: list(normalizeDomain, {
    variable: 'ZEGEL_INBOUND_EXCEPTIONS_SEALERS',
    description:
      'Domains, compared whole, whose ARC seal is believed when it says that DMARC passed there. They count as trustedSealers too.',
    ...domainsAllowed,
  }),
  mailingLists: list(normalizeDomain, {
    variable: 'ZEGEL_INBOUND_EXCEPTIONS_MAILING_LISTS',
    description: 'Domains of mailing lists, with all below them: mail that SPF or DKIM authenticates for one of them.',
    ...domainsAllowed,
  }),
});
