/** X.509 certificates made for tests: web servers, and marks with a logotype (RFC 3709) in them. */
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { gzipSync } from 'node:zlib';

function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  const length = [];
  for (let rest = body.length; rest > 0; rest >>= 8) length.unshift(rest & 0xff);
  const size = body.length < 0x80 ? [body.length] : [0x80 | length.length, ...length];
  return Buffer.concat([Buffer.of(tag, ...size), body]);
}

const sequence = (...contents: readonly Uint8Array[]) => der(0x30, ...contents);
const text = (tag: number, value: string) => der(tag, Buffer.from(value, 'latin1'));
const octets = (value: Uint8Array) => der(0x04, value);
const bits = (value: Uint8Array) => der(0x03, Buffer.of(0), value);

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second].concat(
    rest.flatMap((arc) => {
      const groups = [arc & 0x7f];
      for (let left = arc >> 7; left > 0; left >>= 7) groups.unshift(0x80 | (left & 0x7f));
      return groups;
    }),
  );
  return der(0x06, Buffer.from(bytes));
}

/** GeneralizedTime, to the second. */
const time = (date: Date) => text(0x18, date.toISOString().replaceAll(/[-:T]|\.\d+/g, ''));

function distinguishedName(attributes: Readonly<Record<string, string>>): Buffer {
  return sequence(
    ...Object.entries(attributes).map(([type, value]) => der(0x31, sequence(oid(type), text(0x0c, value)))),
  );
}

const extension = (id: string, value: Uint8Array) => sequence(oid(id), octets(value));

const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'));
const sha256Algorithm = sequence(oid('2.16.840.1.101.3.4.2.1'));
const organization = '2.5.4.10';
const markType = '1.3.6.1.4.1.53087.1.13';

interface CertificateOptions {
  readonly subject: Readonly<Record<string, string>>;
  readonly domains?: readonly string[];
  readonly isAuthority?: boolean;
  readonly extensions?: readonly Uint8Array[];
  readonly validFrom?: Date;
  readonly validTo?: Date;
}

/** Someone with a key and a name who can sign certificates. */
export interface Authority {
  readonly pem: string;
  readonly subject: Readonly<Record<string, string>>;
  readonly privateKey: KeyObject;
}

let serial = 1;

function issue(
  options: CertificateOptions,
  publicKey: KeyObject,
  issuer: Pick<Authority, 'subject' | 'privateKey'>,
): string {
  const { subject, domains = [], isAuthority = false, extensions = [] } = options;
  const { validFrom = new Date('2026-01-01'), validTo = new Date('2049-01-01') } = options;
  const isCa = isAuthority ? der(0x01, Buffer.of(0xff)) : Buffer.alloc(0);
  const all = [extension('2.5.29.19', sequence(isCa)), ...extensions];
  if (domains.length > 0) all.push(extension('2.5.29.17', sequence(...domains.map((name) => text(0x82, name)))));
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    der(0x02, Buffer.of(serial++)),
    ecdsaWithSha256,
    distinguishedName(issuer.subject),
    sequence(time(validFrom), time(validTo)),
    distinguishedName(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...all)),
  );
  const signature = sign('sha256', toBeSigned, issuer.privateKey);
  const base64 = sequence(toBeSigned, ecdsaWithSha256, bits(signature)).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${base64.replaceAll(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
}

/** A root, or with an issuer an authority below it; or one who only acts as an authority. */
export function makeAuthority(name: string, issuer?: Authority, isAuthority = true): Authority {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const subject = { [organization]: name };
  const pem = issue({ subject, isAuthority }, publicKey, issuer ?? { subject, privateKey });
  return { pem, subject, privateKey };
}

/** A web server's certificate and key, PEM. */
export function makeServerCertificate(domains: readonly string[], issuer: Authority): { cert: string; key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const cert = issue({ subject: { [organization]: 'Web' }, domains }, publicKey, issuer);
  return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

export interface MarkOptions {
  readonly domains?: readonly string[];
  readonly svg: Buffer;
  readonly mark?: string;
  readonly mediaType?: string;
  /** What the certificate says is hashed; another text makes a wrong hash. */
  readonly hashed?: Buffer;
  readonly purpose?: string;
  readonly validTo?: Date;
  readonly withoutMark?: boolean;
}

/** A mark certificate, PEM, without its chain. */
export function makeMarkCertificate(options: MarkOptions, issuer: Authority): string {
  const { svg, domains = ['example.com'], mark = 'Registered Mark', mediaType = 'image/svg+xml' } = options;
  const { hashed = svg, purpose = '1.3.6.1.5.5.7.3.31', validTo, withoutMark = false } = options;
  const details = sequence(
    text(0x16, mediaType),
    sequence(sequence(sha256Algorithm, octets(createHash('sha256').update(hashed).digest()))),
    sequence(text(0x16, `data:image/svg+xml;base64,${gzipSync(svg).toString('base64')}`)),
  );
  const logotype = sequence(der(0xa2, der(0xa0, sequence(sequence(details)))));
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return issue(
    {
      subject: { [organization]: 'Example Corporation', [markType]: mark },
      domains,
      extensions: [
        extension('2.5.29.37', sequence(oid(purpose))),
        ...(withoutMark ? [] : [extension('1.3.6.1.5.5.7.1.12', logotype)]),
      ],
      ...(validTo && { validTo }),
    },
    publicKey,
    issuer,
  );
}
