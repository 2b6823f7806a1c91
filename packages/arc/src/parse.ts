import { parseAuthenticationResults, readAuthenticationResults } from '@zegel/auth-results';
import type { AuthenticationResults } from '@zegel/auth-results';
import { readCoverageTags, readSignerTags } from '@zegel/dkim';
import type { Signature, SignatureProblem, SignerTags, Tags } from '@zegel/dkim';
import type { ArcCode } from './codes.ts';
import type { ArcLimits } from './limits.ts';
import { maxSets } from './limits.ts';
import type { ChainStatus } from './result.ts';

/** What was read, or why it could not be. */
export type Reading<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: ArcCode; readonly tag: string };

/** An instance number (RFC 8617 §4.2.1), or null. */
export function parseInstance(text: string | undefined): number | null {
  if (text === undefined || !/^[0-9]{1,2}$/.test(text)) return null;
  const instance = Number(text);
  return instance >= 1 && instance <= maxSets ? instance : null;
}

/** cv=, or null. */
export function parseChainStatus(text: string | undefined): ChainStatus | null {
  const word = text?.toLowerCase();
  return word === 'none' || word === 'pass' || word === 'fail' ? word : null;
}

/** What an ARC-Authentication-Results field says, as far as it can be read. */
export interface SealedResults {
  /** Present when the field is as the grammar has it: the only form that trust may be put in. */
  readonly strict?: AuthenticationResults;
  /** The same, or what a tolerant reader makes of it. */
  readonly value?: AuthenticationResults;
}

/** A field that fails the grammar further on still says which set it is of, if it begins as it should. */
const leadingInstance = /^[ \t]*i[ \t]*=[ \t]*([0-9]{1,2})[ \t]*;/;

/** Reads the body of an ARC-Authentication-Results field (RFC 8617 §4.1.1). */
export function parseSealedResults(text: string): SealedResults & { readonly instance: number | null } {
  const strict = parseAuthenticationResults(text, { arc: true, eai: true });
  if (strict.ok) {
    return { instance: parseInstance(String(strict.value.instance)), strict: strict.value, value: strict.value };
  }
  const instance = parseInstance(leadingInstance.exec(text)?.[1]);
  const lenient = readAuthenticationResults(text);
  return { instance, ...(lenient.ok ? { value: lenient.value } : {}) };
}

/**
 * Reads the tags of an ARC-Message-Signature field (RFC 8617 §4.1.2): those of DKIM-Signature, but i= is the instance and
 * v= means nothing.
 */
export function parseMessageSignature(tags: Tags, limits: ArcLimits): Reading<Signature> {
  const signer = readSignerTags(tags);
  if (!signer.ok) return arcProblem(signer);
  const coverage = readCoverageTags(tags, limits, withoutEmptyNames(tags.get('h')?.value));
  if (!coverage.ok) return arcProblem(coverage);
  if (coverage.value.signedFields.includes('arc-seal')) return { ok: false, code: 'arc.seal-covered', tag: 'h' };
  const { domain } = signer.value;
  return {
    ok: true,
    value: { ...signer.value, ...coverage.value, identity: `@${domain}`, identityDomain: domain },
  };
}

/** Reads the tags of an ARC-Seal field (RFC 8617 §4.1.3), cv= excepted. */
export function parseSeal(tags: Tags): Reading<SignerTags> {
  if (tags.has('h')) return { ok: false, code: 'arc.seal-has-fields', tag: 'h' };
  const signer = readSignerTags(tags);
  return signer.ok ? signer : arcProblem(signer);
}

/** Sealers have written `h=from::to`. A name without letters is the name of no field, and covers none. */
function withoutEmptyNames(list: string | undefined): string | undefined {
  return list
    ?.split(':')
    .filter((name) => /[^ \t\r\n]/.test(name))
    .join(':');
}

const problemCodes: Partial<Record<SignatureProblem, ArcCode>> = {
  'dkim.missing-tag': 'arc.missing-tag',
  'dkim.from-not-signed': 'arc.from-not-signed',
  'dkim.too-many-signed-fields': 'arc.too-many-signed-fields',
};

function arcProblem({ code, tag }: { readonly code: SignatureProblem; readonly tag: string }): Reading<never> {
  return { ok: false, code: problemCodes[code] ?? 'arc.invalid-tag', tag };
}
