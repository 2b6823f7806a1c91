import { readFileSync, writeFileSync } from 'node:fs';
import { arcCodes } from '@zegel/arc';
import { iprevCodes, noticeCodes } from '@zegel/authentication';
import { bimiCodes } from '@zegel/bimi';
import { dkimCodes } from '@zegel/dkim';
import { dmarcCodes } from '@zegel/dmarc';
import { directionCodes, dispositionCodes, refusalCodes, submitterCodes } from '@zegel/mail-policy';
import { renderConfigTable } from '@zegel/service-runtime';
import { signingCodes } from '@zegel/signing';
import { spfCodeResults, spfTexts } from '@zegel/spf';

/** A table of a page, made from the code that it describes. */
export interface GeneratedTable {
  /** File name in docs/. */
  readonly page: string;
  /** Stands in the markers around the table. */
  readonly name: string;
  readonly render: () => string;
}

export interface CodeEntry {
  readonly result?: string;
  readonly explanation: string;
  readonly advice?: string | undefined;
}

/** Every code that a report or a refusal may hold, by the name of its table. */
export const codes: Readonly<Record<string, Readonly<Record<string, CodeEntry>>>> = {
  dkim: dkimCodes,
  spf: Object.fromEntries(
    Object.entries(spfCodeResults).map(([code, result]) => {
      const texts = Object.entries(spfTexts).find(([other]) => other === code)?.[1];
      return [code, { result, explanation: texts?.explanation ?? '', advice: texts?.advice }];
    }),
  ),
  dmarc: dmarcCodes,
  arc: arcCodes,
  iprev: iprevCodes,
  bimi: bimiCodes,
  message: noticeCodes,
  signing: signingCodes,
};

export const tables: readonly GeneratedTable[] = [
  { page: 'configuration.md', name: 'settings', render: renderConfigTable },
  { page: 'mail-policy.md', name: 'flow', render: () => codeTable(directionCodes) },
  { page: 'mail-policy.md', name: 'submitter', render: () => codeTable(submitterCodes) },
  { page: 'mail-policy.md', name: 'refusal', render: () => codeTable(refusalCodes) },
  { page: 'mail-policy.md', name: 'disposition', render: () => codeTable(dispositionCodes) },
  ...Object.entries(codes).map(([name, entries]) => ({
    page: 'reports.md',
    name,
    render: () => codeTable(entries),
  })),
];

function codeTable(codes: Readonly<Record<string, CodeEntry>>): string {
  const hasResult = Object.values(codes).some(({ result }) => result !== undefined);
  const head = hasResult ? '| code | result | what it means |\n|---|---|---|' : '| code | what it means |\n|---|---|';
  const rows = Object.entries(codes).map(([code, { result, explanation, advice }]) => {
    const text = advice === undefined ? explanation : `${explanation} *${advice}*`;
    const cells = hasResult ? [`\`${code}\``, result ?? '', text] : [`\`${code}\``, text];
    return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
  });
  return [head, ...rows].join('\n');
}

/** A page with its tables as the code has them now. */
export function withTables(page: string): { readonly now: string; readonly wanted: string } {
  const now = readFileSync(pagePath(page), 'utf8');
  let wanted = now;
  for (const { name, render } of tables.filter((table) => table.page === page)) {
    const begin = `<!-- ${name}: made from the code by "npm run docs" -->`;
    const end = `<!-- end of ${name} -->`;
    const from = wanted.indexOf(begin);
    const to = wanted.indexOf(end);
    if (from === -1 || to === -1) throw new Error(`docs/${page} lacks the markers of the table ${name}`);
    wanted = `${wanted.slice(0, from + begin.length)}\n\n${render().trim()}\n\n${wanted.slice(to)}`;
  }
  return { now, wanted };
}

export function writePage(page: string): void {
  writeFileSync(pagePath(page), withTables(page).wanted);
}

function pagePath(page: string): URL {
  return new URL(`../../docs/${page}`, import.meta.url);
}
