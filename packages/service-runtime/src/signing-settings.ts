import { identityWithin, isSignableName } from '@zegel/dkim';
import { defaultRefusalPolicy, parseAuthorPattern } from '@zegel/mail-policy';
import type { AdditionalSigning, SigningRule } from '@zegel/mail-policy';
import { normalizeDomain } from '@zegel/message';
import { z } from 'zod';
import { integer, list, mapping, optional, structure, textOf, word } from './setting.ts';
import { domainName, keyFile, listOf, selectorList } from './setting-values.ts';

const seconds = z
  .int({ error: 'a whole number of seconds' })
  .min(60, { error: 'at least 60 seconds' })
  .max(315_360_000, { error: 'at most ten years in seconds' });

const alsoSign = listOf(
  mapping(
    { domain: domainName, selectors: selectorList.optional() },
    'a domain, and its selectors where not all shall sign',
  ),
  'a list of {domain, selectors}',
).transform((entries): readonly AdditionalSigning[] =>
  entries.map(({ domain, selectors }) => ({ domain, ...(selectors === undefined ? {} : { selectors }) })),
);

const rule = mapping(
  {
    author: textOf('a domain name, *.domain or "*"', (text) => (parseAuthorPattern(text) === null ? null : text)),
    domain: domainName.optional(),
    selectors: selectorList.optional(),
    subdomains: z.boolean({ error: 'true or false' }).optional(),
    identity: textOf('author-domain, or an address or @domain', parseIdentity).optional(),
    validitySeconds: seconds.optional(),
    alsoSign: alsoSign.optional(),
  },
  'a rule with author',
).transform((given, context): SigningRule => {
  const { author, domain, selectors, subdomains, identity, validitySeconds, alsoSign: additional } = given;
  const pattern = parseAuthorPattern(author);
  const signing = domain ?? (pattern === null || pattern.kind === 'any' ? undefined : pattern.domain);
  if (
    identity !== undefined &&
    identity !== 'author-domain' &&
    signing !== undefined &&
    identityWithin(identity, signing) === null
  ) {
    context.addIssue({
      code: 'custom',
      message: `an address or @domain at ${signing} or below it`,
      input: identity,
      path: ['identity'],
    });
  }
  return {
    author,
    ...(domain === undefined ? {} : { domain }),
    ...(selectors === undefined ? {} : { selectors }),
    ...(subdomains === undefined ? {} : { subdomains }),
    ...(identity === undefined ? {} : { identity }),
    ...(validitySeconds === undefined ? {} : { validity: validitySeconds }),
    ...(additional === undefined ? {} : { additional }),
  };
});

const rules = listOf(rule, 'a list of rules').superRefine((given, context) => {
  const seen = new Set<string>();
  for (const [index, { author }] of given.entries()) {
    const pattern = parseAuthorPattern(author);
    const key = pattern === null || pattern.kind === 'any' ? author : `${pattern.kind} ${pattern.domain}`;
    if (seen.has(key)) {
      context.addIssue({ code: 'custom', message: 'in one rule only', input: author, path: [index, 'author'] });
    }
    seen.add(key);
  }
});

const canonicalizations = ['relaxed/relaxed', 'relaxed/simple', 'simple/relaxed', 'simple/simple'] as const;

function parseIdentity(text: string): string | null {
  if (text === 'author-domain') return text;
  const at = text.lastIndexOf('@');
  return at !== -1 && normalizeDomain(text.slice(at + 1)) !== null ? text : null;
}

const keyFiles = z.preprocess(
  (given) => (given === 'store' ? undefined : given),
  listOf(keyFile, '"store", or a list of {domain, selector, file}').optional(),
);

/** Section `signing`: with which keys, and what becomes of a message that is not signed. */
export const signingSettings = z.object({
  keys: structure(keyFiles, undefined, {
    variable: 'ZEGEL_SIGNING_KEYS',
    description: 'Private keys in PEM files, for a signer without a database. The algorithm is that of the key.',
    allowed: '"store", or a list of {domain, selector, file}',
    fallback: 'store: the active keys of the database',
  }),
  rules: structure(rules, [], {
    variable: 'ZEGEL_SIGNING_RULES',
    description:
      'Which keys sign for which author domain: "author" (exact, *.below or *), and where it differs "domain", "selectors", "subdomains", "identity" (i=), "validitySeconds" (x=), "alsoSign". The closest rule counts.',
    allowed: 'a list of rules',
    fallback: 'none: the author domain signs, or the nearest above it that has keys',
  }),
  defaultDomain: optional(
    z.string().transform((text, context) => {
      const domain = normalizeDomain(text);
      if (domain !== null) return domain;
      context.addIssue('not a domain name');
      return z.NEVER;
    }),
    {
      variable: 'ZEGEL_SIGNING_DEFAULT_DOMAIN',
      description:
        'Signs for authors whose domain is not known here. Such a signature does not fit the author, and DMARC does not count it.',
      allowed: 'a domain name',
      fallback: 'none',
    },
  ),
  alsoSign: structure(alsoSign, [], {
    variable: 'ZEGEL_SIGNING_ALSO_SIGN',
    description: 'Domains that sign every message besides the author domain, never instead of it.',
    allowed: 'a list of {domain, selectors}',
    fallback: 'none',
  }),
  validitySeconds: integer(
    'ZEGEL_SIGNING_VALIDITY_SECONDS',
    0,
    [0, 315_360_000],
    's',
    'Time until a signature expires (x=); 0 for never.',
  ),
  canonicalization: word(
    'ZEGEL_SIGNING_CANONICALIZATION',
    canonicalizations,
    'relaxed/relaxed',
    'Canonicalization of header and body (RFC 6376 §3.4). "simple" breaks as soon as a server folds a field anew.',
  ),
  oversign: list(parseFieldName, {
    variable: 'ZEGEL_SIGNING_OVERSIGN',
    description:
      'Header fields that are oversigned beyond those that always are (From, To, Cc, Subject, Date and others).',
    allowed: 'a comma-separated list of field names',
    fallback: 'none',
  }),
  signWhenPresent: list(parseFieldName, {
    variable: 'ZEGEL_SIGNING_WHEN_PRESENT',
    description: 'Header fields that are signed as often as they occur, beyond those that always are.',
    allowed: 'a comma-separated list of field names',
    fallback: 'none',
  }),
});

/** Trace fields change on the way, and nobody signs them (RFC 6376 §5.4.1). */
const neverSigned = ['received', 'return-path', 'dkim-signature', 'authentication-results', 'received-spf', 'bcc'];

function parseFieldName(text: string): string | null {
  const name = text.toLowerCase();
  const fits = name.length <= 76 && isSignableName(name);
  return fits && !neverSigned.includes(name) && !name.startsWith('arc-') ? name : null;
}

const afterwards = 'what becomes of an outbound message';
const without = ['send-unsigned', 'tempfail', 'reject'] as const;
const all = ['sign-anyway', ...without] as const;

/** Section `signing.onRefusal`. */
export const refusalSettings = z.object({
  missingKey: word(
    'ZEGEL_SIGNING_ON_REFUSAL_MISSING_KEY',
    all,
    defaultRefusalPolicy.missingKey,
    `Without a key for the author: ${afterwards}. "sign-anyway" lets signing.defaultDomain sign.`,
    '; sign-anyway only with signing.defaultDomain',
  ),
  ambiguousAuthor: word(
    'ZEGEL_SIGNING_ON_REFUSAL_AMBIGUOUS_AUTHOR',
    without,
    defaultRefusalPolicy.ambiguousAuthor,
    `With no From, several, or one that cannot be read without doubt: ${afterwards}.`,
  ),
  refusedHeader: word(
    'ZEGEL_SIGNING_ON_REFUSAL_REFUSED_HEADER',
    all,
    defaultRefusalPolicy.refusedHeader,
    `With a field that may stand once and stands twice, a malformed header, bare line ends, or above a limit: ${afterwards}. "sign-anyway" signs the first kind, and rejects the others.`,
  ),
  notPermitted: word(
    'ZEGEL_SIGNING_ON_REFUSAL_NOT_PERMITTED',
    without,
    defaultRefusalPolicy.notPermitted,
    `When the submitter may not sign as the author: ${afterwards}.`,
  ),
});
