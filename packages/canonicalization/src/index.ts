export { createBodyCanonicalizer } from './body.ts';
export type { BodyCanonicalizer, CanonicalSink } from './body.ts';
export type { Canonicalization } from './canonicalization.ts';
export { HeaderCanonicalizer } from './header.ts';
