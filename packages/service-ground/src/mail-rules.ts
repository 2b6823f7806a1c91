import { defaultSignedFields } from '@zegel/dkim';
import type { SignedFieldSet, SigningKey } from '@zegel/dkim';
import { createKeySet, createLoginMap, createSigningTable, noLoginMap } from '@zegel/mail-policy';
import type { InboundPolicy, LoginMap, OutboundPolicy, RefusalPolicy, SubmitterPolicy } from '@zegel/mail-policy';
import type { KeySource, SigningOptions, SigningTable } from '@zegel/signing';
import { configLimits, parseLoginMap } from '@zegel/service-runtime/config';
import type { Config, LoginSource } from '@zegel/service-runtime/config';
import { RulesError } from './errors.ts';
import { readKeyFile } from './key-files.ts';
import { groundLimits } from './limits.ts';
import { readNamedFile } from './named-file.ts';

/** What every door for mail goes by, with the keys and maps that the configuration names. */
export interface LoadedRules {
  readonly outbound: OutboundPolicy;
  readonly submitters: SubmitterPolicy;
  /** For `beginSigning`: keys, table, tags and fields. */
  readonly signing: Omit<SigningOptions, 'now' | 'table'> & { readonly table: SigningTable };
  readonly onRefusal: RefusalPolicy;
  readonly inbound: InboundPolicy;
  /** Seals inbound mail, for `authenticationOptions`. */
  readonly sealingKey?: SigningKey;
}

/** What the database gives: keys, and the map of logins. */
export interface RuleStore {
  readonly keySource: KeySource;
  readonly logins: LoginMap;
}

/**
 * Loads what a configuration names: key files, maps of logins. Called again, it reads them again: a service that reloads
 * keeps the rules it has until the new ones are loaded whole.
 *
 * @param store what is used where the configuration says `store`; absent where there is no database.
 * @param options `inlineSigning`: keys of files sign as `inline` of `createSigningKey` says.
 * @throws {RulesError} for a file that cannot be used, and where a store is missing; {ConfigError} for a map of logins that is
 *   wrong, with its line
 */
export async function loadMailRules(
  config: Config,
  store?: Partial<RuleStore>,
  { inlineSigning = false }: { readonly inlineSigning?: boolean } = {},
): Promise<LoadedRules> {
  const { outbound, submitters, signing, inbound, maxMessageBytes } = config;
  const [keySource, logins, sealingKey] = await Promise.all([
    loadKeys(config, store?.keySource, inlineSigning),
    loadLogins(submitters.logins, store?.logins),
    inbound.arcSeal === undefined ? undefined : readKeyFile(inbound.arcSeal),
  ]);
  return {
    outbound,
    submitters: { logins, networks: submitters.networks },
    signing: {
      keySource,
      table: signingTable(config),
      canonicalization: canonicalizationOf(signing.canonicalization),
      permitRepeatedFields: signing.onRefusal.refusedHeader === 'sign-anyway',
      fields: signedFields(signing),
      limits: { maxMessageBytes },
      ...(signing.validitySeconds === 0 ? {} : { validity: signing.validitySeconds }),
    },
    onRefusal: signing.onRefusal,
    inbound,
    ...(sealingKey === undefined ? {} : { sealingKey }),
  };
}

/** The table that the configuration describes. Its domains were checked when it was read. */
export function signingTable({ signing }: Pick<Config, 'signing'>): SigningTable {
  const { rules, defaultDomain, alsoSign, onRefusal } = signing;
  return createSigningTable({
    rules,
    additional: alsoSign,
    defaultAfterMissingKey: onRefusal.missingKey === 'sign-anyway',
    ...(defaultDomain === undefined ? {} : { defaultDomain }),
  });
}

async function loadKeys({ signing }: Config, store: KeySource | undefined, inline: boolean): Promise<KeySource> {
  if (signing.keys !== undefined) {
    return createKeySet(await Promise.all(signing.keys.map((key) => readKeyFile(key, inline))));
  }
  if (store !== undefined) return store;
  throw new RulesError('config.store-missing', 'signing.keys names no key files, and there is no database here');
}

async function loadLogins(source: LoginSource, store: LoginMap | undefined): Promise<LoginMap> {
  switch (source.kind) {
    case 'none':
      return noLoginMap;
    case 'inline':
      return createLoginMap(source.entries);
    case 'file': {
      const text = await readNamedFile(source.file, configLimits.maxLoginMapBytes);
      return createLoginMap(parseLoginMap({ name: source.file, text }));
    }
    case 'store':
      if (store !== undefined) return store;
      throw new RulesError('config.store-missing', 'submitters.logins is the store, and there is no database here');
    case 'http': {
      const { url, timeoutMs, cacheMs, tokenFile } = source;
      const token =
        tokenFile === undefined
          ? undefined
          : await readNamedFile(tokenFile, groundLimits.maxTokenFileBytes, { secret: true });
      const { createHttpLoginMap } = await import('./http-login-map.ts');
      return createHttpLoginMap({ url, timeoutMs, cacheMs, ...(token === undefined ? {} : { token: token.trim() }) });
    }
  }
}

function canonicalizationOf(
  text: Config['signing']['canonicalization'],
): NonNullable<SigningOptions['canonicalization']> {
  const [header, body] = text.split('/').map((part) => (part === 'simple' ? 'simple' : 'relaxed'));
  return { header: header ?? 'relaxed', body: body ?? 'relaxed' };
}

/** What is oversigned is not also signed when present: its name would stand in h= too often. */
function signedFields({ oversign, signWhenPresent }: Config['signing']): SignedFieldSet {
  const oversigned = [...new Set([...defaultSignedFields.oversigned, ...oversign])];
  const whenPresent = [...defaultSignedFields.whenPresent, ...signWhenPresent];
  return { oversigned, whenPresent: [...new Set(whenPresent)].filter((name) => !oversigned.includes(name)) };
}
