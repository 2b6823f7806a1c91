import { arcCodes } from '@zegel/arc';
import { dkimCodes } from '@zegel/dkim';
import { fieldsNamed } from '@zegel/message';
import type { Header } from '@zegel/message';
import { notice } from './notices.ts';
import type { ArcVerdict, DkimVerdict, DmarcVerdict } from './report.ts';

/** What is said of a message whose octets the door cannot vouch for: signatures over them are neither good nor bad. */

/** RFC 8601 §2.7.1: `neutral` is a signature that is not able to be processed. */
export function unverifiedSignatures(header: Header): readonly DkimVerdict[] {
  return isSigned(header)
    ? [{ ...notice('message.bytes-not-exact'), result: 'neutral', evidence: {} }]
    : [{ ...dkimCodes['dkim.none'], code: 'dkim.none', evidence: {} }];
}

/** ARC has no word for it; of `none` nothing is written. */
export function unverifiedChain(header: Header): ArcVerdict {
  const found =
    fieldsNamed(header, 'arc-seal').length > 0
      ? notice('message.bytes-not-exact')
      : { ...arcCodes['arc.none'], code: 'arc.none' };
  return { ...found, result: 'none', sets: 0, domains: [], evidence: { sets: [] } };
}

/** DMARC by SPF alone: what passes passes, and nothing fails while there are signatures that might hold. */
export function withoutSignatures(dmarc: DmarcVerdict, header: Header): DmarcVerdict {
  if (dmarc.result !== 'fail' || !isSigned(header)) return dmarc;
  return { ...dmarc, ...notice('message.bytes-not-exact'), result: 'temperror' };
}

function isSigned(header: Header): boolean {
  return fieldsNamed(header, 'dkim-signature').length > 0;
}
