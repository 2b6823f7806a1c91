/** Limits on what the other end of a connection may send. Each is an option of both ends; these are the defaults. */
export interface MilterLimits {
  /** Bytes of a header frame's payload: name, value and two NULs. Postfix itself stops at 100 kB by default. */
  readonly maxHeaderFrameBytes: number;
  /** Bytes of the payload of any other frame that is not a body chunk: envelope, macros, negotiation, replies. */
  readonly maxTextFrameBytes: number;
  /** Macros in one frame. */
  readonly maxMacros: number;
  /** ESMTP parameters of one MAIL or RCPT command. */
  readonly maxParameters: number;
  /** Recipients of one message. */
  readonly maxRecipients: number;
  /** Frames of one message, macros included, before its end or abort. */
  readonly maxMessageFrames: number;
  /** Modifications a client takes for one message. */
  readonly maxModifications: number;
  /** Bytes of a replaced body a client takes for one message. */
  readonly maxReplacedBodyBytes: number;
}

export const milterLimits: MilterLimits = {
  maxHeaderFrameBytes: 1024 * 1024,
  maxTextFrameBytes: 64 * 1024,
  maxMacros: 200,
  maxParameters: 50,
  maxRecipients: 10_000,
  maxMessageFrames: 100_000,
  maxModifications: 10_000,
  maxReplacedBodyBytes: 50 * 1024 * 1024,
};
