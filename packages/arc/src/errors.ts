/** A call for sealing that makes no sense: a caller's mistake, found before anything is signed. */
export class SealingError extends Error {
  override readonly name = 'SealingError';
  /** `arc.fields-unsealable`: h= would be wrong. `arc.chain-mismatch`: the chain was verified on another header. */
  readonly code: 'arc.fields-unsealable' | 'arc.chain-mismatch';

  constructor(code: SealingError['code'], message: string) {
    super(message);
    this.code = code;
  }
}
