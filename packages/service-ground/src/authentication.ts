import type { AuthenticationOptions } from '@zegel/authentication';
import { createBimiCheck, findBimiFields } from '@zegel/bimi';
import { findOrganizationalDomain } from '@zegel/dmarc';
import type { Resolver } from '@zegel/dns';
import type { Config } from '@zegel/service-runtime';

/** How every door of a service authenticates messages, as the configuration says. */
export function authenticationOptions(config: Config, resolver: Resolver): AuthenticationOptions {
  const { authservId, ourAuthservIds, maxMessageBytes, trustedSealers, receivedSpf } = config;
  return {
    resolver,
    authservId,
    ourAuthservIds,
    receivedSpf,
    limits: { maxMessageBytes },
    ...(trustedSealers.length === 0 ? {} : { trustedSealers }),
    ...(config.bimi
      ? { bimi: { check: createBimiCheck({ resolver, findOrganizationalDomain }), findFields: findBimiFields } }
      : {}),
  };
}
