/** A key that cannot be used for signing: a caller's mistake, found before any message is touched. */
export class SigningKeyError extends Error {
  override readonly name = 'SigningKeyError';
  readonly code:
    | 'dkim.key-unreadable'
    | 'dkim.key-type-unsupported'
    | 'dkim.key-too-short'
    | 'dkim.key-too-long'
    | 'dkim.key-name-invalid';

  constructor(code: SigningKeyError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** A message that `signMessage` will not sign. The verb sign() of `@zegel/signing` gives the same as a result. */
export class UnsignableMessageError extends Error {
  override readonly name = 'UnsignableMessageError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** A time of validity that x= cannot say: a caller's mistake. */
export class SigningValidityError extends Error {
  override readonly name = 'SigningValidityError';
  readonly code = 'dkim.validity-impossible';

  constructor(validity: number) {
    super(`x= cannot lie ${validity} s from now: it is a whole number of seconds, and at least one`);
  }
}

/** A name that h= cannot say, in a set of fields to sign: a caller's mistake. */
export class SignedFieldsError extends Error {
  override readonly name = 'SignedFieldsError';
  readonly code = 'dkim.fields-unsignable';

  constructor(name: string) {
    super(`h= cannot name this field: ${name}`);
  }
}

/** An identity (i=) that no key of the domain may sign for: a caller's mistake. */
export class SigningIdentityError extends Error {
  override readonly name = 'SigningIdentityError';
  readonly code = 'dkim.identity-outside-domain';

  constructor(identity: string, domain: string) {
    super(`The identity ${identity} is no address at ${domain} or below it`);
  }
}
