/** Bounds of one SPF check. Counts are over the whole check, `include` and `redirect` included. */
export interface SpfLimits {
  /**
   * Terms that may cause DNS queries: `include`, `a`, `mx`, `ptr`, `exists`, `redirect`, and the PTR query of each
   * term that uses `%{p}` (RFC 7208 §4.6.4). One more is `permerror`. The first record and `exp` do not count.
   */
  readonly maxLookupTerms: number;
  /**
   * Terms whose query for their own name found nothing. RFC 7208 §4.6.4 counts terms: what the hosts of an `mx` or the
   * names of a `ptr` resolve to does not count. One more is `permerror`.
   */
  readonly maxVoidLookups: number;
  /** Hosts of one `mx` whose addresses are asked, by preference. `permerror` when more would be needed (§4.6.4). */
  readonly maxMxHosts: number;
  /** Names of the client's PTR answer that are looked at; the rest is ignored (§4.6.4). */
  readonly maxPtrNames: number;
  /** Octets of a record or explanation string. A longer record is `permerror`, a longer explanation is not used. */
  readonly maxRecordLength: number;
  /** Characters of a local part or HELO name that go into a macro. A term that needs a longer one does not match. */
  readonly maxMacroValueLength: number;
  /** Characters of the domain owner's explanation after expansion. The rest is cut off. */
  readonly maxExplanationLength: number;
  /** Entries kept in the trace; further ones are counted in `traceOmitted`. */
  readonly maxTraceEntries: number;
  /** Milliseconds for the whole check; then `temperror`. RFC 7208 §4.6.4 asks for at least 20 seconds. */
  readonly maxDuration: number;
}

/** The defaults. Each can be replaced in the `limits` of a check. */
export const spfLimits: SpfLimits = {
  maxLookupTerms: 10,
  maxVoidLookups: 2,
  maxMxHosts: 10,
  maxPtrNames: 10,
  maxRecordLength: 16_384,
  maxMacroValueLength: 1_000,
  maxExplanationLength: 1_000,
  maxTraceEntries: 200,
  maxDuration: 20_000,
};

/**
 * Parts of a macro string, literals and macros, that are put together: as many as a name has characters. What takes more is
 * not used. A macro that comes to nothing costs the splitting of its value all the same.
 */
export const maxExpandedParts = 254;
