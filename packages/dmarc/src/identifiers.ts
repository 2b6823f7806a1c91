/**
 * The alignment table of one message: each SPF and DKIM domain, and how far it had to be looked into.
 */
import { alignRelaxed, compareDomains } from './alignment.ts';
import type { Organizations, RelaxedAlignment } from './alignment.ts';
import { readMailDomain, sharedLabels } from './domain.ts';
import type { AlignmentMode, DmarcRecord } from './record.ts';
import type { DkimAlignment, DkimWord, IdentifierAlignment, SpfWord } from './result.ts';

/** The SPF result for the MAIL FROM identity; never that of HELO, which proves nothing about an author (RFC 9989 §4.4.2). */
export interface SpfIdentifier {
  readonly result: SpfWord;
  /** The domain that was checked; empty when there was none. */
  readonly domain: string;
}

/** The result for one DKIM signature. */
export interface DkimIdentifier {
  readonly result: DkimWord;
  /** The signing domain, `d=`. */
  readonly domain: string;
  readonly selector?: string;
}

/** One identifier and what is known of its alignment; `undecided` as long as nobody needed to know. */
export interface Identifier<Given extends SpfIdentifier | DkimIdentifier = SpfIdentifier | DkimIdentifier> {
  readonly given: Given;
  /** Absent when what was given is no domain. */
  readonly domain: string | undefined;
  readonly mode: AlignmentMode;
  readonly alignment: RelaxedAlignment | { readonly status: 'undecided' };
}

/** All identifiers of one message. */
export interface Identifiers {
  readonly spf: Identifier<SpfIdentifier> | undefined;
  readonly dkim: readonly Identifier<DkimIdentifier>[];
}

/** The identifiers of a message, with what the names alone say of them. */
export function compareIdentifiers(
  authorDomain: string | undefined,
  spf: SpfIdentifier | undefined,
  dkim: readonly DkimIdentifier[],
  modes: Pick<DmarcRecord, 'adkim' | 'aspf'> = { adkim: 'relaxed', aspf: 'relaxed' },
): Identifiers {
  return {
    spf: spf && compare(spf, authorDomain, modes.aspf),
    dkim: dkim.map((signature) => compare(signature, authorDomain, modes.adkim)),
  };
}

function compare<Given extends SpfIdentifier | DkimIdentifier>(
  given: Given,
  authorDomain: string | undefined,
  mode: AlignmentMode,
): Identifier<Given> {
  const domain = readMailDomain(given.domain);
  const status = authorDomain === undefined ? 'not-aligned' : compareDomains(authorDomain, domain, mode);
  return { given, domain, mode, alignment: { status } };
}

/** SPF first, then the signatures in their order. */
export function listIdentifiers({ spf, dkim }: Identifiers): readonly Identifier[] {
  return spf ? [spf, ...dkim] : dkim;
}

/**
 * Looks into the undecided identifiers with one result, those nearest to the author domain first, until one is aligned.
 * What comes behind that one is left undecided.
 */
export async function settleIdentifiers(
  authorDomain: string,
  identifiers: Identifiers,
  result: 'pass' | 'temperror',
  organizations: Organizations,
): Promise<Identifiers> {
  const domains = new Set<string>();
  for (const { given, alignment, domain } of listIdentifiers(identifiers)) {
    if (given.result === result && alignment.status === 'undecided' && domain !== undefined) domains.add(domain);
  }
  const nearness = (domain: string) => sharedLabels(authorDomain, domain);
  const nearestFirst = [...domains].toSorted((one, other) => nearness(other) - nearness(one));

  const settled = new Map<string | undefined, RelaxedAlignment>();
  for (const domain of nearestFirst) {
    const alignment = await alignRelaxed(authorDomain, domain, organizations);
    settled.set(domain, alignment);
    if (alignment.status === 'aligned') break;
  }
  const settle = <Given extends SpfIdentifier | DkimIdentifier>(identifier: Identifier<Given>): Identifier<Given> => {
    const alignment = identifier.alignment.status === 'undecided' ? settled.get(identifier.domain) : undefined;
    return alignment ? { ...identifier, alignment } : identifier;
  };
  return { spf: identifiers.spf && settle(identifiers.spf), dkim: identifiers.dkim.map(settle) };
}

/** The alignment table as a result shows it. */
export function tabulate({ spf, dkim }: Identifiers): {
  readonly spf?: IdentifierAlignment<SpfWord>;
  readonly dkim: readonly DkimAlignment[];
} {
  const signatures = dkim.map((signature): DkimAlignment => {
    const { selector } = signature.given;
    const line = tabulateOne(signature);
    return selector === undefined ? line : { ...line, selector };
  });
  return spf === undefined ? { dkim: signatures } : { spf: tabulateOne(spf), dkim: signatures };
}

function tabulateOne<Word extends SpfWord | DkimWord>({
  given: { domain, result },
  mode,
  alignment: { status },
}: Identifier & { readonly given: { readonly result: Word } }): IdentifierAlignment<Word> {
  if (status === 'aligned' || status === 'not-aligned') return { domain, result, mode, aligned: status === 'aligned' };
  return { domain, result, mode, aligned: false, unresolved: status === 'undecided' ? 'not-needed' : status };
}
