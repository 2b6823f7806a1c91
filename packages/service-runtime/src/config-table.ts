import { listSettings } from './config.ts';

/**
 * The table of every environment variable in Markdown, for docs/configuration.md; made from the schema that reads
 * them, so that the two cannot differ. Ends in a line feed.
 */
export function renderConfigTable(): string {
  const rows = listSettings().map(({ variable, fallback, unit, allowed, description, secret }) => {
    const notes = secret ? `${description} Secret: never printed.` : description;
    return `| \`${variable}\` | ${cell(fallback)} | ${cell(unit)} | ${cell(notes)} Must be ${cell(allowed)}. |`;
  });
  return `${['| Variable | Default | Unit | Meaning |', '| --- | --- | --- | --- |', ...rows].join('\n')}\n`;
}

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`);
}
