import { readFileSync } from 'node:fs';

/** The version of this package. Read here and not by @zegel/service-runtime, which a small command does not wait for. */
export function zegelVersion(): string {
  const content: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return typeof content === 'object' && content !== null && 'version' in content ? String(content.version) : 'unknown';
}
