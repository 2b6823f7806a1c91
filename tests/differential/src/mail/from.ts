import type { SeededRandom } from '@zegel/test-harness';

/** From fields, right and wrong; one character is one byte. */
const variants = [
  'From: author@example.test\r\n',
  'From: Name <author@mail.example.test>\r\n',
  'From: <author@deep.sub.example.test>\r\n',
  'From: "Last, First" <author@other.test>\r\n',
  'From: author@EXAMPLE.TEST\r\n',
  'From: author@example.test.\r\n',
  'From: a@example.test, b@example.test\r\n',
  'From: a@example.test, b@other.test\r\n',
  'From: a@example.test, b@mail.example.test\r\nSender: a@example.test\r\n',
  'From: "author@other.test" <author@example.test>\r\n',
  'From: author@other.test <author@example.test>\r\n',
  'From: <author@example.test> <author@other.test>\r\n',
  'From: Team: a@example.test, b@example.test;\r\n',
  'From: Undisclosed:;\r\n',
  'From: author@example.test (a (nested) comment)\r\n',
  'From: (author@other.test) author@example.test\r\n',
  'From: "quoted@local"@example.test\r\n',
  'From: author\r\n',
  'From:\r\n',
  'From: <>\r\n',
  'From: author@\r\n',
  'From: @example.test\r\n',
  'From: <@relay.test:author@example.test>\r\n',
  'From: author@[192.0.2.1]\r\n',
  'From: author@b\u00c3\u00bccher.test\r\n',
  'From: author@xn--bcher-kva.test\r\n',
  'From: =?utf-8?Q?author=40other.test?= <author@example.test>\r\n',
  'From: author@absent.example.test\r\n',
  'From: author@test\r\n',
  'From: author@a.b.c.d.e.f.g.h.i.j.example.test\r\n',
  'From: author@dangling.example.test\r\n',
  'From:\r\n author@example.test\r\n',
  'From : author@example.test\r\n',
  'From: author @ example.test\r\n',
  'From: author@example..test\r\n',
  'From: author@exa_mple.test\r\n',
  'From: "unclosed <author@example.test>\r\n',
  'From: author@example.test\u0000@other.test\r\n',
  'From: Name author@example.test\r\n',
  'From: author@example.test; author@other.test\r\n',
  'From: author@sub.psd.test\r\n',
  'From: author@example.test\r\nFrom: author@example.test\r\n',
  '',
] as const;

/** Another From field in place of the one that a message has. */
export function otherFrom(wire: Buffer, random: SeededRandom): Buffer {
  const text = wire.toString('latin1');
  const header = text.slice(0, text.indexOf('\r\n\r\n') + 2 || text.length);
  const changed = header.replace(/^from:(?:[^\r]|\r\n[ \t])*\r\n/imu, () => random.pick(variants));
  return Buffer.from(`${changed}${text.slice(header.length)}`, 'latin1');
}
