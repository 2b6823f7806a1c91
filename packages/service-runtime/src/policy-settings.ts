import { defaultRefusalPolicy, isAuthorEntry, parseAuthorPattern, parseNetwork } from '@zegel/mail-policy';
import type { AdditionalSigning, SigningRule } from '@zegel/mail-policy';
import { isIdentityOf, isSelector } from '@zegel/dkim';
import { normalizeDomain } from '@zegel/message';
import { z } from 'zod';
import { configLimits } from './limits.ts';
import { integer, list, mapping, optional, structure, textOf, word } from './setting.ts';

const domainName = textOf('a domain name', normalizeDomain);
const selectorName = textOf('a selector', (text) => (isSelector(text) ? text : null));
const networkText = textOf('an IP address, or a network such as 192.0.2.0/24', parseNetwork);
const pathText = textOf('a path', (text) => (text === '' || text.includes('\0') ? null : text));
const selectorList = z.array(selectorName, { error: 'a list of selectors' }).min(1, { error: 'a list of selectors' });
const seconds = z
  .int({ error: 'a whole number of seconds' })
  .min(60, { error: 'at least 60 seconds' })
  .max(315_360_000, { error: 'at most ten years in seconds' });

const networks = {
  allowed: 'a comma-separated list of IP addresses and networks',
  fallback: 'none',
};
const domains = { allowed: 'a comma-separated list of domain names', fallback: 'none' };

function listOf<T>(item: z.ZodType<T>, allowed: string) {
  return z
    .array(item, { error: allowed })
    .max(configLimits.maxListItems, { error: `at most ${configLimits.maxListItems} items` });
}

/** Section `outbound`: which mail is signed, where a listener does not say so. */
export const outboundSettings = z.object({
  daemonNames: list((item) => item, {
    variable: 'ZEGEL_OUTBOUND_DAEMON_NAMES',
    description: 'Services of the mail server whose mail is outbound, as its macro {daemon_name} tells them.',
    allowed: 'a comma-separated list of names',
    fallback: 'none',
  }),
  internalNetworks: list(parseNetwork, {
    variable: 'ZEGEL_OUTBOUND_INTERNAL_NETWORKS',
    description:
      'Clients whose mail is outbound without a login. What they may sign for stands under submitters.networks.',
    ...networks,
  }),
});

/** What a login may sign as: an author address, a domain with all below it, or `*`. */
const authorEntry = textOf('an author address, a domain name or "*"', (text) => (isAuthorEntry(text) ? text : null));

/** The entries of a map of logins, as they stand in a file or in an answer: a list, or one text. */
export const authorEntries = z.union(
  [authorEntry.transform((entry) => [entry]), listOf(authorEntry, 'a list of authors')],
  {
    error: 'an author address, a domain name, "*", or a list of these',
  },
);

const loginUrl = textOf('an https:// URL (http:// for a loopback address) that holds {login}', (text) => {
  const url = URL.parse(text.replaceAll('{login}', 'x'));
  if (url === null || !text.includes('{login}') || url.username !== '' || url.password !== '') return null;
  const isLoopback = /^(?:127\.\d+\.\d+\.\d+|\[::1\]|localhost)$/.test(url.hostname);
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback) ? text : null;
});

const milliseconds = (most: number) =>
  z
    .int({ error: 'a whole number of milliseconds' })
    .min(0, { error: 'a whole number of milliseconds' })
    .max(most, { error: `at most ${most} milliseconds` });

/** Where the map of logins is; one of them. */
const loginSource = mapping(
  {
    inline: z.record(z.string(), authorEntries, { error: 'logins with what each may sign as' }).optional(),
    file: pathText.optional(),
    store: z.literal(true, { error: 'true' }).optional(),
    http: mapping(
      {
        url: loginUrl,
        tokenFile: pathText.optional(),
        timeoutMs: milliseconds(60_000).default(2000),
        cacheMs: milliseconds(3_600_000).default(30_000),
      },
      'url, and tokenFile, timeoutMs, cacheMs where needed',
    ).optional(),
  },
  'one of inline, file, store and http',
).transform((given, context): LoginSource => {
  const { inline, file, store, http } = given;
  const sources: LoginSource[] = [
    ...(inline === undefined ? [] : [{ kind: 'inline' as const, entries: inline }]),
    ...(file === undefined ? [] : [{ kind: 'file' as const, file }]),
    ...(store === undefined ? [] : [{ kind: 'store' as const }]),
    ...(http === undefined ? [] : [httpSource(http)]),
  ];
  const [source] = sources;
  if (source !== undefined && sources.length === 1) return source;
  context.addIssue({ code: 'custom', message: 'one of inline, file, store and http', input: given });
  return z.NEVER;
});

/** Where it is found as whom a login may sign. `none`: every login is its own address. */
export type LoginSource =
  | { readonly kind: 'none' }
  | { readonly kind: 'inline'; readonly entries: Readonly<Record<string, readonly string[]>> }
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'store' }
  | {
      readonly kind: 'http';
      /** `{login}` in it is replaced, percent-encoded. */
      readonly url: string;
      /** File that holds a bearer token. */
      readonly tokenFile?: string;
      readonly timeoutMs: number;
      readonly cacheMs: number;
    };

function httpSource(http: {
  readonly url: string;
  readonly tokenFile?: string | undefined;
  readonly timeoutMs: number;
  readonly cacheMs: number;
}): LoginSource {
  const { tokenFile, ...rest } = http;
  return { kind: 'http', ...rest, ...(tokenFile === undefined ? {} : { tokenFile }) };
}

const everyoneItself: LoginSource = { kind: 'none' };

/** Section `submitters`: who may sign as whom. */
export const submitterSettings = z.object({
  logins: structure(loginSource, everyoneItself, {
    variable: 'ZEGEL_SUBMITTERS_LOGINS',
    description:
      'Where it is found as whom a login may sign: "inline" (logins with author addresses and domains), "file" (the same as a YAML file), "store" (the database) or "http" (a URL that is asked). A login that is not in it signs as its own address.',
    allowed: 'one of {inline}, {file}, {store: true} and {http}',
    fallback: 'none',
  }),
  networks: structure(
    listOf(
      mapping(
        { network: networkText, domains: listOf(domainName, 'a list of domain names') },
        'a network with its domains',
      ),
      'a list of networks with their domains',
    ),
    [],
    {
      variable: 'ZEGEL_SUBMITTERS_NETWORKS',
      description:
        'Networks whose clients may sign without a login, each for the domains it lists and all below them. The first that fits counts.',
      allowed: 'a list of {network, domains}',
      fallback: 'none',
    },
  ),
});

/** Where a private key is. */
export interface KeyFile {
  readonly domain: string;
  readonly selector: string;
  /** PEM, RSA or Ed25519. */
  readonly file: string;
}

const keyFileShape = { domain: domainName, selector: selectorName, file: pathText };

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
    !isIdentityOf(identity, signing)
  ) {
    context.addIssue({ code: 'custom', message: `at ${signing} or below it`, input: identity, path: ['identity'] });
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
  listOf(
    mapping(keyFileShape, 'a key with domain, selector and file'),
    '"store", or a list of {domain, selector, file}',
  ).optional(),
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
  return /^[!-9;-~]{1,76}$/.test(name) && !neverSigned.includes(name) && !name.startsWith('arc-') ? name : null;
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
  arcSeal: structure(mapping(keyFileShape, 'a key with domain, selector and file'), undefined, {
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
    ...domains,
  }),
  networks: list(parseNetwork, {
    variable: 'ZEGEL_INBOUND_EXCEPTIONS_NETWORKS',
    description: 'Clients for whose mail no DMARC policy is applied.',
    ...networks,
  }),
  sealers: list(normalizeDomain, {
    variable: 'ZEGEL_INBOUND_EXCEPTIONS_SEALERS',
    description:
      'Domains, compared whole, whose ARC seal is believed when it says that DMARC passed there. They count as trustedSealers too.',
    ...domains,
  }),
  mailingLists: list(normalizeDomain, {
    variable: 'ZEGEL_INBOUND_EXCEPTIONS_MAILING_LISTS',
    description: 'Domains of mailing lists, with all below them: mail that SPF or DKIM authenticates for one of them.',
    ...domains,
  }),
});
