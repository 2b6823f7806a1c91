/**
 * The mark certificate (VMC or CMC): evidence that a mark belongs to a domain.
 */
import type { X509Certificate } from 'node:crypto';
import { validateVMC } from 'mailauth/lib/bimi/index.js';
import { readCertificateChain } from './certificate-chain.ts';
import type { MarkCertificate } from './verdict.ts';

/** What there is to verify, all of it fetched: nothing here talks to a network. */
export interface MarkEvidence {
  readonly bundle: Buffer;
  /** The indicator of `l=`, unpacked. */
  readonly indicator: Buffer;
  readonly location: string;
  readonly authority: string;
  readonly selector: string;
  readonly domain: string;
}

export interface MarkTrust {
  readonly roots: readonly X509Certificate[];
  readonly now: Date;
  readonly chainLength: number;
}

/** `mark` the mark in it cannot be used; `indicator` it is another one than that of `l=`. */
export type MarkVerification =
  | { readonly ok: true; readonly certificate: MarkCertificate }
  | { readonly ok: false; readonly fault: 'certificate' | 'domain' | 'mark' | 'indicator'; readonly problem: string };

/** mailauth's errors that do not concern the certificate as such. */
const faults: ReadonlyMap<string, 'domain' | 'mark'> = new Map([
  ['VMC_DOMAIN_MISMATCH', 'domain'],
  ['INVALID_LOGOTYPE_EXT', 'mark'],
  ['MISSING_VMC_LOGO', 'mark'],
  ['INVALID_MEDIATYPE', 'mark'],
  ['INVALID_LOGO_HASH', 'mark'],
  ['SVG_VALIDATION_FAILED', 'mark'],
]);

/**
 * Verifies the chain's signatures ourselves, then has mailauth verify dates, purpose, mark and domain, and compares the
 * mark with the indicator. What mailauth unpacks from a certificate was signed by a trusted authority by then.
 */
export async function verifyMark(evidence: MarkEvidence, trust: MarkTrust): Promise<MarkVerification> {
  const chain = readCertificateChain(evidence.bundle, trust.roots, trust.chainLength);
  if (!chain.ok) return { ok: false, fault: 'certificate', problem: chain.problem };
  const { selector, domain, location, authority, indicator } = evidence;
  const verified = await validateVMC(
    {
      status: { result: 'pass', header: { selector, d: domain } },
      info: '',
      location,
      authority,
      // With the contents given, mailauth fetches nothing.
      locationPath: indicator,
      authorityPath: chain.pem,
    },
    { now: trust.now, rootStore: { rootCerts: trust.roots } },
  );
  const { authority: result } = verified === false ? {} : verified;
  const vmc: unknown = result?.vmc;
  if (result?.success !== true || !isVerifiedMark(vmc)) {
    const code = result?.error?.code ?? '';
    const problem = result?.error?.message ?? 'it cannot be read';
    return { ok: false, fault: faults.get(code) ?? 'certificate', problem };
  }
  // Not by its hash, which may be SHA-1 in a certificate.
  if (!indicator.equals(Buffer.from(vmc.logoFile, 'base64'))) {
    return { ok: false, fault: 'indicator', problem: 'the mark is another image' };
  }
  return { ok: true, certificate: describe(vmc) };
}

/** What mailauth says of a certificate it accepts; it has more members than its types tell. */
interface VerifiedMark {
  readonly type: string;
  readonly logoFile: string;
  readonly certificate: {
    readonly subject: Readonly<Record<string, unknown>>;
    readonly issuer: Readonly<Record<string, unknown>>;
    readonly subjectAltName: readonly unknown[];
    readonly serialNumber: string;
    readonly validFrom: string;
    readonly validTo: string;
  };
}

function isVerifiedMark(value: unknown): value is VerifiedMark {
  if (!isRecord(value) || !isRecord(value['certificate'])) return false;
  const { subject, issuer, subjectAltName, serialNumber, validFrom, validTo } = value['certificate'];
  const texts = [value['type'], value['logoFile'], serialNumber, validFrom, validTo];
  return (
    isRecord(subject) &&
    isRecord(issuer) &&
    Array.isArray(subjectAltName) &&
    texts.every((text) => typeof text === 'string')
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function describe({ type, certificate }: VerifiedMark): MarkCertificate {
  const mark = certificate.subject['markType'];
  const organization = certificate.subject['organizationName'];
  const issuer = certificate.issuer['organizationName'] ?? certificate.issuer['commonName'];
  return {
    type: type === 'CMC' ? 'CMC' : 'VMC',
    ...(typeof mark === 'string' && { mark }),
    ...(typeof organization === 'string' && { organization }),
    issuer: typeof issuer === 'string' ? issuer : 'an unnamed authority',
    domains: certificate.subjectAltName.filter((name) => typeof name === 'string'),
    validFrom: certificate.validFrom,
    validTo: certificate.validTo,
    serialNumber: certificate.serialNumber,
  };
}
