import { authenticate } from '@zegel/authentication';
import type { AuthenticationReport, DkimVerdict } from '@zegel/authentication';
import { ZoneResolver } from '@zegel/dns';
import type { RecordType, Resolver, ZoneDeclaration } from '@zegel/dns';
import { fieldsNamed, parseMessage } from '@zegel/message';
import type { Implementation } from '../../../interop/src/implementation.ts';
import type { Comparison, Suite } from '../campaign.ts';
import { findRuling } from '../ruling.ts';
import { judgedAt, mailCases } from './case.ts';
import type { MailCase } from './case.ts';
import { dkimRulings, peerRulings } from './dkim-rulings.ts';
import type { PeerSituation } from './dkim-rulings.ts';
import { dmarcRulings } from './dmarc-rulings.ts';
import { keyRecords } from './key-records.ts';
import { dmarcOfMailauth, readWithMailauth } from './mailauth.ts';
import type { MailauthReading } from './mailauth.ts';
import { startMailPeers } from './peers.ts';
import { agreesWithMailauth, holds } from './verdict.ts';

export interface MailSuiteOptions {
  /** dkimpy and Mail::DKIM, which are slower, get every so manieth message. */
  readonly peersEvery: number;
}

/**
 * Signed and mutated messages: our `authenticate`, and mailauth in strict mode on DKIM and DMARC, dkimpy and Mail::DKIM
 * on DKIM.
 */
export async function mailSuite(seed: number, { peersEvery }: MailSuiteOptions): Promise<Suite> {
  const records = keyRecords(seed);
  const peers = await startMailPeers(records);
  const keys = new ZoneResolver(records.zone);
  const makeCase = mailCases(seed, records, peers.dkimpy);
  return {
    name: 'mail',
    async compare(index) {
      const subject = await makeCase(index);
      const resolver = joined(keys, new ZoneResolver(subject.policies));
      const read = { ...subject, raw: withoutBareLf(subject.raw) };
      const [ours, mailauth] = await Promise.all([report(read, resolver), readWithMailauth(subject.raw, resolver)]);
      const comparisons = [...compareSignatures(read, ours.dkim, mailauth, records.zone)];
      if (mailauth.thrown === undefined) comparisons.push(await comparePolicy(read, ours, mailauth, resolver));
      if (
        index % peersEvery === 0 &&
        ours.dkim.every(({ evidence }) => evidence.keyName === undefined || peers.know(evidence.keyName))
      ) {
        for (const peer of [peers.dkimpy, peers.mailDkim])
          comparisons.push(...(await comparePeer(read, ours.dkim, peer)));
      }
      const input = { ...subject, raw: subject.raw.toString('base64'), records: usedRecords(ours.dkim, records.zone) };
      return { comparisons, input: Buffer.from(JSON.stringify(input)) };
    },
    [Symbol.asyncDispose]: () => peers[Symbol.asyncDispose](),
  };
}

async function report({ raw, ip, helo, mailFrom }: MailCase, resolver: Resolver): Promise<AuthenticationReport> {
  const context = { session: { ip, helo }, envelope: { mailFrom } };
  return (await authenticate(raw, context, { resolver, authservId: 'mx.example', now: judgedAt })).report;
}

/**
 * A message with CRLF for every bare LF: that is how mailauth and dkimpy read it, so it is the message that everybody is
 * asked about. To us, as received, a bare LF ends no line (RFC 5321 §2.3.8).
 */
function withoutBareLf(raw: Buffer): Buffer {
  const text = raw.toString('latin1');
  return /(?<!\r)\n/u.test(text) ? Buffer.from(text.replaceAll(/(?<!\r)\n/gu, '\r\n'), 'latin1') : raw;
}

/** Key records from one resolver, everything else from another. */
function joined(keys: Resolver, others: Resolver): Resolver {
  return {
    resolve: <T extends RecordType>(name: string, type: T, options?: Parameters<Resolver['resolve']>[2]) =>
      (name.toLowerCase().includes('_domainkey') ? keys : others).resolve(name, type, options),
  };
}

function recordCount(zone: ZoneDeclaration, name = ''): number {
  const entry = zone[name];
  return typeof entry === 'object' && 'TXT' in entry ? (entry.TXT?.length ?? 0) : 0;
}

function usedRecords(
  results: readonly DkimVerdict[],
  zone: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return Object.fromEntries(
    results.flatMap(({ evidence: { keyName } }) =>
      keyName !== undefined && keyName in zone ? [[keyName, zone[keyName]]] : [],
    ),
  );
}

/** Each signature on its own: both list them as they stand. */
function compareSignatures(
  subject: MailCase,
  ours: readonly DkimVerdict[],
  { verdicts, thrown }: MailauthReading,
  zone: ZoneDeclaration,
): Comparison[] {
  const { header } = parseMessage(subject.raw);
  const fields = fieldsNamed(header, 'dkim-signature');
  return Array.from({ length: Math.max(ours.length, verdicts.length) }, (_, at): Comparison => {
    const [mine, other] = [ours[at], verdicts[at]];
    const field = fields[at];
    const text = field === undefined ? '' : Buffer.from(header.bytes).toString('latin1', field.start, field.end);
    const record = mine?.evidence.keyRecord === undefined ? '' : `key record: ${mine.evidence.keyRecord}`;
    const found = [mine?.code ?? 'nothing', mine?.evidence.tag].filter(Boolean).join(' ');
    const said = {
      about: `${text}${record}`,
      ours: found,
      theirs: other === undefined ? (thrown ?? 'nothing') : [other.result, other.comment].filter(Boolean).join(' '),
    };
    if (mine !== undefined && other !== undefined && agreesWithMailauth(mine, other)) {
      return { peer: 'mailauth', ...said, agrees: true };
    }
    const ruling = findRuling(dkimRulings, 'mailauth', {
      subject,
      text: subject.raw.toString('latin1'),
      field: text,
      ours: mine,
      theirs: other,
      thrown,
      recordCount: recordCount(zone, mine?.evidence.keyName),
    });
    return { peer: 'mailauth', ...said, agrees: false, ruling };
  });
}

async function comparePolicy(
  subject: MailCase,
  report: AuthenticationReport,
  mailauth: MailauthReading,
  resolver: Resolver,
): Promise<Comparison> {
  const { dmarc, spf, dkim } = report;
  const passing = dkim.filter(({ result, domain }) => result === 'pass' && domain !== undefined);
  const spfDomains = spf.mailFrom?.result === 'pass' ? [spf.mailFrom.domain] : [];
  const theirs = await dmarcOfMailauth(
    mailauth,
    spfDomains,
    passing.map(({ domain = '' }) => domain),
    resolver,
  );
  const asked = dmarc.result === 'fail' ? ` ${dmarc.disposition}` : '';
  const theirsAsked = theirs.result === 'fail' ? ` ${theirs.policy}` : '';
  const agrees = `${dmarc.result}${asked}` === `${theirs.result}${theirsAsked}`;
  const { header } = parseMessage(subject.raw);
  const from = fieldsNamed(header, 'from').map((field) =>
    Buffer.from(header.bytes).toString('latin1', field.start, field.end),
  );
  const said = {
    about: from.join(''),
    ours: `${dmarc.code}${asked}`,
    theirs: [`${theirs.result}${theirsAsked}`, theirs.detail].filter(Boolean).join(' '),
  };
  if (agrees) return { peer: 'mailauth dmarc', ...said, agrees };
  const ruling = findRuling(dmarcRulings, 'mailauth dmarc', {
    subject,
    text: subject.raw.toString('latin1'),
    ours: dmarc,
    theirs,
    mailauth,
  });
  return { peer: 'mailauth dmarc', ...said, agrees, ruling };
}

/** How many signatures of each selector hold: dkimpy and Mail::DKIM name them, and leave out what they cannot read. */
async function comparePeer(
  subject: MailCase,
  ours: readonly DkimVerdict[],
  peer: Implementation,
): Promise<Comparison[]> {
  const algorithms = new Set<string>(peer.algorithms);
  const known = ours.filter(({ algorithm }) => algorithm === undefined || algorithms.has(algorithm));
  const verdicts = await peer.verify(subject.raw).catch((error: unknown) => String(error));
  const said =
    typeof verdicts === 'string'
      ? verdicts
      : verdicts.map(({ result, detail }) => `${result} ${detail}`.trim()).join(' | ');
  const passed = typeof verdicts === 'string' ? [] : verdicts.filter(({ result }) => result === 'pass');
  const theirPasses = passed.map(({ selector }) => selector.toLowerCase());
  const ourPasses = known.filter(holds).map(({ selector = '' }) => selector);
  const { header } = parseMessage(subject.raw);
  const fields = fieldsNamed(header, 'dkim-signature').map((field) =>
    Buffer.from(header.bytes).toString('latin1', field.start, field.end),
  );
  return [...new Set([...theirPasses, ...known.map(({ selector = '' }) => selector)])].map((selector): Comparison => {
    const holding = ourPasses.filter((other) => other === selector).length;
    const passes = theirPasses.filter((other) => other === selector).length;
    // A signature of which not even the selector could be read may be any.
    const results = known.filter((result) => (result.selector ?? selector) === selector);
    const about = fields.filter((_, at) => results.includes(ours[at]!));
    const statement = {
      peer: peer.name,
      about: about.join(''),
      ours: results.map(({ code }) => code).join(' ') || 'nothing',
      theirs: `${passes} pass (${said})`,
    };
    if (holding === passes) return { ...statement, agrees: true };
    const text = subject.raw.toString('latin1');
    const situation: PeerSituation = { subject, text, fields: about, ours: results, passes, said };
    return { ...statement, agrees: false, ruling: findRuling(peerRulings, peer.name, situation) };
  });
}
