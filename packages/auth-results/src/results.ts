import type { ParseFailure } from './errors.ts';

/** What an Authentication-Results field says (RFC 8601 §2.2). */
export interface AuthenticationResults {
  /** The instance of an ARC-Authentication-Results field (RFC 8617 §4.1.1), 1 to 50. Absent in a plain field. */
  readonly instance?: number;
  /** Who speaks, unquoted. Empty when a field without one was read leniently. */
  readonly authservId: string;
  /** Present when the version was written out. Absent means 1 as well. */
  readonly version?: 1;
  /** In the order written. Empty for `none`: no authentication was performed. */
  readonly results: readonly MethodResult[];
}

/** One `resinfo`: what one method found. Method and result are in lower case. */
export interface MethodResult {
  /** A keyword of the IANA "Email Authentication Methods" registry, or an extension. */
  readonly method: string;
  /** Present when written out. Absent means 1. */
  readonly methodVersion?: number;
  /** A keyword of the IANA "Email Authentication Result Names" registry, or any other. */
  readonly result: string;
  readonly reason?: string;
  /** The first comment behind the result, without its outer parentheses; runs of white space are one space. */
  readonly comment?: string;
  readonly properties: readonly ResultProperty[];
}

/** One `propspec`: what of the message was looked at. Type and property are in lower case. */
export interface ResultProperty {
  /** `smtp`, `header`, `body`, `policy`, `dns` or an extension. */
  readonly ptype: string;
  readonly property: string;
  /** Unquoted, except for the local part of an address: `"a b"@example.net` keeps its quotes. */
  readonly value: string;
}

/** What reading a field body gave. */
export type ParseResult = { readonly ok: true; readonly value: AuthenticationResults } | ParseFailure;
