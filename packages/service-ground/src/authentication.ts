import type { AuthenticationOptions } from '@zegel/authentication';
import { createBimiCheck, findBimiFields } from '@zegel/bimi';
import type { SigningKey } from '@zegel/dkim';
import { findOrganizationalDomain } from '@zegel/dmarc';
import type { Resolver } from '@zegel/dns';
import type { Config } from '@zegel/service-runtime';

/**
 * How every door of a service authenticates messages, as the configuration says.
 *
 * @param sealingKey seals what comes in; see `loadMailRules`.
 */
export function authenticationOptions(
  config: Config,
  resolver: Resolver,
  sealingKey?: SigningKey,
): AuthenticationOptions {
  const { authservId, ourAuthservIds, maxMessageBytes, receivedSpf, inbound } = config;
  // Whose seal makes an exception is trusted, listed among the trusted sealers or not.
  const trustedSealers = [...new Set([...config.trustedSealers, ...inbound.exceptions.sealers])];
  return {
    resolver,
    authservId,
    ourAuthservIds,
    receivedSpf,
    limits: { maxMessageBytes },
    ...(trustedSealers.length === 0 ? {} : { trustedSealers }),
    ...(sealingKey === undefined ? {} : { sealingKey }),
    ...(config.bimi
      ? { bimi: { check: createBimiCheck({ resolver, findOrganizationalDomain }), findFields: findBimiFields } }
      : {}),
  };
}
