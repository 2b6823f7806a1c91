import { identityWithin } from '@zegel/dkim';
import { isSubdomainOf } from '@zegel/dns';
import { parseAuthorPattern } from '@zegel/mail-policy';
import { normalizeDomain } from '@zegel/message';
import type { Dataset, DatasetEntry } from './dataset.ts';
import type { KeyTableEntry } from './key-table.ts';
import type { Notes } from './note.ts';

/** A key file of our configuration. */
export interface ImportedKey {
  readonly domain: string;
  readonly selector: string;
  readonly file: string;
}

/** A rule of our configuration. */
export interface ImportedRule {
  readonly author: string;
  readonly domain: string;
  readonly selectors: string[];
  readonly subdomains?: boolean;
  readonly identity?: string;
  alsoSign?: { readonly domain: string; readonly selectors: string[] }[];
}

/** What the two tables come to. */
export interface ImportedSigning {
  readonly keys: readonly ImportedKey[];
  readonly rules: readonly ImportedRule[];
}

const maxShownDomains = 20;

/** Makes rules of a SigningTable. Only the first entry for an author counts, unless there are to be several signatures. */
export function readSigningTable(
  option: string,
  table: Dataset,
  keyTable: ReadonlyMap<string, KeyTableEntry>,
  several: boolean,
  notes: Notes,
): ImportedSigning {
  const keys = new Map<string, ImportedKey>();
  const rules = new Map<string, ImportedRule>();
  let forEverybody: DatasetEntry | undefined;
  for (const entry of table.entries) {
    const author = table.isPatterns ? authorOfPattern(entry.key) : authorOfKey(entry.key);
    if (author === null) {
      notes.add('dropped', option, entry, whyNoAuthor(entry.key, table.isPatterns));
      continue;
    }
    const covering = [...rules.keys()].find((earlier) => earlier !== author && covers(earlier, author));
    if (covering !== undefined && table.isPatterns && !several) {
      notes.add(
        'changed',
        option,
        entry,
        `${entry.key} stands below ${covering}, which OpenDKIM takes first. Here the closest rule counts.`,
      );
    }
    const key = resolveKey(option, entry, author, keyTable, notes);
    if (key === null) continue;
    const { domain, selector } = key;
    const known = keys.get(`${selector} ${domain}`);
    if (known !== undefined && known.file !== key.file) {
      notes.add('dropped', option, entry, `${selector}._domainkey.${domain} has another file already: ${known.file}.`);
      continue;
    }
    keys.set(`${selector} ${domain}`, key);
    const rule = rules.get(author);
    if (author === '*') forEverybody ??= entry;
    if (rule === undefined) {
      const identity = identityOf(option, entry, author, domain, notes);
      const isExact = !author.startsWith('*');
      rules.set(author, {
        author,
        domain,
        selectors: [selector],
        ...(isExact ? { subdomains: false } : {}),
        ...(identity === null ? {} : { identity }),
      });
    } else if (several) {
      addSignature(rule, domain, selector);
    } else {
      notes.add(
        'dropped',
        option,
        entry,
        `${entry.key} stands here a second time, and without MultipleSignatures only the first counts.`,
      );
    }
  }
  const signing = { keys: [...keys.values()], rules: [...rules.values()] };
  if (several) addWiderSignatures(signing.rules);
  if (forEverybody !== undefined) {
    notes.add(
      'changed',
      option,
      forEverybody,
      `OpenDKIM signs for every author. Here internal networks may sign only for ${shown(authorDomains(signing))}, unless submitters.networks lists more; other mail of theirs is sent unsigned.`,
    );
  }
  return signing;
}

/** The domains that authors may have: below a wildcard named by the domain above, and with `*` those of all keys. */
export function authorDomains({ keys, rules }: ImportedSigning): readonly string[] {
  const authors = rules.map(({ author }) => author.replace(/^\*\./, ''));
  const isForAll = authors.includes('*');
  const listed = authors.filter((author) => author !== '*');
  return [...new Set(isForAll ? [...listed, ...keys.map(({ domain }) => domain)] : listed)];
}

function shown(domains: readonly string[]): string {
  return domains.length > maxShownDomains ? `${domains.slice(0, maxShownDomains).join(', ')}, …` : domains.join(', ');
}

/** OpenDKIM signs by every entry that fits. Here the closest rule counts: it gets the signatures of the wider ones. */
function addWiderSignatures(rules: readonly ImportedRule[]): void {
  const wide = rules.filter(({ author }) => author.startsWith('*'));
  for (const rule of rules) {
    for (const wider of wide) {
      if (wider === rule || !covers(wider.author, rule.author)) continue;
      for (const selector of wider.selectors) addSignature(rule, wider.domain, selector);
      for (const { domain, selectors } of wider.alsoSign ?? []) {
        for (const selector of selectors) addSignature(rule, domain, selector);
      }
    }
  }
}

function addSignature(rule: ImportedRule, domain: string, selector: string): void {
  if (domain === rule.domain) {
    if (!rule.selectors.includes(selector)) rule.selectors.push(selector);
    return;
  }
  rule.alsoSign ??= [];
  const besides = rule.alsoSign.find((signing) => signing.domain === domain);
  if (besides === undefined) rule.alsoSign.push({ domain, selectors: [selector] });
  else if (!besides.selectors.includes(selector)) besides.selectors.push(selector);
}

/** The author pattern of an entry of `refile:`, whose `*` stands for any text of an address. */
function authorOfPattern(pattern: string): string | null {
  if (pattern === '*' || pattern === '*@*') return '*';
  const [, domain] = /^\*@((?:\*\.)?[^*@]+)$/.exec(pattern) ?? /^(\*\.[^*@]+)$/.exec(pattern) ?? [];
  return domain === undefined ? null : normalizedPattern(domain);
}

/** The author pattern of an entry of another table: `host`, `.domain`, `*`. */
function authorOfKey(key: string): string | null {
  if (key === '*') return '*';
  if (/[@*]/.test(key)) return null;
  return normalizedPattern(key.startsWith('.') ? `*${key}` : key);
}

function normalizedPattern(text: string): string | null {
  const pattern = parseAuthorPattern(text);
  if (pattern === null || pattern.kind === 'any') return null;
  return pattern.kind === 'below' ? `*.${pattern.domain}` : pattern.domain;
}

function whyNoAuthor(key: string, isPatterns: boolean): string {
  if (!isPatterns && key.includes('*')) {
    return `${key} is no pattern in a table that is not read with refile:, so OpenDKIM never used it.`;
  }
  if (isPatterns && !key.includes('*') && !key.includes('@')) {
    return `${key} never is a whole address, so OpenDKIM never used it. *@${key} would be its domain.`;
  }
  return `${key} is not a whole domain: keys are chosen by author domain here. Who may sign as which address stands under submitters.logins.`;
}

function covers(pattern: string, author: string): boolean {
  if (pattern === '*') return true;
  const domain = author.replace(/^\*\./, '');
  const above = pattern.slice(2);
  return pattern.startsWith('*.') && author !== above && isSubdomainOf(domain, above);
}

function resolveKey(
  option: string,
  entry: DatasetEntry,
  author: string,
  keyTable: ReadonlyMap<string, KeyTableEntry>,
  notes: Notes,
): ImportedKey | null {
  const name = entry.values[0]?.split(/\s/, 1)[0] ?? '';
  const found = keyTable.get(name === '%' ? author : name);
  if (found === undefined) {
    notes.add('dropped', option, entry, `The key ${name} is not in the KeyTable, or was left out above.`);
    return null;
  }
  const usesAuthor = found.domain === '%' || found.file.includes('%');
  if (usesAuthor && author.startsWith('*')) {
    notes.add(
      'dropped',
      option,
      entry,
      `The key ${name} has another domain or file for each author (%), and ${entry.key} does not say which. Write a rule for each domain.`,
    );
    return null;
  }
  const domain = normalizeDomain(found.domain === '%' ? author : found.domain);
  return domain === null ? null : { domain, selector: found.selector, file: found.file.replaceAll('%', author) };
}

/** i= of an entry; null when it has none, or one that OpenDKIM would leave out as well. */
function identityOf(
  option: string,
  { key, values, file, line }: DatasetEntry,
  author: string,
  domain: string,
  notes: Notes,
): string | null {
  const text = values[1] ?? values[0]?.split(/\s+/)[1] ?? '';
  if (text === '') return null;
  const place = { file, line };
  if (text === '%' || text === '@%') {
    const below = author.replace(/^\*\./, '');
    if (author !== '*' && isSubdomainOf(below, domain)) return 'author-domain';
    notes.add('dropped', option, place, `i= of ${key} would lie outside ${domain}.`);
    return null;
  }
  if (text.includes('%') && author.startsWith('*')) {
    notes.add('dropped', option, place, `i= of ${key} differs with the author (%): only "@%" can be said here.`);
    return null;
  }
  const replaced = text.replaceAll('%', author);
  const identity = identityWithin(replaced.includes('@') ? replaced : `@${replaced}`, domain);
  if (identity === null) notes.add('dropped', option, place, `i= of ${key} is no address at ${domain} or below it.`);
  return identity;
}
