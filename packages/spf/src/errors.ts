/** A check was asked for with something that cannot be checked: the caller's mistake, never the mail's. */
export class SpfInputError extends Error {
  /** Stable. `spf.invalid-ip`: the client address is no textual IPv4 or IPv6 address. */
  readonly code: 'spf.invalid-ip';

  constructor(code: 'spf.invalid-ip', message: string) {
    super(message);
    this.name = 'SpfInputError';
    this.code = code;
  }
}
