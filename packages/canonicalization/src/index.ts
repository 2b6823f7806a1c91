export { createBodyCanonicalizer } from './body.ts';
export type { BodyCanonicalizer } from './body.ts';
export type { Canonicalization } from './canonicalization.ts';
export { HeaderCanonicalizer } from './header.ts';
export type { CanonicalSink } from './held-line-ends.ts';
export { LineEndWatch } from './line-end-watch.ts';
export { canonicalizeWholeBody } from './whole-body.ts';
export type { CanonicalBody } from './whole-body.ts';
