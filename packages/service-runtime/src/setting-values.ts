import { isSelector } from '@zegel/dkim';
import { parseNetwork } from '@zegel/mail-policy';
import { normalizeDomain } from '@zegel/message';
import { z } from 'zod';
import { configLimits } from './limits.ts';
import { mapping, textOf } from './setting.ts';

// Values of the field, as parts of settings: domains, selectors, networks, keys.

/** In the form in which domains are compared. */
export const domainName = textOf('a domain name', normalizeDomain);
const selectorName = textOf('a selector', (text) => (isSelector(text) ? text : null));
export const selectorList = z
  .array(selectorName, { error: 'a list of selectors' })
  .min(1, { error: 'a list of selectors' });
export const networkText = textOf('an IP address, or a network such as 192.0.2.0/24', parseNetwork);
/** As it stands: what it counts from is known later. */
export const pathText = textOf('a path', (text) => (text === '' || text.includes('\0') ? null : text));

/** What is said of every setting that is a list of networks or of domains. */
export const networksAllowed = {
  allowed: 'a comma-separated list of IP addresses and networks',
  fallback: 'none',
};
export const domainsAllowed = { allowed: 'a comma-separated list of domain names', fallback: 'none' };

/** A list of such items, of bounded length. */
export function listOf<T>(item: z.ZodType<T>, allowed: string) {
  return z
    .array(item, { error: allowed })
    .max(configLimits.maxListItems, { error: `at most ${configLimits.maxListItems} items` });
}

/** Where a private key is. */
export interface KeyFile {
  readonly domain: string;
  readonly selector: string;
  /** PEM, RSA or Ed25519. */
  readonly file: string;
}

export const keyFile = mapping(
  { domain: domainName, selector: selectorName, file: pathText },
  'a key with domain, selector and file',
);
