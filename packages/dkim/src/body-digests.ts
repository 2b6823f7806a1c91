import { createHash, hash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { canonicalizeWholeBody, createBodyCanonicalizer } from '@zegel/canonicalization';
import type { BodyCanonicalizer, Canonicalization } from '@zegel/canonicalization';
import { LineEndWatch } from '@zegel/message';

/** A SHA-256 digest of the canonical body, or of its first `bodyLength` octets. Readable once the body has ended. */
export interface BodyDigest {
  /** Base64, as it stands in bh=. */
  readonly value: string;
  /** Octets of the whole canonical body. */
  readonly canonicalLength: number;
}

/**
 * Every body digest that the signatures of one message ask for, taken in one pass. Signing and verifying share an
 * instance; equal requests share a digest, and requests that differ only in length share a hash up to the shorter one.
 */
export class BodyDigests {
  /** One for each canonicalization that was asked for. */
  readonly #runs: BodyRun[] = [];
  #lineEnds: LineEndWatch | null = null;
  #ended = false;

  /** Whether anybody asked for a digest: if not, the body need not be read. */
  get needsBody(): boolean {
    return this.#runs.length > 0;
  }

  /** Asks for a digest; before the first body bytes. `bodyLength` is the l= tag, in canonical octets. */
  request(canonicalization: Canonicalization, bodyLength?: number): () => BodyDigest {
    const known = this.#runOf(canonicalization);
    const run = known ?? new BodyRun(canonicalization);
    if (known === undefined) this.#runs.push(run);
    return run.request(bodyLength);
  }

  #runOf(canonicalization: Canonicalization): BodyRun | undefined {
    return this.#runs.find((run) => run.canonicalization === canonicalization);
  }

  /** Asks to look for bare line ends as well; before the first body bytes. */
  watchLineEnds(): void {
    this.#lineEnds ??= new LineEndWatch();
  }

  /** Whether a CR or LF was seen in the body that stands alone, if that was asked for. Final once the body has ended. */
  get bareLineEnds(): boolean {
    return this.#lineEnds !== null && (this.#runOf('relaxed')?.bareLineEnds ?? this.#lineEnds.bare);
  }

  update(chunk: Uint8Array): void {
    for (const run of this.#runs) run.update(chunk);
    // The relaxed canonicalization sees line ends anyway.
    if (this.#lineEnds !== null && this.#runOf('relaxed') === undefined) this.#lineEnds.update(chunk);
  }

  /** The whole body at once: the same as `update` and `end`, with less work for a small one. */
  whole(body: Uint8Array): void {
    for (const run of this.#runs) run.whole(body);
    if (this.#lineEnds !== null && this.#runOf('relaxed') === undefined) this.#lineEnds.update(body);
    this.end();
  }

  /** No more bytes follow. Further calls do nothing: several runs may share the pass. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#lineEnds?.end();
    for (const run of this.#runs) run.end();
  }
}

/** One canonicalization of the body with its hash, and the lengths at which a digest is cut off. */
class BodyRun {
  readonly canonicalization: Canonicalization;
  /** Made when the body begins: a body that comes whole may do without. */
  #stream: { readonly canonicalizer: BodyCanonicalizer; readonly hash: Hash } | null = null;
  /** Digests of so many octets; null until the body has come so far. Most signatures ask for none. */
  #cuts: Map<number, string | null> | null = null;
  /** Where cuts are still to be made, the next one last: put in order once, when the body begins. */
  #lengths: number[] | null = null;
  #length = 0;
  #whole: string | null = null;
  #bareLineEnds: boolean | null = null;

  constructor(canonicalization: Canonicalization) {
    this.canonicalization = canonicalization;
  }

  /** Null when this canonicalization does not look for them. */
  get bareLineEnds(): boolean | null {
    return this.#bareLineEnds ?? this.#stream?.canonicalizer.bareLineEnds ?? null;
  }

  request(bodyLength: number | undefined): () => BodyDigest {
    if (bodyLength !== undefined) {
      this.#cuts ??= new Map();
      if (!this.#cuts.has(bodyLength)) this.#cuts.set(bodyLength, null);
    }
    return () => {
      const cut = bodyLength === undefined ? undefined : this.#cuts?.get(bodyLength);
      const value = cut ?? this.#whole;
      if (value === null) throw new Error('A body digest was read before the body ended');
      return { value, canonicalLength: this.#length };
    };
  }

  update(chunk: Uint8Array): void {
    this.#begin().canonicalizer.update(chunk);
  }

  whole(body: Uint8Array): void {
    const canonical = this.#cuts === null ? canonicalizeWholeBody(this.canonicalization, body) : null;
    if (canonical === null) {
      this.update(body);
      return;
    }
    this.#whole = hash('sha256', canonical.bytes, 'base64');
    this.#length = canonical.bytes.length;
    this.#bareLineEnds = canonical.bareLineEnds;
  }

  end(): void {
    if (this.#whole !== null) return;
    const { canonicalizer, hash } = this.#begin();
    canonicalizer.end();
    this.#whole = hash.digest('base64');
  }

  #begin(): { readonly canonicalizer: BodyCanonicalizer; readonly hash: Hash } {
    this.#stream ??= {
      canonicalizer: createBodyCanonicalizer(this.canonicalization, (bytes) => this.#take(bytes)),
      hash: createHash('sha256'),
    };
    return this.#stream;
  }

  #take(bytes: Uint8Array): void {
    const lengths = (this.#lengths ??= [...(this.#cuts?.keys() ?? [])].toSorted((a, b) => b - a));
    let from = 0;
    for (;;) {
      const next = lengths.at(-1);
      if (next === undefined || next >= this.#length + bytes.length - from) break;
      const to = from + next - this.#length;
      this.#update(bytes, from, to);
      from = to;
      lengths.pop();
      this.#cuts?.set(next, this.#begin().hash.copy().digest('base64'));
    }
    this.#update(bytes, from, bytes.length);
  }

  #update(bytes: Uint8Array, from: number, to: number): void {
    if (to === from) return;
    this.#begin().hash.update(to - from === bytes.length ? bytes : bytes.subarray(from, to));
    this.#length += to - from;
  }
}
