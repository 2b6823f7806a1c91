/**
 * Queries one DNS tree walk may take (RFC 9989 §4.10). Part of the protocol: another number would find other
 * organizational domains than everybody else does, so it is no setting.
 */
export const treeWalkQueries = 8;

/** What one evaluation may cost, whatever a message or a zone holds. */
export interface DmarcLimits {
  /** Domains for which a tree walk is made in one evaluation, the author domain included. */
  readonly walks: number;
  /** Characters of a policy record that is still read; a longer one is a record that cannot be used. */
  readonly recordLength: number;
  /** Reporting URIs taken from one `rua` or `ruf` tag; those behind are left out. */
  readonly reportingUris: number;
}

/** The defaults: an author domain, the MAIL FROM domain and ten signatures. */
export const dmarcLimits: DmarcLimits = { walks: 12, recordLength: 4096, reportingUris: 20 };
