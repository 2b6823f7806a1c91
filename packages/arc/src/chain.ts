import { fieldText, parseTagList } from '@zegel/dkim';
import type { Tags } from '@zegel/dkim';
import { fieldValue, fieldsAmong } from '@zegel/message';
import type { Header, HeaderField } from '@zegel/message';
import type { ArcCode } from './codes.ts';
import { maxSets } from './limits.ts';
import type { ArcLimits } from './limits.ts';
import { parseChainStatus, parseInstance, parseSealedResults } from './parse.ts';
import type { SealedResults } from './parse.ts';
import type { ArcEvidence } from './result.ts';

/** A field with its tags. `occurrence` counts the fields of this name from the top, from 1. */
export interface TaggedField {
  readonly field: HeaderField;
  readonly occurrence: number;
  readonly tags: Tags;
}

/** One complete set: the three fields of one instance (RFC 8617 §4.2). */
export interface ArcSet {
  readonly instance: number;
  readonly results: SealedResults & { readonly field: HeaderField };
  readonly messageSignature: TaggedField;
  readonly seal: TaggedField;
}

/** What there is of a set. */
export type PartialSet = Pick<ArcSet, 'instance'> & Partial<ArcSet>;

/** Why the fields are no chain, and where. */
export interface ChainProblem extends Pick<ArcEvidence, 'instance' | 'field' | 'tag' | 'cv' | 'limit'> {
  readonly code: ArcCode;
}

export type Chain =
  /** Oldest first, instances 1, 2, 3 and so on without a gap. */
  | { readonly ok: true; readonly sets: readonly ArcSet[] }
  /** `sets` is what could be read, oldest first; empty above a limit. */
  | { readonly ok: false; readonly problem: ChainProblem; readonly sets: readonly PartialSet[] };

export const arcFields = {
  results: 'ARC-Authentication-Results',
  messageSignature: 'ARC-Message-Signature',
  seal: 'ARC-Seal',
} as const;

type Part = keyof typeof arcFields;
const parts: readonly Part[] = ['results', 'messageSignature', 'seal'];

const fieldNames: readonly string[] = parts.map((part) => arcFields[part].toLowerCase());

/** Whether a message has a field of a chain at all. */
export function hasArcFields(header: Header): boolean {
  return fieldsAmong(header, fieldNames).some((fields) => fields.length > 0);
}

/**
 * Collects the ARC sets of a message and checks that they are a chain (RFC 8617 §5.2 steps 1 to 3). Nothing is verified
 * yet. Fields are counted and measured before any of them is read.
 */
export function readChain(header: Header, limits: ArcLimits): Chain {
  const byPart = fieldsAmong(header, fieldNames);
  const fieldsOf = (part: Part): readonly HeaderField[] => byPart[parts.indexOf(part)] ?? [];
  const all = parts.flatMap((part) => fieldsOf(part));
  const above = (problem: ChainProblem): Chain => ({ ok: false, problem, sets: [] });
  if (parts.some((part) => fieldsOf(part).length > maxSets)) {
    return above({ code: 'arc.too-many-sets', limit: maxSets });
  }
  if (all.reduce((sum, { start, end }) => sum + end - start, 0) > limits.maxChainBytes) {
    return above({ code: 'arc.too-long', limit: limits.maxChainBytes });
  }

  const problems: ChainProblem[] = [];
  const sets = new Map<number, PartialSet>();
  for (const part of parts) {
    for (const [at, field] of fieldsOf(part).entries()) {
      const read = readPart(part, field, at + 1, header, limits);
      if ('code' in read) {
        problems.push(read);
        continue;
      }
      const { instance } = read;
      const set = sets.get(instance);
      if (set?.[part] !== undefined) problems.push({ code: 'arc.repeated-field', instance, field: arcFields[part] });
      sets.set(instance, { ...set, ...read });
    }
  }
  const found = [...sets.values()].toSorted((a, b) => a.instance - b.instance);
  const whole: ArcSet[] = [];
  for (const set of found) if (isComplete(set)) whole.push(set);
  const [problem] = [...ending(found), ...problems, ...gaps(sets, found), ...whole.flatMap(statusProblem)];
  return problem === undefined ? { ok: true, sets: whole } : { ok: false, problem, sets: found };
}

function readPart(
  part: Part,
  field: HeaderField,
  occurrence: number,
  header: Header,
  limits: ArcLimits,
): PartialSet | ChainProblem {
  const name = arcFields[part];
  if (part === 'results') {
    const { instance, ...results } = parseSealedResults(fieldValue(header, field));
    if (instance === null) return { code: 'arc.instance-invalid', field: name };
    return { instance, results: { ...results, field } };
  }
  const limit = limits.maxSignatureBytes;
  if (field.end - field.start > limit) return { code: 'arc.field-too-long', field: name, limit };
  const list = parseTagList(fieldText(header, field));
  if (!list.ok) {
    const code = list.reason === 'repeated-tag' ? 'arc.repeated-tag' : 'arc.tag-syntax';
    return { code, field: name, ...(list.tag === undefined ? {} : { tag: list.tag }) };
  }
  const { tags } = list;
  const instance = parseInstance(tags.get('i')?.value);
  if (instance === null) return { code: 'arc.instance-invalid', field: name, tag: 'i' };
  return { instance, [part]: { field, occurrence, tags } };
}

function isComplete(set: PartialSet): set is ArcSet {
  return parts.every((part) => set[part] !== undefined);
}

/** Step 2: once a seal says that the chain is broken, nothing else about it matters. */
function ending(sets: readonly PartialSet[]): readonly ChainProblem[] {
  const newest = sets.at(-1);
  const cv = parseChainStatus(newest?.seal?.tags.get('cv')?.value);
  return newest !== undefined && cv === 'fail'
    ? [{ code: 'arc.chain-ended', instance: newest.instance, field: arcFields.seal, tag: 'cv', cv }]
    : [];
}

/** Steps 3.A and 3.B: every instance from 1 on is there, with all three fields. */
function gaps(sets: ReadonlyMap<number, PartialSet>, found: readonly PartialSet[]): readonly ChainProblem[] {
  const highest = found.at(-1)?.instance ?? 0;
  const problems: ChainProblem[] = [];
  for (let instance = 1; instance <= highest; instance++) {
    const set = sets.get(instance);
    const missing = parts.find((part) => set?.[part] === undefined);
    if (set === undefined) problems.push({ code: 'arc.missing-set', instance });
    else if (missing !== undefined) problems.push({ code: 'arc.missing-field', instance, field: arcFields[missing] });
  }
  return problems;
}

/** Step 3.C: the first seal says `none`, all others `pass`. */
function statusProblem({ instance, seal }: ArcSet): readonly ChainProblem[] {
  const text = seal.tags.get('cv')?.value;
  const cv = parseChainStatus(text);
  const where = { instance, field: arcFields.seal, tag: 'cv' };
  if (text === undefined) return [{ code: 'arc.missing-tag', ...where }];
  if (cv === null) return [{ code: 'arc.invalid-tag', ...where }];
  return cv === (instance === 1 ? 'none' : 'pass') ? [] : [{ code: 'arc.cv-unexpected', ...where, cv }];
}
