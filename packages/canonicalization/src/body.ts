import type { Canonicalization } from './canonicalization.ts';
import type { CanonicalSink } from './held-line-ends.ts';
import { loadKernel } from './kernel.ts';
import { PlainRelaxedBody } from './plain-relaxed-body.ts';
import { RelaxedBody } from './relaxed-body.ts';
import { SimpleBody } from './simple-body.ts';

/**
 * A body canonicalizer: takes the body in chunks with borders anywhere, hands canonical bytes on as soon as they are
 * certain. State is a few numbers, never text; time is linear.
 */
export interface BodyCanonicalizer {
  /**
   * Whether a CR without LF behind it, or an LF without CR before it, was seen: final after `end`. Null when that is not
   * looked for, see `LineEndWatch`.
   */
  readonly bareLineEnds: boolean | null;
  update(chunk: Uint8Array): void;
  /** No more bytes follow. Call once. */
  end(): void;
}

export function createBodyCanonicalizer(canonicalization: Canonicalization, sink: CanonicalSink): BodyCanonicalizer {
  if (canonicalization === 'simple') return new SimpleBody(sink);
  const kernel = loadKernel();
  return kernel === null ? new PlainRelaxedBody(sink) : new RelaxedBody(sink, kernel);
}
