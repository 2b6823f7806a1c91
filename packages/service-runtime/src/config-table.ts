import { listSettings } from './schema.ts';

/**
 * The table of every setting in Markdown, for docs/configuration.md; made from the schema that reads them, so that the
 * two cannot differ. Ends in a line feed.
 */
export function renderConfigTable(): string {
  const rows = listSettings().map(({ variable, key, fallback, unit, allowed, description, secret }) => {
    const notes = secret ? `${description} Secret: never printed.` : description;
    const place = key === null ? 'not in the file' : `\`${key}\``;
    return `| \`${variable}\` | ${place} | ${cell(fallback)} | ${cell(unit)} | ${cell(notes)} Must be ${cell(allowed)}. |`;
  });
  return `${['| Variable | In the file | Default | Unit | Meaning |', '| --- | --- | --- | --- | --- |', ...rows].join('\n')}\n`;
}

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`);
}
