/** Why something that the configuration names cannot be used. */
export type RulesErrorCode =
  /** A file is not there, or may not be read. */
  | 'config.file-unreadable'
  /** A file that holds a secret may be read or changed by others. */
  | 'config.secret-exposed'
  /** A key file holds no key that signs. */
  | 'config.key-unusable'
  /** The configuration wants keys or logins of the database, and there is none here. */
  | 'config.store-missing';

/** A mistake in the configuration that shows only when what it names is opened. The message names the file. */
export class RulesError extends Error {
  override readonly name = 'RulesError';
  readonly code: RulesErrorCode;

  constructor(code: RulesErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A map of logins that cannot be asked for now. The door answers a temporary failure. */
export class LoginMapError extends Error {
  override readonly name = 'LoginMapError';
  readonly code = 'login-map.unavailable';
}
