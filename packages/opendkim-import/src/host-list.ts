import { formatNetwork, parseNetwork } from '@zegel/mail-policy';
import type { Dataset } from './dataset.ts';
import type { Notes } from './note.ts';

/** The networks of a list of hosts (InternalHosts), as text. Names and exceptions cannot be carried over. */
export function readNetworks(option: string, { entries }: Dataset, notes: Notes): readonly string[] {
  const networks = new Set<string>();
  for (const entry of entries) {
    const { key } = entry;
    const network = parseNetwork(key.replaceAll(/[[\]]/g, ''));
    if (network !== null) networks.add(formatNetwork(network));
    else if (key.startsWith('!')) {
      notes.add(
        'dropped',
        option,
        entry,
        `${key} is an exception, which a list of networks has not: write the networks around it.`,
      );
    } else {
      notes.add(
        'dropped',
        option,
        entry,
        `${key} is a host name: only addresses and networks are compared, since names are for whoever owns the reverse zone. Write its addresses.`,
      );
    }
  }
  return [...networks];
}
