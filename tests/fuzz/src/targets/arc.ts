import { beginSealing, verifyChain } from '@zegel/arc';
import { OverlayResolver, ZoneResolver } from '@zegel/dns';
import { parseMessage } from '@zegel/message';
import { arcMessages } from '../conformance-messages.ts';
import { fuzzKey, fuzzZone } from '../fuzz-key.ts';
import { must } from '../target.ts';
import type { FuzzTarget } from '../target.ts';
import { joinInput, relevant, splitInput, toText, zoneLines, zoneOf } from '../zone-lines.ts';
import { authResultsTokens } from './auth-results.ts';
import { dkimVerify } from './dkim-verify.ts';

const now = new Date('2026-11-24T00:00:00Z');
const authenticationResults = { authservId: 'mx.example', results: [] };

/** @zegel/arc: chains, and what becomes of them under a seal. The input is a zone and a message. */
export const arc: FuzzTarget = {
  name: 'arc',
  covers: ['arc'],
  tokens: [
    ...authResultsTokens,
    ...dkimVerify.tokens,
    ...'ARC-Seal: |ARC-Message-Signature: |ARC-Authentication-Results: |i=1; |i=2; |i=50; |i=51; |i=0; '.split('|'),
    ...'cv=none|cv=pass|cv=fail|cv=|a=rsa-sha256; |t=12345; |h=from; |b=; '.split('|'),
  ],
  seeds: () => arcMessages().map(({ raw, dns }) => joinInput(zoneLines(relevant(dns, toText(raw))).slice(0, 12), raw)),
  run: async (input) => {
    const { lines, rest: raw } = splitInput(input);
    const resolver = new OverlayResolver(new ZoneResolver(fuzzZone), zoneOf(lines));
    const chain = await verifyChain(raw, { resolver, now, trustedSealers: ['example.org'] });
    must(chain.sets >= 0 && chain.sets <= 50, 'more sets than there can be');
    must(chain.result !== 'pass' || chain.domains.length === chain.sets, 'a pass with unnamed sealers');
    must(!/[\r\n\0]/.test(chain.explanation), 'an explanation of several lines');

    const { header, body } = parseMessage(raw);
    const sealing = beginSealing(header, { key: fuzzKey, authenticationResults, chain, now });
    sealing.body(body);
    const outcome = await sealing.end();
    const words = [chain.code, `oldest-${chain.oldestPass === undefined ? 'none' : Math.sign(chain.oldestPass)}`];
    if (!outcome.ok) return [...words, outcome.problem.code];
    const sealed = Buffer.concat([...outcome.fields, raw]);
    const under = await verifyChain(sealed, { resolver, now });
    const expected = chain.result === 'fail' ? 'fail' : 'pass';
    must(
      under.result === expected,
      `sealed on ${chain.result}, it is ${under.result}: ${under.code.replaceAll('-', ' ')}`,
    );
    return [...words, `sealed ${under.code}`];
  },
};
