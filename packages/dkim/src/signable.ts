import { exceededLimit, fieldsNamed, fillTemplate, isCutOff, messageLimits, repeatedFields } from '@zegel/message';
import type { Header, MessageLimits } from '@zegel/message';
import { unsignableTexts } from './codes.ts';
import type { DkimLimits } from './limits.ts';

/** Why a message is not signed. What it means for a person is in the table of `@zegel/signing`. */
export interface Unsignable {
  readonly code: keyof typeof unsignableTexts;
  /** A sentence for logs and errors. */
  readonly explanation: string;
  readonly facts: UnsignableFacts;
}

/** What is to blame. */
export interface UnsignableFacts {
  /** The name of a field, or its place counted from the top. */
  readonly field?: string;
  readonly limit?: string;
  readonly found?: number;
  readonly allowed?: number;
}

/**
 * Whether a header may be signed. A signer that puts its name under a message that programs read differently lends its
 * reputation to a forgery, so what is ambiguous is refused (RFC 6376 §8.15, RFC 5322 §3.6).
 */
export function unsignable(
  header: Header,
  limits: MessageLimits = messageLimits,
  permitRepeatedFields = false,
): Unsignable | null {
  const { fields } = header;
  if (fields.length === 0) return because('message.no-header');
  const exceeded = exceededLimit(header, limits);
  if (exceeded !== null) return because('message.limit-exceeded', exceeded);
  const malformed = fields.findIndex((field) => field.name === '');
  const cutOff = isCutOff(header);
  if (malformed !== -1 && !(cutOff && malformed === fields.length - 1)) {
    return because('message.malformed-field', { field: String(malformed + 1) });
  }
  if (cutOff) return because('message.cut-off');
  const repeated = repeatedFields(header).find(({ field }) => !permitRepeatedFields || field === 'from');
  if (repeated !== undefined) return because('message.repeated-field', repeated);
  return fieldsNamed(header, 'from').length === 0 ? because('message.no-from') : null;
}

/** Whether h= would have more names than verifiers read. Signing some of them would leave the others open to change. */
export function tooManyNames(
  names: readonly string[],
  { maxSignedFields }: Pick<DkimLimits, 'maxSignedFields'>,
): Unsignable | null {
  if (names.length <= maxSignedFields) return null;
  return because('message.limit-exceeded', { limit: 'maxSignedFields', found: names.length, allowed: maxSignedFields });
}

function because(code: Unsignable['code'], facts: UnsignableFacts = {}): Unsignable {
  return { code, explanation: fillTemplate(unsignableTexts[code], { ...facts }), facts };
}

export const bareLineEnds: Unsignable = because('message.bare-line-ends');
