import { isSelector } from '@zegel/dkim';
import { normalizeDomain } from '@zegel/message';
import { parseNetwork } from '@zegel/mail-policy';
import { isAuthservId } from '@zegel/service-runtime/config';
import { readConf, SourceFiles } from './conf-file.ts';
import type { ConfOption, ReadFile } from './conf-file.ts';
import { readDataset } from './dataset.ts';
import type { Dataset } from './dataset.ts';
import { readActions } from './failure-actions.ts';
import { readOversigned, readSigned } from './header-lists.ts';
import { readNetworks } from './host-list.ts';
import { readKeyTable } from './key-table.ts';
import { readListener } from './listener.ts';
import { Notes } from './note.ts';
import type { ImportNote } from './note.ts';
import { carriedOptions, droppedOptions } from './options.ts';
import { readSigningTable } from './signing-table.ts';
import type { ImportedSigning } from './signing-table.ts';
import { writeConfig } from './write.ts';
import type { ImportedConfig } from './write.ts';

/** Our configuration, and what it does not say. */
export interface OpendkimImport {
  /** YAML that `parseConfig` of @zegel/service-runtime accepts. */
  readonly yaml: string;
  readonly notes: readonly ImportNote[];
}

/**
 * Reads opendkim.conf with all it names, and writes our configuration. It never throws: what cannot be carried over is a note.
 *
 * @param read answers the text of a file, or null. Relative paths are passed as they stand.
 */
export function importOpendkim(file: string, read: ReadFile): OpendkimImport {
  const notes = new Notes();
  const files = new SourceFiles(read, notes);
  const options = new Options(readConf(file, files, notes), files, notes);
  options.noteUnused();
  const config = gather(options, notes);
  noteDefaults(options, file, notes);
  return { yaml: writeConfig(config), notes: notes.all };
}

/** The options that count: the last of each name. */
class Options {
  readonly #byName = new Map<string, ConfOption>();
  readonly #files: SourceFiles;
  readonly #notes: Notes;

  constructor(options: readonly ConfOption[], files: SourceFiles, notes: Notes) {
    this.#files = files;
    this.#notes = notes;
    for (const option of options) {
      const name = option.name.toLowerCase();
      const earlier = this.#byName.get(name);
      if (earlier !== undefined)
        notes.add('dropped', option.name, earlier, `It stands again in line ${option.line}, which counts.`);
      this.#byName.set(name, option);
    }
  }

  find(name: string): ConfOption | undefined {
    const option = this.#byName.get(name.toLowerCase());
    return option?.value === '' ? undefined : option;
  }

  isOn(name: string): boolean {
    return /^[ty1]/i.test(this.find(name)?.value ?? '');
  }

  dataset(name: string): Dataset | null {
    const option = this.find(name);
    return option === undefined ? null : readDataset(option, this.#files, this.#notes);
  }

  noteUnused(): void {
    for (const [name, option] of this.#byName) {
      if (carriedOptions.has(name)) continue;
      const text = droppedOptions.get(name);
      // What is off or without a value, and what needs no word, is so here as well.
      if (text === '' || option.value === '' || (text !== undefined && /^(?:no|false|0)$/i.test(option.value)))
        continue;
      this.#notes.add('dropped', option.name, option, text ?? 'No such option is known.');
    }
  }
}

function gather(options: Options, notes: Notes): ImportedConfig {
  const socket = options.find('Socket');
  const listener =
    socket === undefined ? null : readListener(socket, options.find('Mode'), options.find('UMask'), notes);
  const signing = readSigning(options, notes);
  const internal = options.dataset('InternalHosts');
  const internalNetworks = internal === null ? ['127.0.0.1/32'] : readNetworks('InternalHosts', internal, notes);
  const oversigned = options.dataset('OversignHeaders');
  const signed = options.dataset('SignHeaders');
  const omitted = options.find('OmitHeaders');
  if (omitted !== undefined) {
    notes.add(
      'dropped',
      omitted.name,
      omitted,
      'Fields that readers see are signed in any case, trace fields never are.',
    );
  }
  const baseDirectory = options.find('BaseDirectory');
  if (baseDirectory !== undefined) {
    notes.add(
      'changed',
      baseDirectory.name,
      baseDirectory,
      'Relative paths count from the folder of the new file: write them out.',
    );
  }
  return {
    ...readAuthservIds(options, notes),
    dnsServers: readNameservers(options, notes),
    listener,
    daemonNames: readDaemonNames(options, notes),
    internalNetworks,
    signing,
    validitySeconds: readTtl(options, notes),
    canonicalization: readCanonicalization(options, notes),
    oversign: oversigned === null ? [] : readOversigned('OversignHeaders', oversigned, notes),
    signWhenPresent: signed === null ? [] : readSigned('SignHeaders', signed, notes),
    actions: readActions((name) => options.find(name), notes),
  };
}

function readSigning(options: Options, notes: Notes): ImportedSigning {
  const algorithm = options.find('SignatureAlgorithm');
  if (algorithm !== undefined && /sha1/i.test(algorithm.value)) {
    notes.add('changed', algorithm.name, algorithm, 'rsa-sha1 counts for nothing (RFC 8301): rsa-sha256 is used.');
  }
  const none: ImportedSigning = { keys: [], rules: [] };
  const keyTable = options.dataset('KeyTable');
  if (options.find('KeyTable') !== undefined) {
    const table = options.dataset('SigningTable');
    if (keyTable === null || table === null) return none;
    const keys = readKeyTable('KeyTable', keyTable, notes);
    return readSigningTable('SigningTable', table, keys, options.isOn('MultipleSignatures'), notes);
  }
  return readSingleKey(options, notes) ?? none;
}

/** `Domain`, `Selector` and `KeyFile`: one key for every domain that is listed. */
function readSingleKey(options: Options, notes: Notes): ImportedSigning | null {
  const [keyFile, selector] = [options.find('KeyFile'), options.find('Selector')];
  const listed = options.dataset('Domain');
  if (keyFile === undefined || selector === undefined || listed === null) return null;
  if (keyFile.value.includes('\0')) {
    notes.add('dropped', keyFile.name, keyFile, 'It is no path.');
    return null;
  }
  if (!isSelector(selector.value)) {
    notes.add('dropped', selector.name, selector, `${selector.value} is no selector.`);
    return null;
  }
  const domains = new Set<string>();
  for (const entry of listed.entries) {
    const domain = normalizeDomain(entry.key);
    if (domain === null) notes.add('dropped', 'Domain', entry, `${entry.key} is no domain name.`);
    else domains.add(domain);
  }
  const subdomains = options.isOn('SubDomains');
  return {
    keys: [...domains].map((domain) => ({ domain, selector: selector.value, file: keyFile.value })),
    rules: [...domains].map((domain) => ({ author: domain, domain, selectors: [selector.value], subdomains })),
  };
}

function readAuthservIds(options: Options, notes: Notes): Pick<ImportedConfig, 'authservId' | 'ourAuthservIds'> {
  const own = options.find('AuthservID');
  const id = own !== undefined && isAuthservId(own.value) && own.value !== 'HOSTNAME' ? own.value : null;
  if (own !== undefined && own.value !== 'HOSTNAME' && id === null) {
    notes.add('dropped', own.name, own, `${own.value} is no domain name: the name of the host is taken.`);
  }
  const others = new Set<string>();
  for (const entry of options.dataset('RemoveARFrom')?.entries ?? []) {
    const name = isAuthservId(entry.key) ? entry.key : null;
    if (name === null)
      notes.add('dropped', 'RemoveARFrom', entry, `${entry.key} is no whole name: list the names below it.`);
    else others.add(name);
  }
  return { authservId: id, ourAuthservIds: [...others] };
}

function readNameservers(options: Options, notes: Notes): readonly string[] {
  const option = options.find('Nameservers');
  return (option?.value ?? '').split(',').flatMap((item) => {
    const address = item.trim();
    if (address === '') return [];
    if (parseNetwork(address) !== null && !address.includes('/')) return [address];
    if (option !== undefined) notes.add('dropped', option.name, option, `${address} is no IP address.`);
    return [];
  });
}

/** Names of the mail server's own services: `MTA`, and the macro `{daemon_name}` of `MacroList`. */
function readDaemonNames(options: Options, notes: Notes): readonly string[] {
  const names = new Set<string>();
  for (const entry of options.dataset('MTA')?.entries ?? []) names.add(entry.key);
  for (const entry of options.dataset('MacroList')?.entries ?? []) {
    const macro = entry.key.replace(/^\{(.*)\}$/, '$1');
    const values = entry.values
      .join(':')
      .split('|')
      .map((value) => value.trim())
      .filter((value) => value !== '');
    if (macro === 'daemon_name' && values.length > 0) for (const value of values) names.add(value);
    else if (macro !== 'auth_authen' && macro !== 'auth_type') {
      notes.add(
        'dropped',
        'MacroList',
        entry,
        `${entry.key}: outbound is what has a login, a listed {daemon_name}, or comes from an internal network.`,
      );
    }
  }
  return [...names].filter((name) => !name.includes(','));
}

function readTtl(options: Options, notes: Notes): number {
  const option = options.find('SignatureTTL');
  if (option === undefined || option.value === '0') return 0;
  const seconds = /^\d{1,9}$/.test(option.value) ? Number(option.value) : Number.NaN;
  if (seconds >= 0 && seconds <= 315_360_000) return seconds;
  notes.add('dropped', option.name, option, `${option.value} is not a number of seconds below ten years.`);
  return 0;
}

/** One word is for the header alone, and the body is simple then. */
function readCanonicalization(options: Options, notes: Notes): string | null {
  const option = options.find('Canonicalization');
  if (option === undefined) return null;
  const [header = '', body = 'simple'] = option.value.toLowerCase().split('/');
  if ([header, body].every((part) => part === 'simple' || part === 'relaxed')) return `${header}/${body}`;
  notes.add('dropped', option.name, option, `${option.value} is none: relaxed/relaxed is used.`);
  return null;
}

/** What is otherwise where OpenDKIM's configuration says nothing. */
function noteDefaults(options: Options, file: string, notes: Notes): void {
  const place = { file, line: 0 };
  const isSigner = options.find('Mode')?.value.includes('s') ?? true;
  if (isSigner && options.find('Canonicalization') === undefined) {
    notes.add(
      'changed',
      'Canonicalization',
      place,
      'It is not set, which is simple/simple in OpenDKIM and relaxed/relaxed here: fewer signatures break.',
    );
  }
  if (isSigner) {
    notes.add(
      'changed',
      'SigningTable',
      place,
      'OpenDKIM signs for whatever author a login names. Here a login signs for its own address only, unless submitters.logins lists more; other mail is sent unsigned, as the new file says.',
    );
  }
}
