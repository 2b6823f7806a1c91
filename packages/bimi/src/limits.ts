/** What one check may cost, whatever a message, a zone or a web server holds. */
export interface BimiLimits {
  /** Octets of a BIMI-Selector field that is still read; a longer one is invalid. */
  readonly selectorFieldBytes: number;
  /** Characters of a TXT record that is still read; a longer one cannot be used. */
  readonly recordLength: number;
  /** Characters of a URL that is still followed. */
  readonly urlLength: number;
  /** Addresses of one web server that are tried; a server may have more. */
  readonly addresses: number;
  /** Redirects followed for one document; each is checked as the first URL was. */
  readonly redirects: number;
  /** Milliseconds one document may take, from the look-up of its host to its last octet, redirects included. */
  readonly fetchTime: number;
  /** Octets of an indicator, as sent and again when unpacked. The SVG Tiny PS draft recommends 32 KiB at most. */
  readonly indicatorBytes: number;
  /** Octets of a mark certificate with its chain; it holds the indicator, packed and in base64 twice. */
  readonly certificateBytes: number;
  /** Milliseconds for which a document is kept; what it says is judged anew for each message. */
  readonly keepTime: number;
  /** Milliseconds for which a failed fetch is not tried again. */
  readonly keepFailureTime: number;
  /** Documents and failures kept; the one that was not asked for the longest goes first. */
  readonly keptDocuments: number;
  /** Octets of all documents kept. */
  readonly keptBytes: number;
  /** Certificates in a chain. */
  readonly chainLength: number;
}

/** The defaults. */
export const bimiLimits: BimiLimits = {
  selectorFieldBytes: 1024,
  recordLength: 4096,
  urlLength: 2048,
  addresses: 8,
  redirects: 1,
  fetchTime: 5000,
  indicatorBytes: 64 * 1024,
  certificateBytes: 256 * 1024,
  keepTime: 3_600_000,
  keepFailureTime: 60_000,
  keptDocuments: 1000,
  keptBytes: 16 * 1024 * 1024,
  chainLength: 6,
};
