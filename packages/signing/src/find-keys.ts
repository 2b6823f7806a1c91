import { identityWithin } from '@zegel/dkim';
import type { SignatureRequest } from '@zegel/dkim';
import type { KeySource } from './key-source.ts';
import { selectKeys } from './signing-plan.ts';
import type { DomainSigning, SigningPlan } from './signing-plan.ts';

/** The signatures that a plan comes to with the keys there are, or why there are none. */
export type FoundKeys =
  | {
      readonly code: null;
      readonly requests: readonly SignatureRequest[];
      /** The signing domain; the additional ones left out. */
      readonly domain: string;
      /** Selectors with their algorithm, those of additional domains with these. */
      readonly selectors: string;
    }
  | {
      readonly code: 'signing.unknown-domain' | 'signing.no-active-key' | 'signing.identity-outside-domain';
      readonly evidence: { readonly domain?: string; readonly lookedFor?: string; readonly detail?: string };
    };

/** Rejects when the key source cannot be reached. */
export async function findKeys(
  plan: SigningPlan,
  keySource: KeySource,
  defaults: Pick<DomainSigning, 'identity' | 'validity'>,
): Promise<FoundKeys> {
  const { fallback, additional = [] } = plan;
  const chosen = await firstKnown(plan.candidates, keySource, defaults);
  const isForFallback =
    chosen.code === 'signing.unknown-domain' ||
    (chosen.code === 'signing.no-active-key' && fallback?.afterMissingKey === true);
  const main =
    fallback !== undefined && isForFallback
      ? afterFallback(chosen, await firstKnown([fallback], keySource, defaults))
      : chosen;
  if (main.code !== null || additional.length === 0) return main;

  const found = [main];
  for (const signing of additional) {
    const besides = await firstKnown([signing], keySource, {});
    if (besides.code !== null) return besides;
    found.push(besides);
  }
  return {
    ...main,
    requests: found.flatMap(({ requests }) => requests),
    selectors: found
      .map(({ selectors, domain }, index) => (index === 0 ? selectors : `${selectors} of ${domain}`))
      .join(', '),
  };
}

/** What the fallback came to; where it is not known here either, what is wrong with the domain that was chosen. */
function afterFallback(chosen: FoundKeys, fallback: FoundKeys): FoundKeys {
  if (fallback.code !== 'signing.unknown-domain' || chosen.code === null) return fallback;
  if (chosen.code !== 'signing.unknown-domain') return chosen;
  const lookedFor = [chosen, fallback].flatMap(({ evidence }) => evidence.lookedFor ?? []).join(', ');
  return { code: 'signing.unknown-domain', evidence: { lookedFor } };
}

async function firstKnown(
  candidates: readonly DomainSigning[],
  keySource: KeySource,
  defaults: Pick<DomainSigning, 'identity' | 'validity'>,
): Promise<FoundKeys> {
  for (const signing of candidates) {
    const { domain } = signing;
    const active = await keySource.activeKeys(domain);
    if (active === null) continue;
    const keys = selectKeys(active, signing);
    if (keys.length === 0) return { code: 'signing.no-active-key', evidence: { domain } };
    const identity = signing.identity ?? defaults.identity;
    const validity = signing.validity ?? defaults.validity;
    if (identity !== undefined && identityWithin(identity, domain) === null) {
      return { code: 'signing.identity-outside-domain', evidence: { domain, detail: identity } };
    }
    const tags = { ...(identity === undefined ? {} : { identity }), ...(validity === undefined ? {} : { validity }) };
    return {
      code: null,
      domain,
      selectors: keys.map((key) => `${key.selector} (${key.algorithm})`).join(', '),
      requests: keys.map((key) => ({ key, ...tags })),
    };
  }
  const lookedFor = candidates.map(({ domain }) => domain).join(', ');
  return { code: 'signing.unknown-domain', evidence: { lookedFor } };
}
