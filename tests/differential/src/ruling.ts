/**
 * Where two implementations disagree, somebody is wrong, or the standard leaves a choice. A ruling says which, in the
 * standard's own words; a disagreement without one fails the run.
 */

/** One kind of disagreement that is settled, and in our favour: what we get wrong is repaired instead. */
export interface Ruling<Situation> {
  /** Stable, for the tally. */
  readonly id: string;
  readonly peer: string;
  /** What the peer does. */
  readonly what: string;
  /** The section and its words, or the decision of this project where the standard leaves one. */
  readonly standard: string;
  /** Whether it explains the disagreement at hand. As narrow as can be: a ruling too wide hides a bug. */
  applies(situation: Situation): boolean;
}

/** The first ruling of a peer that explains a disagreement. */
export function findRuling<Situation>(
  rulings: readonly Ruling<Situation>[],
  peer: string,
  situation: Situation,
): string | undefined {
  return rulings.find((ruling) => ruling.peer === peer && ruling.applies(situation))?.id;
}
