/** Why a zone was not accepted. */
export type ZoneErrorCode =
  | 'dns.zone-not-an-object'
  | 'dns.zone-bad-entry'
  | 'dns.zone-unknown-type'
  | 'dns.zone-bad-record'
  | 'dns.zone-duplicate-name'
  | 'dns.zone-too-large';

/** A zone given to us is malformed. `path` says where, e.g. `zone["example.com"].MX[0]`. */
export class ZoneError extends Error {
  readonly code: ZoneErrorCode;
  readonly path: string;

  constructor(code: ZoneErrorCode, path: string, problem: string) {
    super(`${path}: ${problem}`);
    this.name = 'ZoneError';
    this.code = code;
    this.path = path;
  }
}
