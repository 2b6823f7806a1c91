import { beginChainVerification } from '@zegel/arc';
import { asField, findForged, formatAuthenticationResults } from '@zegel/auth-results';
import { BodyDigests, beginVerification } from '@zegel/dkim';
import type { SigningKey } from '@zegel/dkim';
import { discoverPolicy, evaluateDmarc } from '@zegel/dmarc';
import type { DkimIdentifier, DmarcResult } from '@zegel/dmarc';
import { SharedLookups } from '@zegel/dns';
import type { Resolver } from '@zegel/dns';
import { MessageScanner, exceededLimit, hasBareLineEnds, parseMessage, readAuthor } from '@zegel/message';
import type { Header, HeaderEdits } from '@zegel/message';
import { formatReceivedSpf } from '@zegel/spf';
import type { BimiSupport } from './bimi.ts';
import { checkSpf } from './check-spf.ts';
import type { SpfChecks } from './check-spf.ts';
import type { AuthenticationContext } from './context.ts';
import { unverifiedChain, unverifiedSignatures, withoutSignatures } from './damaged.ts';
import { Deadline } from './deadline.ts';
import { checkIprev } from './iprev.ts';
import { authenticationLimits } from './limits.ts';
import type { AuthenticationLimits } from './limits.ts';
import { beginsIndented, headerNotices, notice } from './notices.ts';
import type { ArcVerdict, AuthenticationReport, DkimVerdict, DmarcVerdict, Notice, SpfVerdict } from './report.ts';
import { sealResults } from './seal.ts';
import { writeResults } from './write-results.ts';

export interface AuthenticationOptions {
  readonly resolver: Resolver;
  /** The name Authentication-Results is written under (RFC 8601 §2.5). */
  readonly authservId: string;
  /** Other names whose fields are removed as ours. */
  readonly ourAuthservIds?: readonly string[];
  /** Sealing domains (d= of ARC-Seal) that the operator believes: the report says what they vouch for. */
  readonly trustedSealers?: readonly string[];
  /** Seals the message with this key (RFC 8617), for whoever gets it next. Default: it is not sealed. */
  readonly sealingKey?: SigningKey;
  /** Puts a Received-SPF field below Authentication-Results (RFC 7208 §9.1). Default: it is not written. */
  readonly receivedSpf?: boolean;
  /** Checks BIMI as well. Default: it is not checked, and its fields are left alone. */
  readonly bimi?: BimiSupport;
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
  /** The next part of the body. */
  body(chunk: Uint8Array): void;
  /** The whole body at once: the same, with less work for a small one. */
  whole(body: Uint8Array): void;
  /**
   * Rejects with an `SpfInputError` when `session.ip` is no address, which is the caller's mistake and not the message's;
   * otherwise only if the resolver does, which its contract forbids.
   */
  end(): Promise<AuthenticationResult>;
  /** Ends the run without a result, and the look-ups with it. */
  abort(): void;
}

/**
 * Begins to authenticate a message: DKIM, SPF, DMARC, ARC and the client's name, in one pass over its bytes. All
 * look-ups that the header and the envelope call for start now and are shared; one deadline, counted from the end of
 * the body, ends them.
 *
 * Whatever the message holds, there are edits: forged Authentication-Results go and ours comes on top. Above a limit the
 * message is not checked and gets `permerror`.
 */
export function beginAuthentication(
  header: Header,
  context: AuthenticationContext,
  options: AuthenticationOptions,
): Authentication {
  const limits: AuthenticationLimits =
    options.limits === undefined ? authenticationLimits : { ...authenticationLimits, ...options.limits };
  const deadline = new Deadline(limits.dnsDeadline, options.signal);
  const { checkingSignal: signal } = deadline;
  const lookups = new SharedLookups(options.resolver, { signal });
  // DMARC's own, with time of their own: nobody else asks at the names of policies.
  const policyLookups = new SharedLookups(options.resolver, { signal: deadline.signal });
  const now = options.now ?? new Date();
  const author = readAuthor(header, limits);
  const authorDomains = author.ok ? author.domains : [];
  const exceeded = exceededLimit(header, limits);
  const digests = new BodyDigests();
  digests.watchLineEnds();
  // The checks have the same defaults, and begin sooner with those than with limits to look through.
  const given = options.limits === undefined ? {} : { limits };
  // A share for each check: its own limits bound it, and a sender who makes one ask for much must not starve another, or
  // a forgery would come out as a temporary error.
  const isDamaged = context.mayBeDamaged === true;
  const isVerified = exceeded === null && !isDamaged;
  const dkim = isVerified
    ? beginVerification(header, { resolver: lookups.share(), now, digests, signal, ...given })
    : null;
  const arc = isVerified
    ? beginChainVerification(header, {
        resolver: lookups.share(),
        now,
        digests,
        signal,
        ...given,
        ...(options.trustedSealers === undefined ? {} : { trustedSealers: options.trustedSealers }),
      })
    : null;
  // A seal needs the body hash whatever the chain turns out to be.
  if (isVerified && options.sealingKey !== undefined) digests.request('relaxed');
  const spf = checkSpf(context, lookups, now, signal, options.authservId);
  const iprev = context.session?.ip === undefined ? null : checkIprev(context.session.ip, lookups.share(), signal);
  // Finding the policy needs no verdicts: its look-ups go on while the body streams, and are shared by the one at the end.
  const discovery = exceeded === null ? findPolicy(authorDomains, policyLookups, deadline.signal) : null;
  // Whoever calls end() sees a rejection; a run that is dropped must not bring the process down.
  for (const running of [spf, iprev, discovery]) running?.catch(() => {});
  let size = header.bytes.length + 2;

  return {
    needsBody: digests.needsBody,
    body(chunk) {
      size += chunk.length;
      if (size > limits.maxMessageBytes) return;
      digests.update(chunk);
    },
    whole(body) {
      size += body.length;
      if (size <= limits.maxMessageBytes) digests.whole(body);
    },
    async end() {
      deadline.start();
      let isComplete = false;
      try {
        digests.end();
        const isBare = hasBareLineEnds(header) || digests.bareLineEnds;
        const tooLarge =
          size > limits.maxMessageBytes
            ? { limit: 'maxMessageBytes', found: size, allowed: limits.maxMessageBytes }
            : null;
        const limit = exceeded ?? tooLarge;
        const isAbove = limit !== null;
        const notices: Notice[] = [];
        if (context.lineEndsNormalized === true) notices.push(notice('message.line-ends-normalised'));
        if (isDamaged) notices.push(notice('message.bytes-not-exact'));
        if (isBare) notices.push(notice('message.bare-line-ends'));
        notices.push(...headerNotices(header, author));
        if (limit !== null) notices.push(notice('message.limit-exceeded', limit));
        const [checked, chain, spfVerdicts, iprevVerdict] = await Promise.all([dkim?.end(), arc?.end(), spf, iprev]);
        const dkimVerdicts = isAbove ? [unchecked(notices)] : (checked ?? unverifiedSignatures(header));
        const dmarc = await checkDmarc(
          isAbove ? [] : authorDomains,
          dkimVerdicts,
          spfVerdicts.mailFrom,
          policyLookups,
          deadline.signal,
        );
        const dmarcVerdict: DmarcVerdict = isDamaged ? withoutSignatures(dmarc, header) : dmarc;
        const bimi =
          isAbove || isDamaged || options.bimi === undefined
            ? undefined
            : await options.bimi.check({ header, dmarc, signal: deadline.signal });
        isComplete = !isAbove;
        const isExhausted = lookups.exhausted || policyLookups.exhausted;
        const verdicts = {
          dkim: dkimVerdicts,
          spf: spfVerdicts,
          dmarc: isAbove ? { ...dmarc, ...unchecked(notices), evidence: dmarc.evidence } : dmarcVerdict,
          arc: isAbove ? uncheckedChain(notices) : (chain ?? unverifiedChain(header)),
          ...(iprevVerdict === null ? {} : { iprev: iprevVerdict }),
          ...authVerdict(context),
          ...(bimi === undefined ? {} : { bimi }),
        };
        const result = assemble(header, context, options, limits, {
          ...verdicts,
          notices: [
            ...notices,
            ...(isExhausted ? [notice('dns.too-many-lookups')] : []),
            ...(dmarc.limits ?? []).map((code) => notice(code)),
          ],
          limits: cutShort(verdicts, isAbove, isExhausted),
        });
        if (options.sealingKey === undefined || chain === undefined || isAbove || isBare) return result;
        return await sealResults(header, result, { chain, key: options.sealingKey, digests, now, limits });
      } finally {
        deadline.end(isComplete);
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
  if (raw instanceof Uint8Array) {
    const { header, body } = parseMessage(raw);
    const whole = beginAuthentication(header, context, options);
    whole.whole(body);
    return whole.end();
  }
  const scanner = new MessageScanner();
  let run: Authentication | undefined;
  try {
    for await (const chunk of raw) {
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

/** Of a message with one author domain: no other has a policy. */
function findPolicy(
  authorDomains: readonly string[],
  resolver: Resolver,
  signal: AbortSignal,
): Promise<unknown> | null {
  const [domain] = authorDomains;
  return domain === undefined || authorDomains.length > 1 ? null : discoverPolicy(domain, { resolver, signal });
}

function checkDmarc(
  authorDomains: readonly string[],
  dkim: readonly DkimVerdict[],
  spf: SpfVerdict | null,
  resolver: Resolver,
  signal: AbortSignal,
): Promise<DmarcResult> {
  const signers: DkimIdentifier[] = [];
  for (const { result, domain, selector } of dkim) {
    if (domain !== undefined) signers.push(selector === undefined ? { result, domain } : { result, domain, selector });
  }
  const sender = spf?.evidence === undefined ? undefined : { result: spf.result, domain: spf.domain };
  return evaluateDmarc({ authorDomains, dkim: signers, spf: sender, resolver, signal });
}

/** The verdict of a check that a limit kept from being made. */
function unchecked(notices: readonly Notice[]): Notice & { readonly result: 'permerror'; readonly evidence: object } {
  const limit = notices.find(({ code }) => code === 'message.limit-exceeded') ?? notice('message.limit-exceeded');
  return { ...limit, result: 'permerror', evidence: {} };
}

/** ARC has no word for what could not be checked: such a chain does not hold (RFC 8617 §5.2.1). */
function uncheckedChain(notices: readonly Notice[]): ArcVerdict {
  return { ...unchecked(notices), result: 'fail', sets: 0, domains: [], evidence: { sets: [] } };
}

function authVerdict({ session }: AuthenticationContext): Pick<AuthenticationReport, 'auth'> {
  const login = session?.login;
  return login === undefined ? {} : { auth: { ...notice('auth.pass'), result: 'pass', login } };
}

function cutShort(
  { dkim, dmarc }: { readonly dkim: readonly DkimVerdict[]; readonly dmarc: DmarcVerdict },
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
  { authservId, ourAuthservIds = [], receivedSpf = false, bimi }: AuthenticationOptions,
  limits: AuthenticationLimits,
  verdicts: Omit<AuthenticationReport, 'authenticationResults' | 'spf'> & { readonly spf: SpfChecks },
): AuthenticationResult {
  const results = writeResults(authservId, verdicts, {
    nullReversePath: context.envelope?.mailFrom === '',
    maxSignatures: limits.maxWrittenSignatures,
  });
  const authenticationResults = formatAuthenticationResults(results);
  return {
    report: { ...verdicts, authenticationResults },
    edits: {
      remove: [...removals(header, [authservId, ...ourAuthservIds]), ...(bimi?.findFields(header) ?? [])],
      prepend: [
        asField(results, authenticationResults),
        ...(receivedSpf ? receivedSpfFields(verdicts.spf, authservId) : []),
      ],
    },
  };
}

/** The forged fields, and an indented first line: it would continue the field that is put above it. */
function removals(header: Header, authservIds: readonly string[]): HeaderEdits['remove'] {
  const forged = findForged(header, authservIds);
  const isListed = forged.some(({ name, occurrence }) => name === '' && occurrence === 1);
  return beginsIndented(header) && !isListed ? [{ name: '', occurrence: 1 }, ...forged] : forged;
}

/** Of the identity that was checked: MAIL FROM, or HELO where no reverse-path is known. */
function receivedSpfFields({ mailFrom, helo }: SpfChecks, receiver: string): readonly Uint8Array[] {
  if (mailFrom.evidence !== undefined) return [formatReceivedSpf(mailFrom, receiver)];
  return helo.evidence === undefined ? [] : [formatReceivedSpf(helo, receiver)];
}
