/** Why a field body could not be read. Stable: rules, logs and tests may compare them. */
export type AuthResultsCode =
  /** Longer than `maxFieldLength`. */
  | 'auth-results.too-long'
  /** A control character, or a CR or LF that is not part of a fold. */
  | 'auth-results.control-character'
  /** A character outside US-ASCII without the `eai` option, or text that was no valid UTF-8. */
  | 'auth-results.non-ascii'
  /** Not in the grammar of RFC 8601 §2.2 (or RFC 8617 §4.1.1). */
  | 'auth-results.syntax'
  /** A version other than 1 (RFC 8601 §2.2 `authres-version`): its grammar is not known. */
  | 'auth-results.unsupported-version'
  /** Comments nested deeper than `maxCommentDepth`. */
  | 'auth-results.comment-too-deep'
  /** More than `maxResults` results. */
  | 'auth-results.too-many-results'
  /** More than `maxProperties` properties in one result. */
  | 'auth-results.too-many-properties';

/** A field body that could not be read, with the place where reading stopped. */
export interface ParseFailure {
  readonly ok: false;
  readonly code: AuthResultsCode;
  /** A sentence for a person. Holds nothing from the field. */
  readonly explanation: string;
  /** Offset into the text that was given, in UTF-16 code units. */
  readonly offset: number;
}
