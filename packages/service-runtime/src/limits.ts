/** Limits on what a configuration may hold. */
export const configLimits = {
  /** Bytes of a configuration file. */
  maxFileBytes: 8 * 1024 * 1024,
  /** Listeners of the milter. */
  maxListeners: 64,
  /** Bytes of the path of a Unix socket: `sun_path` holds 108 on Linux, one of them NUL. */
  maxSocketPathBytes: 107,
  /** Bytes of a file that maps logins to authors. */
  maxLoginMapBytes: 16 * 1024 * 1024,
  /** Bytes of a file that holds a URL. */
  maxUrlFileBytes: 8 * 1024,
  /** Keys, rules or networks in one list of the file. */
  maxListItems: 10_000,
  /** Characters of a wrong value that an error repeats. */
  maxShownCharacters: 200,
  /** Problems that one error names. */
  maxProblems: 50,
} as const;
