import { after, all, lookUp } from '@zegel/dns';
import type { DnsAnswer, Resolver } from '@zegel/dns';
import { fillTexts } from '@zegel/message';
import { formatIp, parseClientIp, reverseName } from '@zegel/spf';
import { iprevCodes } from './iprev-codes.ts';
import type { IprevCode } from './iprev-codes.ts';
import type { IprevVerdict } from './report.ts';

/** Names of one address that are looked at; more say nothing good about it. */
export const maxReverseNames = 10;

/**
 * Whether the client's address and its name agree (RFC 8601 §3): the address has a name in the reverse zone, and one of the
 * first ten such names has the address. `ip` must be one plain address.
 *
 * An address without a name is `fail` under a code of its own. RFC 8601 §2.7.3 would call it `permerror`; what runs in the
 * field writes `fail`, and that is what readers know.
 */
export async function checkIprev(ip: string, resolver: Resolver, signal: AbortSignal): Promise<IprevVerdict> {
  const client = parseClientIp(ip);
  if (client === undefined) throw new TypeError('ip must be one IPv4 or IPv6 address');
  const address = formatIp(client);
  return after(lookUp(resolver, reverseName(client), 'PTR', { signal }), (reverse) =>
    checkNames(address, client.version === 4 ? 'A' : 'AAAA', reverse, resolver, signal),
  );
}

/** The same once the names are there. */
function checkNames(
  address: string,
  type: 'A' | 'AAAA',
  reverse: DnsAnswer<'PTR'>,
  resolver: Resolver,
  signal: AbortSignal,
): IprevVerdict | Promise<IprevVerdict> {
  if (reverse.status === 'temporary-failure') {
    return verdict('iprev.dns-failure', { ip: address, names: [], reason: reverse.reason });
  }
  if (reverse.status !== 'found') return verdict('iprev.no-name', { ip: address, names: [] });

  const names = reverse.records.slice(0, maxReverseNames);
  const asked = names.map((name) => lookUp(resolver, name, type, { signal }));
  return after(all(asked), (answers) => conclude(address, names, answers));
}

function conclude(
  address: string,
  names: readonly string[],
  answers: readonly DnsAnswer<'A' | 'AAAA'>[],
): IprevVerdict {
  const confirmed = names.find((_, index) => {
    const answer = answers[index];
    return answer?.status === 'found' && answer.records.includes(address);
  });
  if (confirmed !== undefined) return verdict('iprev.pass', { ip: address, names, name: confirmed });
  for (const answer of answers) {
    if (answer.status === 'temporary-failure') {
      return verdict('iprev.dns-failure', { ip: address, names, reason: answer.reason });
    }
  }
  return verdict('iprev.no-agreement', { ip: address, names });
}

function verdict(code: IprevCode, evidence: IprevVerdict['evidence']): IprevVerdict {
  const entry: { result: IprevVerdict['result']; explanation: string; advice?: string } = iprevCodes[code];
  const values = { ...evidence, names: evidence.names.join(', ') };
  return {
    result: entry.result,
    code,
    ...fillTexts(entry, values),
    evidence,
  };
}
