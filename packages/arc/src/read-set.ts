import type { Signature, SignerTags } from '@zegel/dkim';
import { arcFields } from './chain.ts';
import type { ArcSet, ChainProblem } from './chain.ts';
import type { ArcLimits } from './limits.ts';
import { parseMessageSignature, parseSeal } from './parse.ts';

/** A set whose seal could be read, and with it the signature it seals, if that could be. */
export interface ReadSet {
  readonly set: ArcSet;
  readonly seal: SignerTags;
  readonly messageSignature:
    | { readonly ok: true; readonly value: Signature }
    | { readonly ok: false; readonly problem: ChainProblem };
}

/** Reads the tags of every set. A seal must be readable, and so must the newest message signature: they must hold. */
export function readSets(sets: readonly ArcSet[], limits: ArcLimits): readonly ReadSet[] | ChainProblem {
  const read: ReadSet[] = [];
  for (const set of sets) {
    const { instance } = set;
    const seal = parseSeal(set.seal.tags);
    if (!seal.ok) return { code: seal.code, instance, field: arcFields.seal, tag: seal.tag };
    const messageSignature = readMessageSignature(set, limits);
    if (!messageSignature.ok && set === sets.at(-1)) return messageSignature.problem;
    read.push({ set, seal: seal.value, messageSignature });
  }
  return read;
}

function readMessageSignature({ instance, messageSignature }: ArcSet, limits: ArcLimits): ReadSet['messageSignature'] {
  const reading = parseMessageSignature(messageSignature.tags, limits);
  if (reading.ok) return reading;
  const { code, tag } = reading;
  const limit = code === 'arc.too-many-signed-fields' ? { limit: limits.maxSignedFields } : {};
  return { ok: false, problem: { code, instance, field: arcFields.messageSignature, tag, ...limit } };
}
