import { isSubdomainOf } from '@zegel/dns';
import { formatNetwork, parseAuthorPattern } from '@zegel/mail-policy';
import type { Config } from '@zegel/service-runtime/config';

/**
 * What a configuration says that is allowed, and that its author may not have meant: sentences for a person. Nothing is opened
 * or asked.
 */
export function findDoubts(config: Config): readonly string[] {
  return [...listenerDoubts(config), ...submitterDoubts(config), ...signingDoubts(config), ...refusalDoubts(config)];
}

function listenerDoubts({ milter }: Config): readonly string[] {
  return milter.listen.flatMap(({ address, mode }) => {
    if ('path' in address || mode === 'verify' || isLoopback(address.host)) return [];
    return [
      `milter.listen: ${address.host}:${address.port} (mode ${mode}) is more than loopback, and the milter protocol has no passwords: whoever reaches it says which login and address it speaks for.`,
    ];
  });
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function submitterDoubts({ outbound, submitters }: Config): readonly string[] {
  const listed = new Set(submitters.networks.map(({ network }) => formatNetwork(network)));
  const unlisted = outbound.internalNetworks.map(formatNetwork).filter((network) => !listed.has(network));
  const logins = submitters.logins.kind === 'inline' ? Object.entries(submitters.logins.entries) : [];
  return [
    ...unlisted.map(
      (network) =>
        `outbound.internalNetworks: mail from ${network} is outbound, and submitters.networks does not list that network: without a login it may sign for nobody.`,
    ),
    ...(logins.some(([login, authors]) => login === '*' && authors.includes('*'))
      ? ['submitters.logins: every login may sign as anybody.']
      : []),
  ];
}

function signingDoubts({ signing }: Config): readonly string[] {
  const { keys, rules, defaultDomain, alsoSign } = signing;
  const doubts: string[] = [];
  const hasKey = (domain: string, selector?: string): boolean =>
    keys === undefined ||
    keys.some((key) => key.domain === domain && (selector === undefined || key.selector === selector));
  for (const { author, domain, selectors = [], additional = [] } of rules) {
    const pattern = parseAuthorPattern(author);
    const base = pattern === null || pattern.kind === 'any' ? undefined : pattern.domain;
    const signer = domain ?? base;
    if (domain !== undefined && (base === undefined || !isSubdomainOf(base, domain))) {
      doubts.push(
        `signing.rules: ${domain} signs for ${author}, and does not fit it: the signature says nothing about the author.`,
      );
    }
    if (signer !== undefined && !hasKey(signer))
      doubts.push(`signing.rules: there is no key of ${signer}, for ${author}.`);
    for (const selector of signer === undefined ? [] : selectors) {
      if (hasKey(signer ?? '') && !hasKey(signer ?? '', selector)) {
        doubts.push(`signing.rules: there is no key ${selector} of ${signer}, for ${author}.`);
      }
    }
    for (const besides of additional) {
      if (!hasKey(besides.domain))
        doubts.push(`signing.rules: there is no key of ${besides.domain}, which signs besides ${author}.`);
    }
  }
  for (const besides of alsoSign) {
    if (!hasKey(besides.domain)) doubts.push(`signing.alsoSign: there is no key of ${besides.domain}.`);
  }
  if (defaultDomain !== undefined) {
    doubts.push(
      hasKey(defaultDomain)
        ? `signing.defaultDomain: a signature of ${defaultDomain} says nothing about an author of another domain, and DMARC does not count it.`
        : `signing.defaultDomain: there is no key of ${defaultDomain}.`,
    );
  }
  return doubts;
}

function refusalDoubts({ signing }: Config): readonly string[] {
  const entries = Object.entries(signing.onRefusal);
  const unsigned = entries.filter(([, action]) => action === 'send-unsigned').map(([group]) => group);
  return [
    ...(unsigned.length === 0
      ? []
      : [`signing.onRefusal: ${unsigned.join(', ')}: such mail leaves unsigned; each is logged and counted.`]),
    ...(signing.onRefusal.refusedHeader === 'sign-anyway'
      ? ['signing.onRefusal.refusedHeader: only repeated fields are signed anyway; all else is rejected.']
      : []),
  ];
}
