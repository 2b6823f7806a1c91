/** Limits on what is read of a configuration of OpenDKIM. */
export const importLimits = {
  /** Characters of one file. */
  maxFileLength: 8 * 1024 * 1024,
  /** Files read, tables and included ones together. */
  maxFiles: 200,
  /** Depth of `Include`, as OpenDKIM has it. */
  maxIncludeDepth: 5,
  /** Entries of one table. */
  maxEntries: 10_000,
  /** Notes that are given. */
  maxNotes: 1_000,
} as const;
