import { hash, randomBytes } from 'node:crypto';

const PREFIX = 'zgl_';
const SECRET_BYTES = 32;
const CHECKSUM_LENGTH = 8;
const SHAPE = /^zgl_[A-Za-z0-9_-]{43}[0-9a-f]{8}$/;

/**
 * A fresh API token: `zgl_`, 32 random bytes in base64url (43 characters), and a checksum: the first 8 hexadecimal
 * digits of the SHA-256 of all that stands before it. The prefix lets secret scanners know it, the checksum lets us know a
 * typing error without asking the database; a shell or a chart can make one too:
 *
 *     t=zgl_$(openssl rand -base64 33 | tr '+/' '-_' | cut -c1-43); echo "$t$(printf %s "$t" | sha256sum | cut -c1-8)"
 */
export function generateTokenSecret(): string {
  const body = PREFIX + randomBytes(SECRET_BYTES).toString('base64url');
  return body + checksum(body);
}

/** Whether text has the shape of a token and its checksum is right. */
export function isTokenSecret(text: string): boolean {
  if (!SHAPE.test(text)) return false;
  const body = text.slice(0, -CHECKSUM_LENGTH);
  return checksum(body) === text.slice(-CHECKSUM_LENGTH);
}

/**
 * What is stored of a token, in hexadecimal. It has 256 random bits, so a plain SHA-256 is as good as a slow hash.
 */
export function hashTokenSecret(secret: string): string {
  return hash('sha256', secret);
}

function checksum(body: string): string {
  return hash('sha256', body).slice(0, CHECKSUM_LENGTH);
}
