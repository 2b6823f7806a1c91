import { signMessage, verifyMessage } from '@zegel/dkim';
import { ZoneResolver } from '@zegel/dns';
import { normalizeLineEnds } from '@zegel/message';
import { algorithms } from './implementation.ts';
import type { Implementation } from './implementation.ts';
import type { SigningDomain } from './signing-domain.ts';

/** Our own implementation, in the same dress as the peers. Messages pass the line ends of a file door before they are signed. */
export function zegel({ keys, records }: SigningDomain): Implementation {
  const zone = Object.entries(records).map(([name, text]) => [name, { TXT: [text] }]);
  const resolver = new ZoneResolver(Object.fromEntries(zone));
  return {
    name: 'zegel',
    version: 'this tree',
    algorithms,
    verify: async (wire) =>
      (await verifyMessage(wire, { resolver })).map(({ result, selector = '', code }) => ({
        selector,
        result,
        detail: code,
      })),
    sign: (message, request) => {
      const [header, body] = request.canonicalization.split('/') as ['simple' | 'relaxed', 'simple' | 'relaxed'];
      return signMessage(normalizeLineEnds(message.raw).raw, {
        keys: request.algorithms.map((algorithm) => keys[algorithm]),
        canonicalization: { header, body },
      });
    },
  };
}
