import { fileURLToPath } from 'node:url';
import path from 'node:path';
import type { ZoneDeclaration } from '@zegel/dns';
import { conformanceFolder, loadConformance, startNode } from '@zegel/test-harness';
import { beforeAll, describe, expect, it } from 'vitest';

/** Every collected message through the command, in one run: `zegel verify --batch`, offline and at the time of its case. */

interface Case {
  readonly id: string;
  readonly file: string;
  /** Seconds. */
  readonly now?: number;
  readonly dns?: ZoneDeclaration;
  /** The verdict under RFC 6376 and RFC 8301. */
  readonly expectRfc8301: string;
  /** `policy`: a local decision, either answer is fine. */
  readonly group?: string;
}

interface Suite {
  readonly dns?: ZoneDeclaration;
  readonly cases: readonly Case[];
}

interface Line {
  readonly id: string;
  readonly report?: { readonly dkim: readonly { readonly result: string; readonly code: string }[] };
  readonly edits?: { readonly remove: readonly object[]; readonly prepend: readonly string[] };
  readonly error?: { readonly code: string; readonly message: string };
}

const zegel = fileURLToPath(new URL('../../services/cli/bin/zegel.mjs', import.meta.url));
const suites = ['dkimpy', 'go-msgauth', 'lieser', 'mail-dkim', 'mimekit', 'opendkim', 'rspamd', 'stalwart'];
const folder = path.join(conformanceFolder(), 'dkim');

const cases = suites.flatMap((name) => {
  const suite = loadConformance<Suite>(`dkim/${name}.json`);
  return suite.cases.map((entry) => ({ ...entry, dns: { ...suite.dns, ...entry.dns } }));
});

let lines: readonly Line[];
let byId: ReadonlyMap<string, Line>;

beforeAll(async () => {
  const input = cases.map(({ id, file, dns, now }) => JSON.stringify({ id, file: path.join(folder, file), dns, now }));
  await using command = await startNode(zegel, ['verify', '--batch', '--authserv-id', 'mx.receiver.test']);
  command.write(`${input.join('\n')}\n`);
  const last = cases.at(-1)?.id ?? '';
  await command.waitForLine(new RegExp(`^\\{"id":"${last}"`));
  lines = command
    .output()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  byId = new Map(lines.map((line) => [line.id, line]));
});

/** What the command said of one message: its results with their codes, and whether one of them is pass. */
function verdictOn(id: string): { readonly passes: boolean; readonly words: string } {
  const line = byId.get(id);
  const results = line?.report?.dkim ?? [];
  return {
    passes: results.some(({ result }) => result === 'pass'),
    words: line?.error?.message ?? results.map(({ result, code }) => `${result} ${code}`).join(', '),
  };
}

describe('zegel verify --batch', () => {
  it('answers every case with a report and a field to put on top, in order', () => {
    expect(lines.map(({ id }) => id)).toEqual(cases.map(({ id }) => id));
    expect(lines.filter(({ error }) => error !== undefined)).toEqual([]);
    for (const { edits } of lines) {
      expect(edits?.prepend[0]).toMatch(/^Authentication-Results: mx\.receiver\.test;[^]*dkim=[^]*\r\n$/);
    }
  });
});

describe('signatures that hold under RFC 6376 and RFC 8301', () => {
  const holding = cases.filter((entry) => entry.expectRfc8301 === 'pass' && entry.group !== 'policy');
  it.each(holding)('$id passes', ({ id }) => {
    const { passes, words } = verdictOn(id);
    expect(passes, words).toBe(true);
  });
});

describe('signatures that do not hold', () => {
  const others = cases.filter((entry) => entry.expectRfc8301 !== 'pass' && entry.group !== 'policy');
  it.each(others)('$id does not pass ($expectRfc8301)', ({ id }) => {
    const { passes, words } = verdictOn(id);
    expect(words).not.toBe('');
    expect(passes, words).toBe(false);
  });
});
