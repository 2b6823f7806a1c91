/**
 * The chain of a mark certificate: PEM, the certificate itself first, each next one the issuer of the one before.
 *
 * mailauth 7.1.0 compares only the names of issuers and subjects and never a signature: with it alone, whoever writes the name of
 * a trusted authority into a certificate of their own is believed. The signatures are verified here, before it is asked.
 */
import { X509Certificate } from 'node:crypto';

/** A chain that leads to a trusted root, in the PEM we made of it, or why there is none. */
export type CertificateChain =
  | { readonly ok: true; readonly pem: Buffer }
  | { readonly ok: false; readonly problem: string };

const begin = '-----BEGIN CERTIFICATE-----';
const end = '-----END CERTIFICATE-----';

/**
 * Reads a chain of at most `maxLength` certificates, and verifies each signature up to one of the roots. Dates and
 * purposes are not looked at.
 */
export function readCertificateChain(
  bundle: Buffer,
  roots: readonly X509Certificate[],
  maxLength: number,
): CertificateChain {
  const chain = parseBundle(bundle.toString('latin1'), maxLength);
  if (typeof chain === 'string') return { ok: false, problem: chain };
  for (const [index, certificate] of chain.entries()) {
    const issuer = chain[index + 1];
    if (issuer !== undefined && !isIssuedBy(certificate, issuer)) {
      return { ok: false, problem: 'its chain is broken: a certificate is not signed by the next' };
    }
  }
  const last = chain.at(-1);
  const trusted =
    last !== undefined && roots.some((root) => root.fingerprint512 === last.fingerprint512 || isIssuedBy(last, root));
  if (!trusted) return { ok: false, problem: 'it does not lead to an authority that is trusted for marks' };
  return { ok: true, pem: Buffer.from(chain.map((certificate) => certificate.toString()).join('')) };
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
  } catch {
    // A key or an algorithm that OpenSSL does not know.
    return false;
  }
}

/** The certificates, or what is wrong. Found by their borders: no expression runs over what a stranger sent. */
function parseBundle(text: string, maxLength: number): readonly X509Certificate[] | string {
  const chain: X509Certificate[] = [];
  for (let at = text.indexOf(begin); at !== -1; at = text.indexOf(begin, at)) {
    const close = text.indexOf(end, at);
    if (close === -1) return 'it is cut off';
    if (chain.length === maxLength) return 'its chain is too long';
    try {
      chain.push(new X509Certificate(text.slice(at, close + end.length)));
    } catch {
      return 'it holds something that is no certificate';
    }
    at = close + end.length;
  }
  return chain.length === 0 ? 'it holds no certificate in PEM' : chain;
}
