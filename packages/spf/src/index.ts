export { checkHelo, checkHost } from './check-host.ts';
export type { SpfHeloOptions, SpfMailFromOptions } from './check-host.ts';
export { describeSpf, spfCodeResults, spfFaultTexts, spfTexts } from './codes.ts';
export type { SpfCode, SpfCodeText, SpfLanguage, SpfResultWord, SpfValues } from './codes.ts';
export { SpfInputError } from './errors.ts';
export { contains, formatIp, parseClientIp, reverseName } from './ip.ts';
export type { IpAddress, IpNetwork } from './ip.ts';
export { spfLimits } from './limits.ts';
export type { SpfLimits } from './limits.ts';
export type { Macro, MacroLetter, MacroString } from './macro.ts';
export { isSpfRecord, parseRecord } from './parse.ts';
export type { SpfParse } from './parse.ts';
export type {
  Directive,
  DomainModifier,
  Mechanism,
  Qualifier,
  SpfRecord,
  SpfSyntaxError,
  SpfSyntaxFault,
} from './record.ts';
export { formatReceivedSpf } from './received-spf.ts';
export type { SpfCounts, SpfEvidence, SpfLookup, SpfResult, SpfStepOutcome, SpfTraceEntry } from './result.ts';
