/**
 * The authorities whose mark certificates are trusted.
 */
import { X509Certificate } from 'node:crypto';
import { createRequire } from 'node:module';

/**
 * The roots that come with mailauth (DigiCert, GlobalSign, SSL.com, Entrust). They lie in a package of its own that only
 * mailauth depends on, so that it is found from there.
 */
export function bundledMarkRoots(): readonly X509Certificate[] {
  const mailauth = createRequire(createRequire(import.meta.url).resolve('mailauth'));
  const roots: unknown = mailauth('@postalsys/vmc/data/root-store.json');
  if (!Array.isArray(roots)) throw new TypeError('mailauth brings no list of mark roots');
  return parseMarkRoots(roots.filter((root) => typeof root === 'string'));
}

/** Reads roots from PEM, one certificate each. Throws when one is none: roots are configuration. */
export function parseMarkRoots(pems: readonly string[]): readonly X509Certificate[] {
  return pems.map((pem) => new X509Certificate(pem));
}
