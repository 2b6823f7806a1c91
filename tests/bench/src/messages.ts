/** The messages of the benchmark: realistic headers, and bodies of the three kinds that mail is made of. */

export type BodyKind = 'text' | 'html' | 'base64';

const words =
  'the report you asked for is ready and covers all orders of last week including those which were returned after the end of the month ' +
  'please have a look at the second table where the sums for each region stand side by side with what was planned in spring';

/** Numbers that look random and are the same each time (xorshift32). */
function* numbers(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    yield state >>> 0;
  }
}

/** A header as a mail program and two relays write it: 16 fields, about 1.3 kB. */
export function header(domain: string, kind: BodyKind): string {
  const type = kind === 'html' ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8';
  return [
    `Return-Path: <bounce+4711@${domain}>`,
    'Received: from relay.example.net (relay.example.net [203.0.113.7])',
    '\tby mx.example.org (Postfix) with ESMTPS id 4XkR2p1Wz9z2yN',
    '\tfor <someone@example.org>; Tue, 24 Nov 2026 09:30:12 +0000 (UTC)',
    `Received: from app.${domain} (app.${domain} [192.0.2.10])`,
    '\tby relay.example.net (Postfix) with ESMTPSA id 7C2F31A0044',
    '\tfor <someone@example.org>; Tue, 24 Nov 2026 09:30:11 +0000 (UTC)',
    'MIME-Version: 1.0',
    `Date: Tue, 24 Nov 2026 09:30:10 +0000`,
    `From: "Accounts, Example" <accounts@${domain}>`,
    `Reply-To: Support <support@${domain}>`,
    'To: Some One <someone@example.org>',
    'Cc: Another One <another@example.org>,',
    '\tA Third <third@example.org>',
    'Subject: =?utf-8?Q?Your_report_f=C3=BCr_November?= and what follows from it',
    `Message-ID: <20261124093010.4711.0815@app.${domain}>`,
    `List-Id: Reports <reports.${domain}>`,
    `List-Unsubscribe: <https://app.${domain}/unsubscribe?id=4711>, <mailto:unsubscribe@${domain}>`,
    'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
    `Content-Type: ${type}`,
    `Content-Transfer-Encoding: ${kind === 'base64' ? 'base64' : '8bit'}`,
    'X-Mailer: Example Mailer 3.1',
    `Feedback-ID: 4711:reports:${domain}`,
    '',
  ].join('\r\n');
}

/** A body of about `size` bytes, whole lines. */
export function body(kind: BodyKind, size: number): Buffer {
  const lines: string[] = [];
  const random = numbers(0x5eed);
  let length = 0;
  while (length < size) {
    const line = lineOf[kind](random, lines.length);
    lines.push(line);
    length += line.length + 2;
    // Ten thousand lines are variety enough; the rest repeats them.
    if (lines.length === 10_000) break;
  }
  const block = Buffer.from(`${lines.join('\r\n')}\r\n`, 'latin1');
  if (block.length >= size) return block;
  return Buffer.concat(Array.from({ length: Math.ceil(size / block.length) }, () => block));
}

const lineOf: Readonly<Record<BodyKind, (random: Generator<number, never>, at: number) => string>> = {
  text(random, at) {
    if (at % 9 === 8) return '';
    const from = random.next().value % (words.length - 72);
    const line = words.slice(from, from + 60 + (random.next().value % 12)).trim();
    // "format=flowed" leaves a space at the end of a line; people leave some as well.
    return at % 4 === 0 ? `${line} ` : line;
  },
  html(random, at) {
    const indent = ' '.repeat(2 * (at % 9));
    const width = random.next().value % 600;
    const from = random.next().value % (words.length - 40);
    const cell = `${indent}<td class="cell c${at % 7}" style="width: ${width}px;  padding: 0 4px">`;
    return at % 3 === 0 ? `${indent}<tr>` : `${cell}${words.slice(from, from + 24)}</td>`;
  },
  base64(random) {
    const bytes = Buffer.alloc(57);
    for (let at = 0; at < bytes.length; at++) bytes[at] = random.next().value;
    return bytes.toString('base64');
  },
};

/** A whole unsigned message of about `size` bytes. */
export function message(domain: string, kind: BodyKind, size: number): Buffer {
  const head = Buffer.from(`${header(domain, kind)}\r\n`, 'latin1');
  return Buffer.concat([head, body(kind, Math.max(0, size - head.length))]);
}
