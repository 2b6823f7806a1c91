export { applyEdits, noEdits } from './edits.ts';
export type { HeaderEdits } from './edits.ts';
export { fieldBytes, fieldValue, fieldsNamed, headerFromPairs, parseHeader } from './header.ts';
export type { Header, HeaderField } from './header.ts';
export { messageLimits } from './limits.ts';
export type { MessageLimits } from './limits.ts';
