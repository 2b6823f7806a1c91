/** A record that cannot be written, because what the caller asks to publish is not valid. */
export class DmarcRecordError extends Error {
  override readonly name = 'DmarcRecordError';
  readonly code = 'dmarc.invalid-record';
}
