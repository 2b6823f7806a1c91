import { readFileSync } from 'node:fs';

/**
 * The version in the `package.json` one folder above a module: that of the package whose `src/` or `dist/` the module
 * lies in. `unknown` when there is none.
 *
 * @param moduleUrl `import.meta.url` of the module.
 */
export function packageVersion(moduleUrl: string): string {
  try {
    const content: unknown = JSON.parse(readFileSync(new URL('../package.json', moduleUrl), 'utf8'));
    if (typeof content === 'object' && content !== null && 'version' in content) return String(content.version);
  } catch {
    // Told as unknown below.
  }
  return 'unknown';
}
