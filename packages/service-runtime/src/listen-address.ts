import { isIP, isIPv6 } from 'node:net';

/** A host (name or IP address, IPv6 without brackets) and a port. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

const HOST_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/;
const DNS_PORT = 53;

/** Reads `host:port`, an IPv6 host in brackets; port 0 lets the system choose. `null` when it is something else. */
export function parseAddress(text: string): HostPort | null {
  const colon = text.lastIndexOf(':');
  if (colon === -1) return null;
  const port = parsePort(text.slice(colon + 1));
  const host = parseHost(text.slice(0, colon));
  return host === null || port === null ? null : { host, port };
}

/** Reads `host`, `host:port`, a bare IPv6 address, or one in brackets with a port; port 53 unless given. */
export function parseResolverAddress(text: string): HostPort | null {
  if (isIP(text) !== 0) return { host: text, port: DNS_PORT };
  const host = parseHost(text);
  return host === null ? parseAddress(text) : { host, port: DNS_PORT };
}

/** The form in which people and URLs write it: an IPv6 host in brackets. */
export function formatAddress({ host, port }: HostPort): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

function parseHost(text: string): string | null {
  if (text.startsWith('[') && text.endsWith(']')) {
    const inner = text.slice(1, -1);
    return isIPv6(inner) ? inner : null;
  }
  return HOST_NAME.test(text) ? text : null;
}

function parsePort(text: string): number | null {
  if (!/^[0-9]{1,5}$/.test(text)) return null;
  const port = Number(text);
  return port <= 65_535 ? port : null;
}
