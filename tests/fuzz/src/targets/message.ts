import {
  LineEndWatch,
  MessageScanner,
  applyEdits,
  editMessage,
  editMessageStream,
  exceededLimit,
  fieldBytes,
  fieldValue,
  headerFromPairs,
  normalizeDomain,
  normalizeLineEnds,
  parseAddressList,
  parseHeader,
  parseMessage,
  readAuthor,
} from '@zegel/message';
import type { Header, HeaderEdits } from '@zegel/message';
import { carelessFields, carelessLineEnds } from '../careless.ts';
import { oddMessages, wholeMessages } from '../conformance-messages.ts';
import { must } from '../target.ts';
import type { FuzzTarget } from '../target.ts';

const CRLF = Buffer.from('\r\n');
/** Fields whose values are read as addresses. */
const maxAddressFields = 20;

/** @zegel/message: the header and its fields, in one piece and in chunks; author and addresses; edits; line ends. */
export const message: FuzzTarget = {
  name: 'message',
  covers: ['message'],
  tokens: [
    ...'\r\n|\r\n\r\n|\r\n |\r\n\t|\n|\r|\n\n|From: |from:|FROM :| From:|To: |Sender: |Subject: '.split('|'),
    ...'Authentication-Results: |a@b.example|<a@b.example>|"a b"@c.example|x <a@[192.0.2.1]>'.split('|'),
    ...'Group: a@b.example, c@d.example;|(comment (nested))|((((((((|)))))|\\|"|,,|;|@a,@b:'.split('|'),
    ...'=?utf-8?q?a=40b?=|xn--|bücher.example|\u00e2\u0080\u008b|\0|. | .|>|<'.split('|'),
  ],
  seeds: () => [...oddMessages(), ...wholeMessages().map(({ raw }) => raw)],
  run,
};

async function run(raw: Buffer): Promise<readonly string[]> {
  const { header, body } = parseMessage(raw);
  checkSplit(raw, header, body);
  const chunks = cut(raw);
  checkScanner(header, body, chunks);
  checkLineEnds(raw, chunks);
  await checkEdits(raw, header, chunks);
  checkPairs(header);
  return [...readAuthorOf(header), ...readAddresses(header), exceededLimit(header)?.limit ?? 'within-limits'];
}

/** Header, empty line and body are the message; the fields are the header. */
function checkSplit(raw: Buffer, header: Header, body: Uint8Array): void {
  const between = raw.subarray(header.bytes.length, raw.length - body.length);
  must(between.length === 0 || between.equals(CRLF), 'the empty line is not one');
  must(body.length === 0 || between.length > 0, 'a body without an empty line');
  must(raw.subarray(0, header.bytes.length).equals(header.bytes), 'the header is not the beginning');
  let at = 0;
  for (const { start, colon, end, name } of header.fields) {
    must(start === at && end > start && colon >= start && colon < end, 'the fields are not side by side');
    must(name === name.toLowerCase() && !/[^!-9;-~]/.test(name), 'a field name that is none');
    at = end;
  }
  must(at === header.bytes.length, 'the fields are not the whole header');
}

function checkScanner(header: Header, body: Uint8Array, chunks: readonly Buffer[]): void {
  const scanner = new MessageScanner();
  const parts = chunks.map((chunk) => Buffer.from(scanner.push(chunk)));
  const scanned = scanner.end();
  must(Buffer.compare(scanned.bytes, header.bytes) === 0, 'in chunks the header is another');
  must(scanned.fields.length === header.fields.length, 'in chunks the fields are others');
  must(Buffer.concat(parts).equals(body), 'in chunks the body is another');
}

function checkLineEnds(raw: Buffer, chunks: readonly Buffer[]): void {
  const whole = new LineEndWatch();
  whole.update(raw);
  whole.end();
  const inChunks = new LineEndWatch();
  for (const chunk of chunks) inChunks.update(chunk);
  inChunks.end();
  must(whole.bare === inChunks.bare, 'in chunks the line ends are others');
  must(whole.bare === /\r(?!\n)|(?<!\r)\n/.test(raw.toString('latin1')), 'a bare line end is seen wrongly');
  const normalized = normalizeLineEnds(raw);
  must(!normalizeLineEnds(normalized.raw).normalized, 'line ends are normalised twice');
}

async function checkEdits(raw: Buffer, header: Header, chunks: readonly Buffer[]): Promise<void> {
  // Every third field, or so: which ones depends on the input alone.
  const seen = new Map<string, number>();
  const remove: { name: string; occurrence: number }[] = [];
  const kept: Uint8Array[] = [];
  for (const [index, field] of header.fields.entries()) {
    const occurrence = (seen.get(field.name) ?? 0) + 1;
    seen.set(field.name, occurrence);
    if ((index + raw.length) % 3 === 0) remove.push({ name: field.name.toUpperCase(), occurrence });
    else kept.push(fieldBytes(header, field));
  }
  const edits: HeaderEdits = { remove, prepend: [] };
  const edited = applyEdits(header, edits);
  must(Buffer.concat(kept).equals(edited), 'edits leave other fields than they should');
  must(parseHeader(edited).fields.length === kept.length, 'edits change how many fields there are');
  const whole = editMessage(raw, edits);
  must(Buffer.concat([edited, raw.subarray(header.bytes.length)]).equals(whole), 'edits change more than the header');
  const streamed: Uint8Array[] = [];
  for await (const chunk of editMessageStream(inTurn(chunks), edits)) streamed.push(Buffer.from(chunk));
  must(Buffer.concat(streamed).equals(whole), 'in chunks the edits are others');
}

async function* inTurn(chunks: readonly Buffer[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

function checkPairs({ bytes, fields }: Header): void {
  const pairs = fields.map(
    ({ start, colon, end }) => [bytes.subarray(start, colon), bytes.subarray(colon, end)] as const,
  );
  const header = headerFromPairs(pairs);
  must(header.fields.length === pairs.length, 'pairs and fields differ in number');
  must(header.fields.at(-1)?.end === (pairs.length === 0 ? undefined : header.bytes.length), 'pairs end elsewhere');
}

function readAuthorOf(header: Header): readonly string[] {
  const author = readAuthor(header);
  if (!author.ok) return [author.code, author.detail ?? ''];
  const text = Buffer.from(header.bytes).toString('latin1');
  for (const lineEnd of carelessLineEnds) {
    must(carelessFields(text, lineEnd, 'from').length === 1, 'a careless reader sees another author');
  }
  must(author.domains.length > 0, 'an author without a domain');
  must(author.mailboxes.length >= author.domains.length, 'more author domains than authors');
  for (const domain of author.domains) must(normalizeDomain(domain) === domain, 'an author domain is not normalised');
  return [`authors-${Math.min(author.mailboxes.length, 3)}`, `domains-${Math.min(author.domains.length, 3)}`];
}

function readAddresses(header: Header): readonly string[] {
  return header.fields.slice(0, maxAddressFields).map((field) => {
    const list = parseAddressList(fieldValue(header, field));
    return list.ok ? 'addresses' : list.error;
  });
}

/** The input in chunks of one octet to a few hundred; the borders depend on the input alone. */
export function cut(raw: Buffer): readonly Buffer[] {
  const chunks: Buffer[] = [];
  const largest = raw.length > 5000 ? raw.length : 300;
  let state = raw.length;
  for (let at = 0; at < raw.length;) {
    state = (state * 1103515245 + 12345 + (raw[at] ?? 0)) % 2 ** 31;
    const size = (state >> 8) % 4 === 0 ? 1 : 1 + ((state >> 12) % largest);
    chunks.push(raw.subarray(at, at + size));
    at += size;
  }
  return chunks;
}
