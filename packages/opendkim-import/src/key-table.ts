import { isSelector } from '@zegel/dkim';
import { normalizeDomain } from '@zegel/message';
import type { Dataset } from './dataset.ts';
import type { Notes, Place } from './note.ts';

/** One key of a KeyTable. `%` in domain and file stands for the author domain. */
export interface KeyTableEntry extends Place {
  readonly domain: string;
  readonly selector: string;
  readonly file: string;
}

/** The keys of a KeyTable by their name. */
export function readKeyTable(option: string, { entries }: Dataset, notes: Notes): ReadonlyMap<string, KeyTableEntry> {
  const keys = new Map<string, KeyTableEntry>();
  for (const entry of entries) {
    const { key, values } = entry;
    const [domain = '', selector = '', ...rest] = values;
    // A path may hold colons; a value with fewer fields is no key.
    const file = rest.join(':');
    if (domain !== '%' && normalizeDomain(domain) === null) {
      notes.add('dropped', option, entry, `The key ${key} names no domain.`);
    } else if (!isSelector(selector)) {
      notes.add('dropped', option, entry, `The key ${key} names no selector.`);
    } else if (!/^\.{0,2}\//.test(file) || file.includes('\0')) {
      notes.add(
        'dropped',
        option,
        entry,
        `The key ${key} stands in the table itself. Put it into a file of mode 0600, and name that.`,
      );
    } else if (keys.has(key)) {
      notes.add('dropped', option, entry, `The key ${key} stands here a second time.`);
    } else {
      keys.set(key, { file, line: entry.line, domain, selector });
    }
  }
  return keys;
}
