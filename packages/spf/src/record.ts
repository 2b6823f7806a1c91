import type { IpNetwork } from './ip.ts';
import type { MacroString } from './macro.ts';

/** What a matching mechanism says (RFC 7208 §4.6.2): pass, fail, softfail, neutral. */
export type Qualifier = '+' | '-' | '~' | '?';

/** A mechanism (RFC 7208 §5). `domain` undefined means the domain whose record this is. */
export type Mechanism =
  | { readonly name: 'all' }
  | { readonly name: 'include'; readonly domain: MacroString }
  | { readonly name: 'exists'; readonly domain: MacroString }
  | {
      readonly name: 'a' | 'mx';
      readonly domain: MacroString | undefined;
      /** How many leading bits of an IPv4 address count, 0 to 32. */
      readonly prefix4: number;
      /** How many leading bits of an IPv6 address count, 0 to 128. */
      readonly prefix6: number;
    }
  | { readonly name: 'ptr'; readonly domain: MacroString | undefined }
  | { readonly name: 'ip4'; readonly network: IpNetwork }
  | { readonly name: 'ip6'; readonly network: IpNetwork };

/** The mechanisms that need no DNS. */
export type LocalMechanism = Extract<Mechanism, { readonly name: 'all' | 'ip4' | 'ip6' }>;

export function isLocal(mechanism: Mechanism): mechanism is LocalMechanism {
  return mechanism.name === 'ip4' || mechanism.name === 'ip6' || mechanism.name === 'all';
}

/** A mechanism with its qualifier, and the term as it stands in the record. */
export interface Directive {
  readonly text: string;
  readonly qualifier: Qualifier;
  readonly mechanism: Mechanism;
}

/** `redirect=` or `exp=` (RFC 7208 §6), and the term as it stands in the record. */
export interface DomainModifier {
  readonly text: string;
  readonly domain: MacroString;
}

/** A record without syntax errors (RFC 7208 §4.5, §4.6, §12). */
export interface SpfRecord {
  readonly text: string;
  readonly directives: readonly Directive[];
  readonly redirect: DomainModifier | undefined;
  readonly explanation: DomainModifier | undefined;
  /** Modifiers that RFC 7208 does not know and that change nothing, as written. */
  readonly unknownModifiers: readonly string[];
}

/** What is wrong with a record or one of its terms. */
export type SpfSyntaxFault =
  | 'version'
  | 'record-too-long'
  | 'invalid-character'
  | 'unknown-mechanism'
  | 'unexpected-argument'
  | 'missing-domain'
  | 'invalid-domain'
  | 'address-as-domain'
  | 'invalid-ip4'
  | 'invalid-ip6'
  | 'invalid-prefix-length'
  | 'repeated-modifier'
  | 'macro-syntax'
  | 'macro-unknown'
  | 'macro-zero'
  | 'macro-explanation-only';

/** The first fault of a record. */
export interface SpfSyntaxError {
  readonly fault: SpfSyntaxFault;
  /** The term at fault; empty when the record as a whole is. From the DNS: not to be trusted. */
  readonly term: string;
  /** Octets from the start of the record to the term, or to the character. */
  readonly position: number;
}
