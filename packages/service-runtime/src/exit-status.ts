import { errorCode } from './errors.ts';

/** What the exit status of a service says. */
export const exitStatus = {
  /** Stopped as asked, everything closed. */
  stopped: 0,
  /** Did not start: what it was told makes no sense, and will not before somebody changes it. */
  badConfiguration: 1,
  /** Did not start: something it needs is not there; a later start may do. */
  lostInfrastructure: 2,
  /** A bug: an error nobody caught, or a resource that did not close in time (EX_SOFTWARE of sysexits). */
  internalError: 70,
  /** A second SIGINT or SIGTERM cut the closing short, as the shell reports it. */
  interrupted: { SIGINT: 130, SIGTERM: 143 },
} as const;

/** Codes, or the beginnings of codes, of errors that trying again cannot mend. */
const configurationCodes = [
  'config.',
  'keystore.',
  'database.folder-unusable',
  'EADDRINUSE',
  'EADDRNOTAVAIL',
  'EACCES',
  'EPERM',
  'EROFS',
];

/** The exit status for an error that kept a service from starting. */
export function startFailureStatus(error: unknown): number {
  const code = errorCode(error);
  return configurationCodes.some((beginning) => code.startsWith(beginning))
    ? exitStatus.badConfiguration
    : exitStatus.lostInfrastructure;
}
