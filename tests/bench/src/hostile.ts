/**
 * Inputs that are known to cost other software more than they should, each of any size, and what we do with them: once
 * with the default limits, once with every limit raised above the input.
 */
import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { findForged, parseAuthenticationResults, readAuthenticationResults } from '@zegel/auth-results';
import { authenticate } from '@zegel/authentication';
import { verifyChain } from '@zegel/arc';
import { createSigningKey, formatKeyRecord, parseKeyRecord, signMessage, verifyMessage } from '@zegel/dkim';
import { parseDmarcRecord } from '@zegel/dmarc';
import { ZoneResolver } from '@zegel/dns';
import type { ZoneDeclaration } from '@zegel/dns';
import { parseHeader, parseMessage, readAuthor } from '@zegel/message';
import { checkHost, parseRecord } from '@zegel/spf';

/** Work on one input, ready to be repeated. Answers words for what came out. */
export type Work = () => Promise<string>;

export interface HostileInput {
  readonly name: string;
  /** What a size counts. */
  readonly unit: string;
  /** About the largest that the default limits let in: what an attacker would send who knows them. */
  readonly inside: number;
  /** Far above those limits. */
  readonly largest: number;
  /** The verdict with default limits. */
  byDefault(size: number): Promise<Work>;
  /** The same, or the part of it that such an input aims at, with limits that do not stop it. */
  unlimited(size: number): Promise<Work>;
}

const domain = 'example.org';
const now = new Date('2026-11-24T00:00:00Z');
const privateKey = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 'zegel')]),
  format: 'der',
  type: 'pkcs8',
});
const key = createSigningKey({ domain, selector: 's', privateKey });
const keyRecord = formatKeyRecord(createPublicKey(privateKey));
const zone: ZoneDeclaration = {
  [`s._domainkey.${domain}`]: { TXT: [keyRecord] },
  [`_dmarc.${domain}`]: { TXT: ['v=DMARC1; p=reject'] },
  [domain]: { TXT: ['v=spf1 -all'], A: ['192.0.2.1'] },
};

const unlimited = {
  maxHeaderFields: 1e9,
  maxHeaderBytes: 1e9,
  maxFieldBytes: 1e9,
  maxMessageBytes: 1e9,
  maxAddresses: 1e9,
  maxCommentDepth: 1e9,
  maxSignatures: 1e9,
  maxSignatureBytes: 1e9,
  maxSignedFields: 1e9,
  maxKeyRecordBytes: 1e9,
  maxKeyRecords: 1e9,
  maxChainBytes: 1e9,
  maxMessageSignatures: 1e9,
};

/** The whole of it: DKIM, SPF, DMARC, ARC, forged fields, report and edits. */
function authentication(
  raw: Buffer,
  options: { readonly limits?: object; readonly zone?: ZoneDeclaration; readonly mailFrom?: string } = {},
): Work {
  const resolver = new ZoneResolver({ ...zone, ...options.zone });
  const context = {
    session: { ip: '192.0.2.1', helo: 'client.example' },
    envelope: { mailFrom: options.mailFrom ?? `a@${domain}` },
  };
  const { limits = {} } = options;
  return async () => {
    const { report } = await authenticate(raw, context, { resolver, authservId: 'mx.example', now, limits });
    return [
      ...new Set([
        report.dkim[0]?.code,
        report.spf.mailFrom.code,
        report.dmarc.code,
        report.arc.code,
        ...report.limits,
      ]),
    ].join(', ');
  };
}

function verification(raw: Buffer): Work {
  const resolver = new ZoneResolver(zone);
  return async () => {
    const results = await verifyMessage(raw, { resolver, now, limits: unlimited });
    return `${results.length} × ${[...new Set(results.map(({ code }) => code))].join(', ')}`;
  };
}

/** A message with header and body as given, signed over all of it. */
async function signed(header: string, body = 'Hello.\r\n'): Promise<Buffer> {
  const raw = Buffer.from(`From: <a@${domain}>\r\n${header}\r\n${body}`);
  return Buffer.concat([await signMessage(raw, { keys: [key], now, limits: unlimited }), raw]);
}

/** A message of an unsigned header and a body. */
function unsigned(header: string, body = 'Hello.\r\n'): Buffer {
  return Buffer.from(`${header}\r\n${body}`);
}

/** A DKIM-Signature field with a body hash that holds and a b= that does not: all of the work, and no pass. */
function signature(tags: string, body: string): string {
  const bodyHash = createHash('sha256').update(body).digest('base64');
  const value = sign(null, Buffer.from(tags), privateKey).toString('base64');
  return `DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=${domain}; s=s; ${tags}; bh=${bodyHash}; b=${value}\r\n`;
}

function repeat(octets: number, piece: string): string {
  return piece.repeat(Math.ceil(octets / piece.length));
}

const kilobytes = 384_000;
const megabytes = 2_000_000;
/** A field that is let in, and as many fields as are. */
const aField = 60_000;
const allFields = 990;
const from = `From: <a@${domain}>\r\n`;

/** An input that is a message, put to the whole authentication both times. */
function message(
  name: string,
  unit: string,
  inside: number,
  largest: number,
  make: (size: number) => Promise<Buffer> | Buffer,
): HostileInput {
  return {
    name,
    unit,
    inside,
    largest,
    byDefault: async (size) => authentication(await make(size)),
    unlimited: async (size) => authentication(await make(size), { limits: unlimited }),
  };
}

const signedFolds = (size: number) => signed(`Subject: x${repeat(size, '\r\n a')}\r\n`);
const manySignatures = (count: number) =>
  unsigned(from + Array.from({ length: count }, (_, at) => signature(`h=from; t=${at}`, 'Hello.\r\n')).join(''));
const manyLengths = (count: number) => {
  const body = repeat(100_000, 'A line of the body, as there are many.\r\n');
  const fields = Array.from({ length: count }, (_, at) => signature(`h=from; l=${at * 10}`, body));
  return unsigned(from + fields.join(''), body);
};

/** Fields of tiny folds, all of them covered by ten signatures and by the signatures of ten ARC sets. */
const wholeHeader = (octets: number) => {
  const names = Array.from({ length: 16 }, (_, at) => `x${at}`);
  const fields = names.map((name) => `${name}:${repeat(octets / names.length, '\r\n a')}\r\n`);
  const h = `from:${names.join(':')}`;
  const signatures = Array.from({ length: 10 }, (_, at) => signature(`h=${h}; t=${at}`, 'Hello.\r\n'));
  return unsigned(arcChain(10, 100, h) + signatures.join('') + from + fields.join(''));
};

const folds: readonly HostileInput[] = [
  message('a signed field of tiny folds', 'octets', aField, kilobytes, signedFolds),
  message('From of tiny folds', 'octets', aField, kilobytes, (size) =>
    unsigned(`From: ${repeat(size, '\r\n ')}<a@${domain}>\r\n`),
  ),
  message('a DKIM-Signature of tiny folds in b=', 'octets', aField, megabytes, (size) =>
    unsigned(from + signature('h=from', '').replace(/\r\n$/, `${repeat(size, '\r\n A')}\r\n`)),
  ),
  message('our own Authentication-Results of tiny folds', 'octets', aField, megabytes, (size) =>
    unsigned(`${from}Authentication-Results:${repeat(size, '\r\n ')}mx.example; none\r\n`),
  ),
];

const signatures: readonly HostileInput[] = [
  {
    ...message('signatures', 'fields', allFields, 4000, manySignatures),
    unlimited: async (count) => verification(manySignatures(count)),
  },
  {
    ...message('distinct l= over a body of 100 kB', 'fields', allFields, 4000, manyLengths),
    unlimited: async (count) => verification(manyLengths(count)),
  },
  message('ten signatures and ten ARC sets over a whole header', 'octets', 900_000, 4_000_000, wholeHeader),
  message('names in h=, each another', 'names', 9000, 40_000, (count) =>
    unsigned(from + signature(`h=from${Array.from({ length: count }, (_, at) => `:x${at}`).join('')}`, '')),
  ),
  message('names in h=, all one, and as many fields', 'names', allFields, 40_000, (count) =>
    unsigned(from + signature(`h=from${':x'.repeat(count)}`, '') + 'X: y\r\n'.repeat(count)),
  ),
  message('tags in one signature', 'tags', 7000, 40_000, (count) =>
    unsigned(from + signature(Array.from({ length: count }, (_, at) => `x${at}=1`).join(';'), '')),
  ),
];

/** A chain in good order whose signatures do not hold. Every seal covers all sets below it. */
function arcChain(count: number, octets: number, h = 'from'): string {
  const sets = Array.from({ length: count }, (_, at) => {
    const head = `i=${at + 1}; a=ed25519-sha256; d=${domain}; s=s; t=1700000000`;
    const value = sign(null, Buffer.from(head), privateKey).toString('base64');
    const bodyHash = createHash('sha256').update('Hello.\r\n').digest('base64');
    return [
      `ARC-Seal: ${head}; cv=${at === 0 ? 'none' : 'pass'}; b=${value}\r\n`,
      `ARC-Message-Signature: ${head}; c=relaxed/relaxed; h=${h}; bh=${bodyHash}; b=${value}\r\n`,
      `ARC-Authentication-Results: i=${at + 1}; mx.example; spf=pass${repeat(octets, '\r\n smtp.helo=a')}\r\n`,
    ].join('');
  });
  return sets.toReversed().join('');
}

const manyFields = (count: number) => unsigned(from + 'Received: x\r\n'.repeat(count));

const headers: readonly HostileInput[] = [
  message('nested comments in From', 'octets', aField, kilobytes, (size) =>
    unsigned(`From: ${'('.repeat(size / 2)}${')'.repeat(size / 2)} <a@${domain}>\r\n`),
  ),
  message('addresses in From', 'addresses', 3000, 80_000, (count) =>
    unsigned(`From: ${Array.from({ length: count }, (_, at) => `a${at}@${domain}`).join(', ')}\r\n`),
  ),
  {
    ...message('header fields', 'fields', allFields, 40_000, manyFields),
    // Four times as many: of these an eighth is few enough for the young generation, and costs less than its share.
    unlimited: async (count) => authentication(manyFields(4 * count), { limits: unlimited }),
  },
  message('forged Authentication-Results', 'fields', allFields, 20_000, (count) =>
    unsigned(from + 'Authentication-Results: mx.example; dkim=pass\r\n'.repeat(count)),
  ),
  message('50 ARC sets with results of a size', 'octets each', 4000, 40_000, (size) =>
    unsigned(arcChain(50, size) + from),
  ),
];

/** A field body put to both readers and to the search for forged ones. */
function results(name: string, piece: string, head = ''): HostileInput {
  const body = (size: number) => ` other.example${head}${repeat(size, piece)}`;
  return {
    name,
    unit: 'octets',
    inside: aField,
    largest: megabytes,
    byDefault: async (size) => authentication(unsigned(`${from}Authentication-Results:${body(size)}\r\n`)),
    unlimited: async (size) => {
      const text = body(size);
      const limits = { maxFieldLength: 1e9, maxResults: 1e9, maxProperties: 1e9, maxCommentDepth: 1e9 };
      const header = parseHeader(Buffer.from(`Authentication-Results:${text}\r\n`));
      return async () => {
        const strict = parseAuthenticationResults(text, { limits });
        const tolerant = readAuthenticationResults(text, { limits });
        const forged = findForged(header, ['mx.example']);
        return `${strict.ok ? 'read' : strict.code}, ${tolerant.ok ? 'read' : tolerant.code}, ${forged.length} removed`;
      };
    },
  };
}

const authenticationResults: readonly HostileInput[] = [
  results('Authentication-Results of results', ';\r\n dkim=pass header.d=a.example'),
  results('Authentication-Results of properties', '\r\n header.d=a.example', '; dkim=pass'),
  results('Authentication-Results of open comments', '('),
  results('Authentication-Results of bare line ends', '\n'),
];

/** A record that stands wherever one is asked for: as what it is, and as what it is not. */
function record(
  name: string,
  inside: number,
  largest: number,
  text: (size: number) => string,
  parse: (text: string) => string,
): HostileInput {
  return {
    name,
    unit: 'octets',
    inside,
    largest,
    byDefault: async (size) =>
      authentication(await signed('Subject: x\r\n'), {
        zone: {
          [`s._domainkey.${domain}`]: { TXT: [text(size)] },
          [`_dmarc.${domain}`]: { TXT: [text(size)] },
          [domain]: { TXT: [text(size)] },
        },
      }),
    unlimited: async (size) => {
      const whole = text(size);
      return async () => parse(whole);
    },
  };
}

const spfRecord = (size: number) => `v=spf1${repeat(size, ' a:a.example')}`;
const dmarcRecord = (size: number) =>
  `v=DMARC1; p=none; rua=mailto:a@a.example${repeat(size, ',mailto:a@a.example!10m')}`;
const keyRecordOfTags = (size: number) =>
  `${keyRecord}; ${Array.from({ length: size / 10 }, (_, at) => `n${at}=x; `).join('')}`;

const records: readonly HostileInput[] = [
  record('SPF record of terms', 16_000, 2_000_000, spfRecord, (text) => {
    const parsed = parseRecord(Buffer.from(text), 1e9);
    return parsed.ok ? 'read' : parsed.error.fault;
  }),
  record('DMARC record of URIs', 4000, 4_000_000, dmarcRecord, (text) => {
    return parseDmarcRecord(text, { recordLength: 1e9, reportingUris: 1e9 }).kind;
  }),
  record('key record of tags', 16_000, 1_000_000, keyRecordOfTags, (text) => {
    const parsed = parseKeyRecord(text);
    return parsed.ok ? 'read' : parsed.reason;
  }),
];

/** A zone of SPF records that include each other, two each, none twice; every one is a term that counts. */
function includeTree(count: number): ZoneDeclaration {
  const terms = (at: number) =>
    [2 * at + 1, 2 * at + 2].filter((next) => next < count).map((next) => ` include:i${next}.example`);
  return Object.fromEntries(
    Array.from({ length: count }, (_, at) => [`i${at}.example`, { TXT: [`v=spf1${terms(at).join('')} ?all`] }]),
  );
}

/** One record after another, each including the next. */
function includeChain(count: number): ZoneDeclaration {
  return Object.fromEntries(
    Array.from({ length: count }, (_, at) => [`i${at}.example`, { TXT: [`v=spf1 include:i${at + 1}.example ?all`] }]),
  );
}

/** The same, each record as long as is read, of terms that ask nothing and match nobody. */
function longIncludes(count: number): ZoneDeclaration {
  const terms = repeat(15_000, ' ip6:2001:db8::1/128 ip4:198.51.100.1');
  return Object.fromEntries(
    Array.from({ length: count }, (_, at) => [
      `i${at}.example`,
      { TXT: [`v=spf1${terms} include:i${at + 1}.example ?all`] },
    ]),
  );
}

function includes(name: string, largest: number, makeZone: (count: number) => ZoneDeclaration): HostileInput {
  return {
    name,
    unit: 'records',
    inside: 11,
    largest,
    byDefault: async (count) => authentication(unsigned(from), { zone: makeZone(count), mailFrom: 'a@i0.example' }),
    unlimited: async (count) => {
      const resolver = new ZoneResolver(makeZone(count));
      const limits = { maxLookupTerms: 1e9, maxVoidLookups: 1e9, maxTraceEntries: 1e9, maxDuration: 1e9 };
      return async () => {
        const check = { ip: '192.0.2.1', helo: 'client.example', mailFrom: 'a@i0.example', resolver, limits };
        const { code, evidence } = await checkHost(check);
        return `${code} after ${evidence.counts.lookupTerms} terms`;
      };
    },
  };
}

const spf: readonly HostileInput[] = [
  includes('SPF includes, a tree', 4000, includeTree),
  includes('SPF includes, a chain', 4000, includeChain),
  includes('SPF includes of long records', 200, longIncludes),
];

const bodies: readonly HostileInput[] = [
  message('a signed body of blanks', 'octets', 4e6, 4e6, (size) => signed('', `x${' '.repeat(size)}y\r\n`)),
  message('a signed body of empty lines', 'octets', 4e6, 4e6, (size) => signed('', `${repeat(size, '\r\n')}y\r\n`)),
];

/** What is measured beside the whole: the parts that only read. */
const parts: readonly HostileInput[] = [
  {
    ...message('bare line ends and names that hide a From', 'octets', aField, megabytes, (size) =>
      unsigned(`${from}Subject: x${repeat(size, '\n \u0001From')}\r\n`),
    ),
    unlimited: async (size) => {
      const { header } = parseMessage(unsigned(`${from}Subject: x${repeat(size, '\n \u0001From')}\r\n`));
      return async () => {
        const author = readAuthor(header, { ...unlimited });
        return author.ok ? 'read' : author.code;
      };
    },
  },
  {
    ...message('ARC fields out of order', 'fields', allFields, 4000, (count) =>
      unsigned(from + Array.from({ length: count }, (_, at) => `ARC-Seal: i=${count - at}; cv=none\r\n`).join('')),
    ),
    unlimited: async (count) => {
      const raw = unsigned(
        from + Array.from({ length: count }, (_, at) => `ARC-Seal: i=${count - at}; cv=none\r\n`).join(''),
      );
      const resolver = new ZoneResolver(zone);
      return async () => (await verifyChain(raw, { resolver, now, limits: unlimited })).code;
    },
  },
];

export const hostileInputs: readonly HostileInput[] = [
  ...folds,
  ...signatures,
  ...headers,
  ...authenticationResults,
  ...records,
  ...spf,
  ...bodies,
  ...parts,
];
