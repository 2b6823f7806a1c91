import { normalizeName, parentName } from './name.ts';
import type { DnsAnswer, RecordType, ResolveOptions, Resolver } from './resolver.ts';

/** A resolver that speaks only for the names at and below its apexes. */
export interface LocalResolver extends Resolver {
  /** Normalized names. */
  readonly apexes: readonly string[];
}

/**
 * Lays a zone over another resolver: names at or below an apex of the zone are answered by the zone alone, so
 * that what is absent there does not exist; all others go to the fallback. An alias that leads out of the zone is not followed.
 */
export class OverlayResolver implements Resolver {
  readonly #zone: LocalResolver;
  readonly #apexes: ReadonlySet<string>;
  readonly #fallback: Resolver;

  constructor(zone: LocalResolver, fallback: Resolver) {
    this.#zone = zone;
    this.#apexes = new Set(zone.apexes);
    this.#fallback = fallback;
  }

  resolve<T extends RecordType>(name: string, type: T, options?: ResolveOptions): Promise<DnsAnswer<T>> {
    return this.#responsible(name).resolve(name, type, options);
  }

  known<T extends RecordType>(name: string, type: T): DnsAnswer<T> | undefined {
    return this.#responsible(name).known?.(name, type);
  }

  #responsible(name: string): Resolver {
    return this.#covers(normalizeName(name)) ? this.#zone : this.#fallback;
  }

  #covers(name: string | null): boolean {
    for (let above = name; above !== null; above = parentName(above)) {
      if (this.#apexes.has(above)) return true;
    }
    return false;
  }
}
