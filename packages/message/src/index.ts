export { LineEndWatch, holdsBareLineEnd } from '@zegel/canonicalization';
export { parseAddressList } from './address.ts';
export type { AddressError, AddressList, Mailbox } from './address.ts';
export { authorCodes, readAuthor } from './author.ts';
export type { Author, AuthorCode } from './author.ts';
export { normalizeDomain } from './domain.ts';
export { applyEdits, editMessage, editMessageStream, noEdits } from './edits.ts';
export type { HeaderEdits } from './edits.ts';
export { commonName } from './field-names.ts';
export {
  everyField,
  fieldBytes,
  fieldsNamed,
  fieldValue,
  hasBareLineEnds,
  headerFromPairs,
  isCutOff,
  parseHeader,
} from './header.ts';
export type { Header, HeaderField } from './header.ts';
export { exceededLimit, messageLimits } from './limits.ts';
export type { ExceededLimit, MessageLimits } from './limits.ts';
export { normalizeLineEnds } from './line-ends.ts';
export { fieldsAmong, repeatedFields } from './named-fields.ts';
export { asBuffer } from './octets.ts';
export { MessageScanner, parseMessage } from './parse.ts';
export type { ParsedMessage } from './parse.ts';
export { fillTemplate, fillTexts } from './wording.ts';
export type { OutcomeTexts } from './wording.ts';
