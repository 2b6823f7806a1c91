export { authenticate, beginAuthentication } from './authenticate.ts';
export type {
  Authentication,
  AuthenticationContext,
  AuthenticationOptions,
  AuthenticationResult,
} from './authenticate.ts';
export { authenticationLimits } from './limits.ts';
export type { AuthenticationLimits } from './limits.ts';
export { noticeCodes } from './notices.ts';
export type { NoticeCode } from './notices.ts';
export { authenticationReportSchema } from './report.ts';
export type { AuthenticationReport, DkimVerdict, DmarcVerdict, Notice, SpfVerdict } from './report.ts';
