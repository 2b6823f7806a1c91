/**
 * Brand Indicators for Message Identification (draft-brand-indicators-for-message-identification) for one message.
 */
import { createHash } from 'node:crypto';
import type { Resolver } from '@zegel/dns';
import { readAuthor } from '@zegel/message';
import type { Header } from '@zegel/message';
import { findAssertionRecord } from './assertion-record.ts';
import type { AssertionRecord } from './assertion-record.ts';
import { createDocumentFetcher } from './fetch-document.ts';
import type { FetchedDocument, FetchNetwork } from './fetch-document.ts';
import { fetchFailures } from './fetch-failure.ts';
import { readIndicator } from './indicator.ts';
import type { Indicator } from './indicator.ts';
import { keepDocuments } from './kept-documents.ts';
import { bimiLimits } from './limits.ts';
import type { BimiLimits } from './limits.ts';
import { verifyMark } from './mark-certificate.ts';
import { bundledMarkRoots, parseMarkRoots } from './mark-roots.ts';
import { readSelector } from './selector.ts';
import { giveVerdict } from './verdict.ts';
import type { BimiEvidence, BimiVerdict, VerdictDetails } from './verdict.ts';

/** What BIMI needs to know of DMARC; a DmarcResult of @zegel/dmarc is one. */
export interface BimiDmarc {
  readonly result: string;
  readonly authorDomain?: string;
  /** Asked for when absent: DMARC does not always need it. */
  readonly organizationalDomain?: string;
  readonly policy?: {
    /** The domain at whose `_dmarc` name the record stands. */
    readonly domain: string;
    readonly record: string;
    readonly p: string;
    readonly sp?: string;
    readonly testing: boolean;
  };
}

/** Finds the organizational domain of a domain; `findOrganizationalDomain` of @zegel/dmarc is one. */
export type OrganizationalDomainFinder = (
  domain: string,
  options: { readonly resolver: Resolver; readonly signal?: AbortSignal | undefined },
) => Promise<
  | { readonly status: 'found'; readonly domain: string }
  | { readonly status: 'invalid-domain' }
  | { readonly status: 'temporary-failure'; readonly name: string }
>;

/** What a check is made with. */
export interface BimiOptions {
  /** Asked for every record and every web server's address; nothing else asks the DNS. */
  readonly resolver: Resolver;
  readonly findOrganizationalDomain: OrganizationalDomainFinder;
  readonly limits?: Partial<BimiLimits>;
  readonly network?: FetchNetwork;
  /** PEM of the authorities trusted for marks, one each. Default: those that mailauth brings. */
  readonly markRoots?: readonly string[];
  /** When mark certificates are judged, and how long documents are kept. Default: the clock. */
  readonly now?: () => Date;
}

/** One message. */
export interface BimiInput {
  readonly header: Header;
  readonly dmarc: BimiDmarc;
  /** Ends look-ups and fetches; what is still open then is a temporary error. */
  readonly signal?: AbortSignal | undefined;
}

/** Never rejects for what a message, the DNS or a web server does. */
export type BimiCheck = (input: BimiInput) => Promise<BimiVerdict>;

const indicatorTypes = ['image/svg+xml'] as const;
/** RFC 8555 §9.1 names the first; servers know PEM files by many names, or by none. */
const certificateTypes = [
  'application/pem-certificate-chain',
  'application/x-pem-file',
  'application/x-x509-ca-cert',
  'application/x-x509-user-cert',
  'application/pkix-cert',
  'text/plain',
  'application/octet-stream',
  'binary/octet-stream',
  '',
] as const;

type FoundRecord = Extract<AssertionRecord, { status: 'found' }>;
type FailedDocument = Extract<FetchedDocument, { status: 'failed' }>;

/**
 * Makes a check. It looks at a message only after DMARC has passed under an enforced policy. Indicators and mark
 * certificates are kept for a while, so make one check and use it for every message. Throws when a root in `markRoots` is
 * no certificate.
 */
export function createBimiCheck(options: BimiOptions): BimiCheck {
  const limits: BimiLimits = { ...bimiLimits, ...options.limits };
  const { resolver, network, findOrganizationalDomain, now = () => new Date() } = options;
  const fetchDocument = keepDocuments(createDocumentFetcher({ resolver, limits, network }), limits, now);
  const roots = options.markRoots === undefined ? bundledMarkRoots() : parseMarkRoots(options.markRoots);

  /** Parsing costs milliseconds, so that it is done once for a document that is kept. */
  const readings = new WeakMap<Buffer, Indicator>();

  return async ({ header, dmarc, signal }) => {
    const { authorDomain, policy } = dmarc;
    if (dmarc.result !== 'pass' || authorDomain === undefined || policy === undefined) {
      return giveVerdict('bimi.dmarc-not-passed', { dmarc: dmarc.result }, { evidence: {} });
    }
    const laxity = findLaxity(policy);
    if (laxity !== undefined) return notEnforced(authorDomain, laxity);
    const author = readAuthor(header);
    if (!author.ok || author.mailboxes.length !== 1) return giveVerdict('bimi.several-authors', {}, { evidence: {} });
    const selected = readSelector(header, limits);
    if (!selected.ok) {
      const { problem } = selected;
      return giveVerdict('bimi.selector-invalid', { problem }, { evidence: { reason: problem } });
    }
    const { selector } = selected;

    let { organizationalDomain } = dmarc;
    if (organizationalDomain === undefined) {
      const organization = await findOrganizationalDomain(authorDomain, { resolver, signal });
      if (organization.status === 'temporary-failure') return dnsFailure(authorDomain, { dnsName: organization.name });
      organizationalDomain = organization.status === 'found' ? organization.domain : authorDomain;
    }
    const record = await findAssertionRecord(
      {
        authorDomain,
        organizationalDomain,
        selector,
        dmarcRecord: policy.record,
        dmarcDomain: policy.domain,
        dmarcPolicy: policy.p,
      },
      { resolver, maxLength: limits.recordLength, signal },
    );
    return record.status === 'found' ? judge(record, signal) : describeAbsence(record, authorDomain, selector);
  };

  /** Fetches and judges what a record points to. */
  async function judge(record: FoundRecord, signal: AbortSignal | undefined): Promise<BimiVerdict> {
    const { location, authority, domain, selector } = record;
    const [image, bundle] = await Promise.all([
      fetchDocument({ url: location, mediaTypes: indicatorTypes, maxBytes: limits.indicatorBytes, signal }),
      authority === undefined
        ? undefined
        : fetchDocument({ url: authority, mediaTypes: certificateTypes, maxBytes: limits.certificateBytes, signal }),
    ]);
    const details = (
      evidence: BimiEvidence,
      authorityResult: NonNullable<BimiVerdict['authorityResult']> = 'none',
    ): VerdictDetails => ({
      domain,
      selector,
      location,
      ...(authority !== undefined && { authority }),
      authorityResult,
      evidence: { ...record.place, ...evidence },
    });

    if (image.status === 'failed') return describeFailure('indicator', location, image, details);
    const indicator = readings.get(image.body) ?? readIndicator(image.body, limits.indicatorBytes);
    readings.set(image.body, indicator);
    if (!indicator.ok) {
      const { problem } = indicator;
      return giveVerdict('bimi.indicator-invalid', { url: location, problem }, details({ reason: problem }));
    }
    const { svg } = indicator;
    const seen = { bytes: svg.length, sha256: createHash('sha256').update(svg).digest('hex') };
    if (bundle === undefined || authority === undefined) {
      return giveVerdict('bimi.pass-no-evidence', { domain }, details({ indicator: seen }));
    }
    if (bundle.status === 'failed') return describeFailure('mark certificate', authority, bundle, details);

    const mark = await verifyMark(
      { bundle: bundle.body, indicator: svg, location, authority, selector, domain },
      { roots, now: now(), chainLength: limits.chainLength },
    );
    if (mark.ok) {
      const { certificate: vmc } = mark;
      return giveVerdict(
        'bimi.pass-evidence',
        { domain, issuer: vmc.issuer },
        details({ indicator: seen, vmc }, 'pass'),
      );
    }
    const { problem } = mark;
    const failure = details({ indicator: seen, reason: problem }, 'fail');
    switch (mark.fault) {
      case 'domain':
        return giveVerdict('bimi.certificate-domain-mismatch', { url: authority, domain }, failure);
      case 'mark':
        return giveVerdict('bimi.certificate-mark-invalid', { url: authority, problem }, failure);
      case 'indicator':
        return giveVerdict('bimi.indicator-mismatch', { url: location }, failure);
      case 'certificate':
        return giveVerdict('bimi.certificate-invalid', { url: authority, problem }, failure);
    }
  }
}

/** Why the policy that applied to the message is not enforced (draft §7.1 steps 7 to 9, RFC 9989 `t`), if it is not. */
function findLaxity(policy: NonNullable<BimiDmarc['policy']>): string | undefined {
  if (policy.p === 'none') return 'its policy is p=none';
  if (policy.sp === 'none') return 'its subdomain policy is sp=none';
  return policy.testing ? 'it tests its policy (t=y)' : undefined;
}

function notEnforced(authorDomain: string, problem: string, evidence: BimiEvidence = {}): BimiVerdict {
  return giveVerdict(
    'bimi.dmarc-not-enforced',
    { authorDomain, problem },
    { evidence: { ...evidence, reason: problem } },
  );
}

function dnsFailure(authorDomain: string, evidence: BimiEvidence): BimiVerdict {
  return giveVerdict('bimi.dns-temporary-failure', { authorDomain, dnsName: evidence.dnsName ?? '' }, { evidence });
}

/** A record that is not there, or leads nowhere. */
function describeAbsence(
  record: Exclude<AssertionRecord, FoundRecord>,
  authorDomain: string,
  selector: string,
): BimiVerdict {
  const { place } = record;
  const { dnsName = '' } = place;
  const details: VerdictDetails = { selector, evidence: place };
  switch (record.status) {
    case 'none':
      return giveVerdict('bimi.no-record', { authorDomain, selector }, details);
    case 'declined':
      return giveVerdict('bimi.declined', { dnsName }, details);
    case 'several':
      return giveVerdict('bimi.several-records', { dnsName }, details);
    case 'too-long':
      return giveVerdict('bimi.record-too-long', { dnsName }, details);
    case 'temporary-failure':
      return dnsFailure(authorDomain, place);
    case 'not-enforced':
      return notEnforced(authorDomain, record.problem, place);
    case 'unusable': {
      const { problem } = record;
      return giveVerdict(
        'bimi.record-unusable',
        { dnsName, problem },
        { selector, evidence: { ...place, reason: problem } },
      );
    }
  }
}

const fetchCodes = {
  refused: 'bimi.location-refused',
  unavailable: 'bimi.document-unavailable',
  temporary: 'bimi.document-temporary-failure',
} as const;

function describeFailure(
  document: string,
  url: string,
  { failure, url: failedUrl }: FailedDocument,
  details: (evidence: BimiEvidence) => VerdictDetails,
): BimiVerdict {
  const { kind, text } = fetchFailures[failure];
  const evidence = { fetchFailure: { url: failedUrl, failure }, reason: failure };
  return giveVerdict(fetchCodes[kind], { document, url, problem: text }, details(evidence));
}
