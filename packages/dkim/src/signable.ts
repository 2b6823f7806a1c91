import { exceededLimit, messageLimits } from '@zegel/message';
import type { MessageLimits } from '@zegel/message';
import type { FieldIndex } from './header-data.ts';
import { singletonFields } from './signed-fields.ts';

/** Why a message is not signed. What it means for a person is in the table of `@zegel/signing`. */
export interface Unsignable {
  readonly code:
    | 'message.no-header'
    | 'message.no-from'
    | 'message.cut-off'
    | 'message.malformed-field'
    | 'message.repeated-field'
    | 'message.bare-line-ends'
    | 'message.limit-exceeded';
  /** The sentence without a name in it, for logs and errors. */
  readonly explanation: string;
  /** The field that is to blame: its name, or its place counted from the top. */
  readonly field?: string;
}

/**
 * Whether a header may be signed. A signer that puts its name under a message that programs read differently lends its
 * reputation to a forgery, so what is ambiguous is refused (RFC 6376 §8.15, RFC 5322 §3.6).
 */
export function unsignable(
  index: FieldIndex,
  limits: MessageLimits = messageLimits,
  permitRepeatedFields = false,
): Unsignable | null {
  const { bytes, fields } = index.header;
  if (fields.length === 0) {
    return {
      code: 'message.no-header',
      explanation: 'The message has no header: it is empty or begins with its body.',
    };
  }
  const exceeded = exceededLimit(index.header, limits);
  if (exceeded !== null) {
    const explanation = `The header is above the limit ${exceeded.limit}: ${exceeded.found}, and ${exceeded.allowed} is allowed.`;
    return { code: 'message.limit-exceeded', explanation };
  }
  const malformed = fields.findIndex((field) => field.name === '');
  const cutOff = bytes.at(-1) !== 0x0a || bytes.at(-2) !== 0x0d;
  if (malformed !== -1 && !(cutOff && malformed === fields.length - 1)) {
    const explanation = `Line ${malformed + 1} of the header, folds not counted, is not a header field.`;
    return { code: 'message.malformed-field', explanation, field: String(malformed + 1) };
  }
  if (cutOff) return { code: 'message.cut-off', explanation: 'The message ends in the middle of its header.' };
  const singletons = permitRepeatedFields ? ['from'] : singletonFields;
  const [repeated] = singletons.filter((name) => index.named(name).length > 1);
  if (repeated !== undefined) {
    const explanation = `The field ${repeated} occurs ${index.named(repeated).length} times, and one is allowed.`;
    return { code: 'message.repeated-field', explanation, field: repeated };
  }
  if (index.named('from').length === 0) {
    return { code: 'message.no-from', explanation: 'The message has no From field, so it has no author to sign for.' };
  }
  return null;
}

export const bareLineEnds: Unsignable = {
  code: 'message.bare-line-ends',
  explanation:
    'The message mixes line ends: a CR or LF stands alone in it. Mail is CRLF throughout, and receivers would change it.',
};
