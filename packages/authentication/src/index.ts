export { authenticate, beginAuthentication } from './authenticate.ts';
export type { Authentication, AuthenticationOptions, AuthenticationResult } from './authenticate.ts';
export type { BimiSupport } from './bimi.ts';
export { authenticationContextSchema } from './context.ts';
export type { AuthenticationContext } from './context.ts';
export { iprevCodes } from './iprev-codes.ts';
export type { IprevCode } from './iprev-codes.ts';
export { authenticationLimits } from './limits.ts';
export type { AuthenticationLimits } from './limits.ts';
export { noticeCodes } from './notices.ts';
export type { NoticeCode } from './notices.ts';
export { authenticationReportSchema } from './report.ts';
export type {
  ArcVerdict,
  AuthenticationReport,
  AuthVerdict,
  BimiVerdict,
  DkimVerdict,
  DmarcVerdict,
  IprevVerdict,
  Notice,
  SpfVerdict,
} from './report.ts';
