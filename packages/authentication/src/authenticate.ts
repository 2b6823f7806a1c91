import { findForged, formatAuthenticationResults, formatAuthenticationResultsField } from '@zegel/auth-results';
import { BodyDigests, beginVerification } from '@zegel/dkim';
import { evaluateDmarc } from '@zegel/dmarc';
import { SharedLookups } from '@zegel/dns';
import type { Resolver } from '@zegel/dns';
import { LineEndWatch, MessageScanner, exceededLimit, readAuthor } from '@zegel/message';
import type { Header, HeaderEdits } from '@zegel/message';
import { checkHelo, checkHost } from '@zegel/spf';
import type { AuthenticationContext } from './context.ts';
import { authenticationLimits } from './limits.ts';
import type { AuthenticationLimits } from './limits.ts';
import { beginsIndented, headerNotices, notice } from './notices.ts';
import type { AuthenticationReport, DkimVerdict, DmarcVerdict, Notice, SpfVerdict } from './report.ts';
import { writeResults } from './write-results.ts';

export interface AuthenticationOptions {
  readonly resolver: Resolver;
  /** The name Authentication-Results is written under (RFC 8601 §2.5). */
  readonly authservId: string;
  /** Other names whose fields are removed as ours. */
  readonly ourAuthservIds?: readonly string[];
  /** The time of the check; default: now. */
  readonly now?: Date;
  readonly limits?: Partial<AuthenticationLimits>;
  /** Ends the wait for DNS: what is not known by then is `temperror`. */
  readonly signal?: AbortSignal;
}

export interface AuthenticationResult {
  readonly report: AuthenticationReport;
  readonly edits: HeaderEdits;
}

/** An authentication under way: begun on the header, fed the body, ended with a report and header edits. */
export interface Authentication {
  /** False when no verdict depends on the body. */
  readonly needsBody: boolean;
  body(chunk: Uint8Array): void;
  /**
   * Rejects with an `SpfInputError` when `session.ip` is no address, which is the caller's mistake and not the message's;
   * otherwise only if the resolver does, which its contract forbids.
   */
  end(): Promise<AuthenticationResult>;
  /** Ends the run without a result, and the look-ups with it. */
  abort(): void;
}

/**
 * Begins to authenticate a message: SPF, DKIM and DMARC in one pass over its bytes. All look-ups that the header and the
 * envelope call for start now and are shared; one deadline, counted from the end of the body, ends them.
 *
 * Whatever the message holds, there are edits: forged Authentication-Results go and ours comes on top. Above a limit the
 * message is not checked and gets `permerror`.
 */
export function beginAuthentication(
  header: Header,
  context: AuthenticationContext,
  options: AuthenticationOptions,
): Authentication {
  const limits: AuthenticationLimits = { ...authenticationLimits, ...options.limits };
  const deadline = new Deadline(limits.dnsDeadline, options.signal);
  const resolver = new SharedLookups(options.resolver, { signal: deadline.signal });
  const now = options.now ?? new Date();

  const author = readAuthor(header, limits);
  const authorDomains = author.ok ? author.domains : [];
  const exceeded = exceededLimit(header, limits);
  const digests = new BodyDigests();
  const dkim =
    exceeded === null ? beginVerification(header, { resolver, now, limits, digests, signal: deadline.signal }) : null;
  const spf = checkSpf(context, resolver, now, deadline.signal, options.authservId);
  spf.catch(() => {});
  // Finding the policy needs no verdicts: its look-ups go on while the body streams, and are shared by the one at the end.
  const discovery =
    exceeded === null && author.ok ? checkDmarc(authorDomains, [], null, resolver, deadline.signal) : null;
  discovery?.catch(() => {});
  const lineEnds = new LineEndWatch();
  lineEnds.update(header.bytes);
  let size = header.bytes.length + 2;

  return {
    needsBody: digests.needsBody,
    body(chunk) {
      size += chunk.length;
      if (size > limits.maxMessageBytes) return;
      lineEnds.update(chunk);
      digests.update(chunk);
    },
    async end() {
      deadline.start();
      try {
        lineEnds.end();
        const tooLarge =
          size > limits.maxMessageBytes
            ? { limit: 'maxMessageBytes', found: size, allowed: limits.maxMessageBytes }
            : null;
        const limit = exceeded ?? tooLarge;
        const notices = [
          ...(context.lineEndsNormalized === true ? [notice('message.line-ends-normalised')] : []),
          ...(lineEnds.bare ? [notice('message.bare-line-ends')] : []),
          ...headerNotices(header, author),
          ...(limit === null ? [] : [notice('message.limit-exceeded', limit)]),
        ];
        const checked = await dkim?.end();
        const dkimVerdicts = limit === null && checked !== undefined ? checked : [unchecked(notices)];
        const spfVerdicts = await spf;
        const dmarc = await checkDmarc(
          limit === null ? authorDomains : [],
          dkimVerdicts,
          spfVerdicts.mailFrom,
          resolver,
          deadline.signal,
        );
        const dmarcVerdict = limit === null ? dmarc : { ...dmarc, ...unchecked(notices), evidence: dmarc.evidence };
        return assemble(header, context, options, limits, {
          dkim: dkimVerdicts,
          spf: spfVerdicts,
          dmarc: dmarcVerdict,
          notices,
          limits: cutShort(dkimVerdicts, dmarcVerdict, limit !== null, resolver.exhausted),
        });
      } finally {
        deadline.end();
      }
    },
    abort: () => deadline.end(),
  };
}

/**
 * Authenticates a whole message, or one that arrives in chunks; see {@link beginAuthentication}. Line ends must be CRLF;
 * see `normalizeLineEnds` of `@zegel/message` for doors that take files.
 */
export async function authenticate(
  raw: Uint8Array | AsyncIterable<Uint8Array>,
  context: AuthenticationContext,
  options: AuthenticationOptions,
): Promise<AuthenticationResult> {
  const scanner = new MessageScanner();
  let run: Authentication | undefined;
  try {
    for await (const chunk of raw instanceof Uint8Array ? [raw] : raw) {
      const body = scanner.push(chunk);
      if (run === undefined && scanner.header !== undefined)
        run = beginAuthentication(scanner.header, context, options);
      run?.body(body);
    }
  } catch (error) {
    // The stream broke off: nobody will ask for the result.
    run?.abort();
    throw error;
  }
  run ??= beginAuthentication(scanner.end(), context, options);
  return run.end();
}

/** Ends all waiting for the DNS: some time after it was started, when the caller says so, or when the run is over. */
class Deadline {
  readonly #controller = new AbortController();
  readonly #milliseconds: number;
  readonly #outer: AbortSignal | undefined;
  readonly #stop = (): void => this.#controller.abort();
  #timer: NodeJS.Timeout | undefined;

  constructor(milliseconds: number, outer: AbortSignal | undefined) {
    this.#milliseconds = milliseconds;
    this.#outer = outer;
    if (outer?.aborted === true) this.#stop();
    outer?.addEventListener('abort', this.#stop, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  start(): void {
    this.#timer = setTimeout(this.#stop, this.#milliseconds);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#stop);
    this.#stop();
  }
}

type SpfVerdicts = AuthenticationReport['spf'];

async function checkSpf(
  { session, envelope }: AuthenticationContext,
  resolver: Resolver,
  now: Date,
  signal: AbortSignal,
  receiver: string,
): Promise<SpfVerdicts> {
  const { ip, helo = '' } = session ?? {};
  const mailFrom = envelope?.mailFrom;
  if (ip === undefined) return { mailFrom: notChecked('mailfrom'), helo: notChecked('helo') };
  const options = { ip, helo, resolver, now, signal, receiver };
  const [mailFromVerdict, heloVerdict] = await Promise.all([
    mailFrom === undefined
      ? notChecked('mailfrom')
      : checkHost({ ...options, mailFrom: withoutBlankBehindAt(mailFrom) }),
    helo === '' ? notChecked('helo') : checkHelo(options),
  ]);
  return { mailFrom: mailFromVerdict, helo: heloVerdict };
}

/** `a@ example.com` as MTAs take it, which read the reverse-path as the tokens of RFC 822: blanks behind the `@` are none. */
function withoutBlankBehindAt(mailFrom: string): string {
  const domain = mailFrom.lastIndexOf('@') + 1;
  return mailFrom.slice(0, domain) + mailFrom.slice(domain).replace(/^[ \t]+/, '');
}

function notChecked(identity: 'mailfrom' | 'helo'): SpfVerdict {
  const words = notice('spf.not-checked', { missing: identity === 'helo' ? 'the HELO name' : 'MAIL FROM' });
  return { ...words, result: 'none', identity, domain: '' };
}

function checkDmarc(
  authorDomains: readonly string[],
  dkim: readonly DkimVerdict[],
  spf: SpfVerdict | null,
  resolver: Resolver,
  signal: AbortSignal,
): Promise<DmarcVerdict> {
  return evaluateDmarc({
    authorDomains,
    dkim: dkim.flatMap(({ result, domain, selector }) =>
      domain === undefined ? [] : [{ result, domain, ...(selector === undefined ? {} : { selector }) }],
    ),
    ...(spf?.evidence === undefined ? {} : { spf: { result: spf.result, domain: spf.domain } }),
    resolver,
    signal,
  });
}

/** The verdict of a check that a limit kept from being made. */
function unchecked(notices: readonly Notice[]): Notice & { readonly result: 'permerror'; readonly evidence: object } {
  const limit = notices.find(({ code }) => code === 'message.limit-exceeded') ?? notice('message.limit-exceeded');
  return { ...limit, result: 'permerror', evidence: {} };
}

function cutShort(
  dkim: readonly DkimVerdict[],
  dmarc: DmarcVerdict,
  aboveLimit: boolean,
  lookupsExhausted: boolean,
): readonly string[] {
  return [
    ...(aboveLimit ? ['message.limit-exceeded'] : []),
    ...(dkim.some(({ code }) => code === 'dkim.too-many-signatures') ? ['dkim.too-many-signatures'] : []),
    ...(dmarc.limits ?? []),
    ...(lookupsExhausted ? ['dns.too-many-lookups'] : []),
  ];
}

function assemble(
  header: Header,
  context: AuthenticationContext,
  { authservId, ourAuthservIds = [] }: AuthenticationOptions,
  limits: AuthenticationLimits,
  verdicts: Omit<AuthenticationReport, 'authenticationResults'>,
): AuthenticationResult {
  const results = writeResults(authservId, verdicts, {
    nullReversePath: context.envelope?.mailFrom === '',
    maxSignatures: limits.maxWrittenSignatures,
  });
  return {
    report: { ...verdicts, authenticationResults: formatAuthenticationResults(results) },
    edits: {
      remove: removals(header, [authservId, ...ourAuthservIds]),
      prepend: [formatAuthenticationResultsField(results)],
    },
  };
}

/** The forged fields, and an indented first line: it would continue the field that is put above it. */
function removals(header: Header, authservIds: readonly string[]): HeaderEdits['remove'] {
  const forged = findForged(header, authservIds);
  const isListed = forged.some(({ name, occurrence }) => name === '' && occurrence === 1);
  return beginsIndented(header) && !isListed ? [{ name: '', occurrence: 1 }, ...forged] : forged;
}
