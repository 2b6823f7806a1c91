/** What a caller of the keystore can do wrong, and what can be wrong with its master key. */
export type KeystoreErrorCode =
  /** Not a domain name. */
  | 'keystore.domain-invalid'
  /** A domain of that name is there already. */
  | 'keystore.domain-exists'
  /** No such domain. */
  | 'keystore.domain-unknown'
  /** A domain with an active key is not deleted: mail would leave unsigned. */
  | 'keystore.domain-in-use'
  /** Not a selector, or the record's name would be too long. */
  | 'keystore.selector-invalid'
  /** The domain has, or has had, a key under that selector: a published record is never replaced in place. */
  | 'keystore.selector-in-use'
  /** A modulus length that is not generated. */
  | 'keystore.key-size-unsupported'
  /** The text to import is no private key in PEM, or an encrypted one. */
  | 'keystore.key-unreadable'
  /** The key to import is for another algorithm than the one that is named beside it. */
  | 'keystore.algorithm-mismatch'
  /** No such key. */
  | 'keystore.key-unknown'
  /** The domain has as many keys as it may. */
  | 'keystore.too-many-keys'
  /** A change of state that the life of a key does not have. */
  | 'keystore.state-change-illegal'
  /** What is stored for a private key was changed, or belongs to another key. */
  | 'keystore.key-tampered'
  /** A token without a name, with scopes that are none, too many domains, or an expiry in the past. */
  | 'keystore.token-invalid'
  /** No such token. */
  | 'keystore.token-unknown'
  /** No login, or authors that are none. */
  | 'keystore.login-invalid'
  /** No such login. */
  | 'keystore.login-unknown'
  /** The file of the admin token, or the hash given for it, holds something else. */
  | 'keystore.admin-token-malformed'
  /** A cursor or a page size that this keystore did not give or does not take. */
  | 'keystore.page-invalid'
  /** The master key is not 32 bytes in base64. */
  | 'keystore.master-key-invalid'
  /** There is no master key file. */
  | 'keystore.master-key-missing'
  /** There is a master key file already. */
  | 'keystore.master-key-exists'
  /** Others than its owner can read the file of a secret. */
  | 'keystore.secret-exposed'
  /** The private keys are encrypted under another master key. */
  | 'keystore.master-key-mismatch';

/** A call that cannot be carried out. Loss of the database is a `DatabaseUnavailableError` of @zegel/database. */
export class KeystoreError extends Error {
  override readonly name = 'KeystoreError';
  readonly code: KeystoreErrorCode;

  constructor(code: KeystoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
