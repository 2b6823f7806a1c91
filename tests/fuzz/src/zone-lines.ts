/**
 * Zones as lines, one record each: `name TYPE data`, or `name SERVFAIL`. Mutations by line and by token make other
 * zones of them; in JSON most would only break the syntax.
 */
import { ZoneResolver, normalizeName } from '@zegel/dns';
import type { Resolver, ZoneDeclaration, ZoneListEntry } from '@zegel/dns';
import { asBuffer } from '@zegel/message';

/** Octets stand for themselves: text is one character per octet. */
export function toText(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('latin1');
}

/** A resolver for a zone in lines. What cannot be read is passed over. */
export function zoneOf(lines: readonly string[]): ZoneResolver {
  const names = new Map<string, ZoneListEntry[] | 'NXDOMAIN' | 'SERVFAIL' | 'TIMEOUT'>();
  for (const line of lines) {
    const [name = '', type = ''] = line.split(' ', 2);
    const key = normalizeName(name);
    if (key === null) continue;
    if (type === 'NXDOMAIN' || type === 'SERVFAIL' || type === 'TIMEOUT') {
      names.set(key, type);
      continue;
    }
    const entry = readEntry(type, line.slice(name.length + type.length + 2));
    const known = names.get(key) ?? [];
    if (entry === null || typeof known === 'string') continue;
    const isSecondAlias = type === 'CNAME' && known.some((other) => 'type' in other && other.type === 'CNAME');
    if (!isSecondAlias) known.push(entry);
    names.set(key, known);
  }
  return new ZoneResolver(Object.fromEntries(names) satisfies ZoneDeclaration);
}

function readEntry(type: string, data: string): ZoneListEntry | null {
  switch (type) {
    case 'TXT':
      return { type, data: [Buffer.from(data, 'latin1')] as unknown as string[] };
    case 'A':
    case 'AAAA':
    case 'PTR':
    case 'CNAME':
    case 'NS':
      return { type, data };
    case 'MX': {
      const [preference = '', exchange = ''] = data.split(' ', 2);
      return { type, data: [Number.parseInt(preference, 10), exchange] };
    }
    default:
      return null;
  }
}

/** A zone of the conformance data, in either of its forms, as lines. */
export function zoneLines(zone: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(zone).flatMap(([name, entry]) => {
    if (typeof entry === 'string') return [`${name} ${entry}`];
    const records = Array.isArray(entry)
      ? (entry as { type?: string; data?: unknown; timeout?: string }[]).map(
          ({ type = 'TIMEOUT', data }) => [type, data] as const,
        )
      : Object.entries(entry as Record<string, unknown[]>).flatMap(([type, list]) =>
          list.map((data) => [type, data] as const),
        );
    return records.map(([type, data]) => `${name} ${type} ${writeData(type, data)}`);
  });
}

function writeData(type: string, data: unknown): string {
  const parts: unknown[] = Array.isArray(data) ? data : [data];
  const text = parts
    .map((part) => (typeof part === 'string' || typeof part === 'number' ? `${part}` : ''))
    .join(type === 'TXT' ? '' : ' ');
  return Buffer.from(text, 'utf8').toString('latin1').replaceAll('\n', ' ');
}

/** The entries of a zone that a message and its envelope are likely to ask for. */
export function relevant(zone: Readonly<Record<string, unknown>>, text: string): Record<string, unknown> {
  const lower = text.toLowerCase();
  const isAskedFor = (name: string) => lower.includes(name.split('.').slice(-2).join('.')) || name.endsWith('.arpa');
  return Object.fromEntries(Object.entries(zone).filter(([name]) => isAskedFor(name)));
}

const border = Buffer.from('\n---\n');

/** An input in two parts: lines (a zone, a session) and what follows them (a message). */
export function splitInput(input: Buffer): { readonly lines: readonly string[]; readonly rest: Buffer } {
  const at = input.indexOf(border);
  if (at === -1) return { lines: [], rest: input };
  return { lines: toText(input.subarray(0, at)).split('\n'), rest: input.subarray(at + border.length) };
}

export function joinInput(lines: readonly string[], rest: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(lines.join('\n'), 'latin1'), border, rest]);
}

/** The same zone for checks that are to wait for each of its answers. */
export function waitedFor(zone: ZoneResolver): Resolver {
  return { resolve: (name, type, options) => zone.resolve(name, type, options) };
}
