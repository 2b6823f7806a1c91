import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { codes, tables, withTables } from './tables.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('the tables in docs/', () => {
  it.each([...new Set(tables.map((table) => table.page))])('%s says what the code says (npm run docs)', (page) => {
    const { now, wanted } = withTables(page);
    expect(now).toBe(wanted);
  });
});

/** Whether nothing is to be done about it. */
function isGood(code: string, result?: string): boolean {
  return result === 'pass' || result === 'signed' || code === 'auth.pass';
}

describe('every code', () => {
  const entries = Object.values(codes).flatMap((table) => Object.entries(table));
  it.each(entries)('%s is explained, and comes with advice unless all is well', (code, entry) => {
    expect(entry.explanation).toMatch(/\w/);
    expect(entry.advice !== undefined || isGood(code, entry.result)).toBe(true);
  });
});

describe('links between pages', () => {
  const pages = globSync(['*.md', 'docs/*.md', 'infra/**/*.md', 'packages/*/*.md', 'services/*/*.md', 'tests/*/*.md'], {
    cwd: root,
    exclude: ['**/node_modules/**'],
  });

  it.each(pages)('%s links to what is there', (page) => {
    const text = readFileSync(path.join(root, page), 'utf8');
    const broken = [...text.matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !existsSync(path.resolve(root, path.dirname(page), target)));
    expect(broken).toEqual([]);
  });

  it('every package and service has a README', () => {
    const folders = globSync(['packages/*', 'services/*'], { cwd: root });
    expect(folders.filter((folder) => !existsSync(path.join(root, folder, 'README.md')))).toEqual([]);
  });
});
