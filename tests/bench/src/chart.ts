import { timesRate } from './race.ts';
import type { RaceResult, Results } from './results.ts';

/** One bar of the chart. */
interface Bar {
  readonly label: string;
  readonly share: number;
  readonly own: boolean;
}

const colours = { own: '#1f6f5c', other: '#9aa5b1', text: '#1c2733', rule: '#d5dbe1' } as const;
const width = 760;
const labelWidth = 190;
const barHeight = 16;
const gap = 5;

/**
 * The races against the floor as a chart: for each operation, what share of the floor everybody reaches. SVG without
 * scripts or fonts of its own.
 */
export function toChart(results: Results): string {
  const races = results.races.filter(({ rates }) => rates[0]?.name === 'floor');
  const parts: string[] = [];
  let top = 40;
  for (const race of races) {
    parts.push(text(0, top, race.title, { bold: true }));
    top += 12;
    for (const bar of barsOf(race)) {
      parts.push(drawBar(bar, top));
      top += barHeight + gap;
    }
    top += 26;
  }
  const title = 'Share of the floor (SHA-256 and one RSA operation) that each reaches, per second of processor time';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${top}" font-family="system-ui, sans-serif" font-size="12">`,
    `<title>${escape(title)}</title>`,
    `<rect width="${width}" height="${top}" fill="#ffffff"/>`,
    text(0, 16, title, { bold: false }),
    ...parts,
    '</svg>\n',
  ].join('\n');
}

function barsOf({ rates }: RaceResult): readonly Bar[] {
  const floor = rates[0]?.samples ?? [];
  return rates
    .slice(1)
    .map(({ name, samples }) => ({ label: name, share: timesRate(samples, floor), own: name.startsWith('zegel') }))
    .toSorted((one, other) => other.share - one.share);
}

function drawBar({ label, share, own }: Bar, top: number): string {
  const full = width - labelWidth - 60;
  const length = Math.max(1, Math.min(1, share) * full);
  const middle = top + barHeight - 4;
  return [
    text(labelWidth - 8, middle, label, { anchor: 'end' }),
    `<rect x="${labelWidth}" y="${top}" width="${full}" height="${barHeight}" fill="none" stroke="${colours.rule}"/>`,
    `<rect x="${labelWidth}" y="${top}" width="${length.toFixed(1)}" height="${barHeight}" fill="${own ? colours.own : colours.other}"/>`,
    text(labelWidth + full + 8, middle, share.toFixed(2)),
  ].join('\n');
}

function text(
  x: number,
  y: number,
  content: string,
  { bold = false, anchor = 'start' }: { readonly bold?: boolean; readonly anchor?: 'start' | 'end' } = {},
): string {
  const weight = bold ? ' font-weight="600"' : '';
  return `<text x="${x}" y="${y}" fill="${colours.text}" text-anchor="${anchor}"${weight}>${escape(content)}</text>`;
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
