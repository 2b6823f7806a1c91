import { algorithmProblem, dkimCodes, signatureField, signatureHolds, timeProblem, usableKey } from '@zegel/dkim';
import type { DkimCode, DkimEvidence, KeyLookup, SignerTags } from '@zegel/dkim';
import { fillTemplate } from '@zegel/message';
import type { Header } from '@zegel/message';
import type { TaggedField } from './chain.ts';
import type { ArcLimits } from './limits.ts';
import type { ReadSet } from './read-set.ts';
import { unchecked } from './result.ts';
import type { ArcCheck } from './result.ts';
import { SealData } from './seal-data.ts';

/** When a check is made, and how strictly. */
interface CheckSettings {
  readonly now: Date;
  readonly limits: ArcLimits;
}

/** The verdict on every ARC-Seal, oldest first. */
export function checkSeals(
  header: Header,
  sets: readonly ReadSet[],
  keys: readonly KeyLookup[],
  settings: CheckSettings,
): readonly ArcCheck[] {
  const data = new SealData();
  return sets.map(({ set, seal }, at) => {
    const key = keys[at];
    data.add(header, set.results.field);
    data.add(header, set.messageSignature.field);
    const check = key === undefined ? unchecked(seal) : checkSeal(set.seal, seal, key, header, data, settings);
    data.add(header, set.seal.field);
    return check;
  });
}

function checkSeal(
  { field, occurrence }: TaggedField,
  seal: SignerTags,
  key: KeyLookup,
  header: Header,
  data: SealData,
  { now, limits }: CheckSettings,
): ArcCheck {
  const { domain, selector, algorithm } = seal;
  const finish = (code: DkimCode, more: DkimEvidence = {}): ArcCheck => {
    const evidence = { occurrence, ...key.evidence, ...more };
    const values = { ...evidence, domain, selector, algorithm };
    return {
      result: code === 'dkim.pass' ? 'pass' : 'fail',
      ...(code === 'dkim.pass' ? {} : { code, explanation: fillTemplate(dkimCodes[code].explanation, values) }),
      domain,
      selector,
      algorithm,
      evidence,
    };
  };
  const problem = algorithmProblem(seal) ?? timeProblem(seal, now.getTime(), limits);
  if (problem !== null) return finish(problem);
  if (!key.ok) return finish(key.code);
  const publicKey = usableKey(seal, key.record, limits);
  const bits = publicKey.bits === undefined ? {} : { keyBits: publicKey.bits };
  if (!publicKey.ok) return finish(publicKey.code, bits);
  const signed = data.signedBy(signatureField(header, field, seal));
  return finish(signatureHolds(seal, publicKey.key, signed) ? 'dkim.pass' : 'dkim.signature-mismatch', bits);
}
