/** The two canonicalization algorithms of DKIM and ARC (RFC 6376 §3.4). */
export type Canonicalization = 'simple' | 'relaxed';
