export type { ReadFile } from './conf-file.ts';
export { importOpendkim } from './import.ts';
export type { OpendkimImport } from './import.ts';
export { importLimits } from './limits.ts';
export type { ImportNote } from './note.ts';
export { carriedOptions, droppedOptions } from './options.ts';
