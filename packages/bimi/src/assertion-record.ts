/**
 * The BIMI Assertion Record: found and read by mailauth, through our resolver, with every answer noted.
 */
import type { DnsAnswer, RecordType, ResolveOptions, Resolver } from '@zegel/dns';
import { bimi } from 'mailauth/lib/bimi/index.js';
import { toNodeResolver } from './node-resolver.ts';

/** Whose record is looked for. Domains are normalized. */
export interface RecordQuestion {
  readonly authorDomain: string;
  readonly organizationalDomain: string;
  readonly selector: string;
  /** The DMARC record that applies to the message, and the domain it stands at. */
  readonly dmarcRecord: string;
  readonly dmarcDomain: string;
  readonly dmarcPolicy: string;
}

/** Where a record stands. `record` is absent where there is none, or several. */
export interface RecordPlace {
  readonly dnsName?: string;
  readonly record?: string;
  readonly ttl?: number;
}

/**
 * What was found: `not-enforced` a DMARC record above or below the one that was applied forbids it; `unusable` there is a
 * record, with a problem.
 */
export type AssertionRecord = { readonly place: RecordPlace } & (
  | { readonly status: 'none' | 'declined' | 'several' | 'too-long' | 'temporary-failure' }
  | { readonly status: 'not-enforced' | 'unusable'; readonly problem: string }
  | {
      readonly status: 'found';
      readonly domain: string;
      readonly selector: string;
      readonly location: string;
      readonly authority?: string;
    }
);

/**
 * Looks for the record at the author domain, then at the organizational domain (draft §7.2), once the DMARC records of both
 * are known to be enforced (§7.1).
 */
export async function findAssertionRecord(
  question: RecordQuestion,
  options: { readonly resolver: Resolver; readonly maxLength: number; readonly signal?: AbortSignal | undefined },
): Promise<AssertionRecord> {
  const watch = new WatchedResolver(options.resolver, options.maxLength);
  const signal = options.signal;
  const answer = await bimi({
    dmarc: {
      domain: question.organizationalDomain,
      policy: question.dmarcPolicy,
      policyDomain: question.dmarcDomain,
      p: question.dmarcPolicy,
      sp: question.dmarcPolicy,
      testMode: false,
      rr: question.dmarcRecord,
      status: { result: 'pass', header: { from: question.authorDomain, d: question.dmarcDomain } },
      alignment: { spf: { strict: false }, dkim: { strict: false } },
      info: '',
    },
    headers: { parsed: [{ key: 'bimi-selector', line: `BIMI-Selector: v=BIMI1; s=${question.selector}` }] },
    resolver: toNodeResolver(watch, { ...(signal && { signal }) }),
  });
  const place = watch.place(answer === false ? undefined : answer.rr);
  if (watch.tooLong) return { status: 'too-long', place };
  if (answer === false) return { status: 'none', place };
  const { result, comment = 'it is not valid', header } = answer.status;
  switch (result) {
    case 'none':
    case 'declined':
      return { status: result, place };
    case 'skipped':
      return { status: 'not-enforced', problem: comment, place };
    case 'temperror':
    case 'temperr':
      return { status: 'temporary-failure', place };
    default:
  }
  const domain: unknown = header?.['d'];
  const selector: unknown = header?.['selector'];
  if (typeof domain !== 'string' || typeof selector !== 'string') return { status: 'several', place };
  if (result === 'fail' || answer.location === undefined) return { status: 'unusable', problem: comment, place };
  const { location, authority } = answer;
  return { status: 'found', domain, selector, location, ...(authority !== undefined && { authority }), place };
}

/** Hands questions on, notes what was answered, and keeps texts over the limit from mailauth. */
class WatchedResolver implements Resolver {
  tooLong = false;
  readonly #resolver: Resolver;
  readonly #maxLength: number;
  #last: { readonly name: string; readonly ttl?: number } | undefined;

  constructor(resolver: Resolver, maxLength: number) {
    this.#resolver = resolver;
    this.#maxLength = maxLength;
  }

  async resolve<T extends RecordType>(name: string, type: T, options?: ResolveOptions): Promise<DnsAnswer<T>> {
    const answer = await this.#resolver.resolve(name, type, options);
    this.#last = { name, ...(answer.status === 'found' && { ttl: answer.ttl }) };
    if (answer.status !== 'found' || !answer.records.some((record) => this.#isTooLong(record))) return answer;
    this.tooLong = true;
    // Neither "no such record" nor a shorter one: whatever the text would have said is not known.
    return { status: 'temporary-failure', reason: 'malformed', cnames: answer.cnames };
  }

  #isTooLong(record: unknown): boolean {
    return record instanceof Uint8Array && record.length > this.#maxLength;
  }

  /** Discovery ends at the name that decides, so that the last one asked is that name. */
  place(record: string | undefined): RecordPlace {
    const { name, ttl } = this.#last ?? {};
    return {
      ...(name !== undefined && { dnsName: name }),
      ...(record !== undefined && { record, ...(ttl !== undefined && { ttl }) }),
    };
  }
}
