import { beginSignatureCheck } from '@zegel/dkim';
import type { BodyDigests, DkimResult, VerifyOptions } from '@zegel/dkim';
import { fillTemplate } from '@zegel/message';
import type { Header } from '@zegel/message';
import { arcCodes } from './codes.ts';
import type { ArcLimits } from './limits.ts';
import type { ReadSet } from './read-set.ts';
import type { ArcCheck } from './result.ts';

/** Starts to check an ARC-Message-Signature as the DKIM signature that it is, and answers how to finish. */
export function beginMessageCheck(
  { set, messageSignature }: ReadSet,
  header: Header,
  digests: BodyDigests,
  options: VerifyOptions,
  limits: ArcLimits,
): () => Promise<ArcCheck> {
  if (!messageSignature.ok) {
    const { code, ...where } = messageSignature.problem;
    const explanation = fillTemplate(arcCodes[code].explanation, where);
    return async () => ({ result: 'fail', code, explanation });
  }
  const { field, occurrence } = set.messageSignature;
  const check = beginSignatureCheck(
    { field, occurrence, signature: messageSignature.value },
    header,
    digests,
    options,
    limits,
  );
  return async () => messageCheck(await check());
}

function messageCheck({ result, code, explanation, domain, selector, algorithm, evidence }: DkimResult): ArcCheck {
  return {
    result: result === 'pass' ? 'pass' : 'fail',
    ...(result === 'pass' ? {} : { code, explanation }),
    ...(domain === undefined ? {} : { domain }),
    ...(selector === undefined ? {} : { selector }),
    ...(algorithm === undefined ? {} : { algorithm }),
    evidence,
  };
}
