import { isAuthorEntry, parseNetwork } from '@zegel/mail-policy';
import { z } from 'zod';
import { list, mapping, structure, textOf } from './setting.ts';
import { domainName, listOf, networksAllowed, networkText, pathText } from './setting-values.ts';

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
    ...networksAllowed,
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
