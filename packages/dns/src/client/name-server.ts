/**
 * Which name servers to ask: from text of a person, or from resolv.conf(5).
 */

import { closeSync, openSync, readSync } from 'node:fs';
import { isIP } from 'node:net';
import { MAX_RESOLV_CONF_OCTETS, MAX_SERVERS } from '../limits.ts';
import { DnsConfigurationError } from './errors.ts';

const DNS_PORT = 53;

/** A recursive name server. */
export interface NameServer {
  /** IPv4 or IPv6 address; a link-local one may carry a zone index (`fe80::1%eth0`). */
  readonly address: string;
  readonly port: number;
}

/**
 * Reads `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1` or `[2001:db8::1]:5353`. Throws a DnsConfigurationError
 * for anything else; a host name is none, since there is nobody yet to ask for it.
 */
export function parseNameServer(text: string): NameServer {
  if (isIP(text) !== 0) return { address: text, port: DNS_PORT };
  const match = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d{1,5}))?$/.exec(text);
  const address = match?.[1] ?? match?.[2] ?? '';
  const port = match?.[3] === undefined ? DNS_PORT : Number(match[3]);
  const family = isIP(address);
  if (family === 0 || (family === 6) !== text.startsWith('[') || port < 1 || port > 65_535) {
    throw new DnsConfigurationError(`not a name server address: ${JSON.stringify(text)}`);
  }
  return { address, port };
}

/**
 * The `nameserver` lines of resolv.conf text, the first three, as resolv.conf(5) has it; lines that are not
 * understood are read over. Without any, the server of this host.
 */
export function parseResolvConf(text: string): readonly NameServer[] {
  const servers: NameServer[] = [];
  for (const line of text.split('\n')) {
    const address = /^[ \t]*nameserver[ \t]+([^ \t\r#;]+)/.exec(line)?.[1];
    if (address !== undefined && isIP(address) !== 0 && servers.length < MAX_SERVERS) {
      servers.push({ address, port: DNS_PORT });
    }
  }
  return servers.length > 0 ? servers : [{ address: '127.0.0.1', port: DNS_PORT }];
}

/** Reads the name servers of this host, once; a missing file means the server of this host, as it does to the C library. */
export function readResolvConf(path: string): readonly NameServer[] {
  return parseResolvConf(readHead(path, MAX_RESOLV_CONF_OCTETS));
}

/** Whether the server runs on this host, so that nobody between can set its AD bit (RFC 6840 §5.8, RFC 4035 §4.9.3). */
export function isLoopback(server: NameServer): boolean {
  return server.address.startsWith('127.') || server.address === '::1';
}

function readHead(path: string, octets: number): string {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return '';
  }
  try {
    const head = Buffer.alloc(octets);
    return head.toString('utf8', 0, readSync(file, head, 0, octets, 0));
  } catch {
    return '';
  } finally {
    closeSync(file);
  }
}
