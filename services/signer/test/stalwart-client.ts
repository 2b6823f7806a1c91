/**
 * The client end of Stalwart's MTA hooks, version 1: makes the request of a message, and does to the message what an
 * answer asks for, in the way its source does.
 */

export interface StalwartSession {
  readonly ip?: string;
  readonly helo?: string;
  readonly login?: string;
  readonly mailFrom?: string;
}

/** Header fields as Stalwart's parser cuts them: at each LF that no blank follows. The body begins behind the empty line. */
function cut(raw: Buffer): { fields: [Buffer, Buffer][]; body: Buffer } {
  const fields: [Buffer, Buffer][] = [];
  let start = 0;
  for (;;) {
    if (raw.subarray(start, start + 2).equals(Buffer.from('\r\n'))) return { fields, body: raw.subarray(start + 2) };
    if (raw[start] === 0x0a) return { fields, body: raw.subarray(start + 1) };
    let end = raw.indexOf('\n', start);
    while (end !== -1 && (raw[end + 1] === 0x20 || raw[end + 1] === 0x09)) end = raw.indexOf('\n', end + 1);
    if (end === -1) return { fields, body: Buffer.alloc(0) };
    const colon = raw.indexOf(':', start);
    fields.push([raw.subarray(start, colon), raw.subarray(colon + 1, end + 1)]);
    start = end + 1;
  }
}

export function stalwartRequest(raw: Buffer, { ip = '192.0.2.1', helo, login, mailFrom }: StalwartSession = {}) {
  const { fields, body } = cut(raw);
  return {
    context: {
      stage: 'data',
      client: { ip, port: 35_000, ptr: null, helo: helo ?? null, activeConnections: 1 },
      ...(login === undefined ? {} : { sasl: { login } }),
      server: { name: 'Stalwart', port: 25, ip: '192.0.2.2' },
      queue: { id: '1f' },
      protocol: { version: 1 },
    },
    ...(mailFrom === undefined
      ? {}
      : { envelope: { from: { address: mailFrom }, to: [{ address: 'bob@receiver.test' }] } }),
    message: {
      // Its own conversion is lossy in the same way: U+FFFD for what is no UTF-8.
      headers: fields.map(([name, value]) => [name.toString('utf8'), value.toString('utf8')]),
      contents: body.toString('utf8'),
      size: raw.length,
    },
  };
}

interface Modification {
  readonly type: string;
  readonly name: string;
  readonly value?: string;
  readonly index?: number;
}

/** The message that Stalwart goes on with. */
export function applyModifications(raw: Buffer, modifications: readonly Modification[]): Buffer {
  const { fields, body } = cut(raw);
  const additions = modifications.filter(({ type }) => type === 'addHeader');
  if (additions.length === modifications.length) {
    return Buffer.concat([...additions.map(({ name, value }) => Buffer.from(`${name}: ${value}\r\n`)), raw]);
  }
  for (const { type, name, value = '', index } of modifications) {
    if (type === 'addHeader') {
      fields.unshift([Buffer.from(name), Buffer.from(value)]);
      continue;
    }
    if (type !== 'deleteHeader') throw new Error(`Stalwart has no modification ${type} that is expected here`);
    let count = 0;
    const position = fields.findIndex(
      ([other]) => other.toString('latin1').toLowerCase() === name.toLowerCase() && ++count === index,
    );
    if (position !== -1) fields.splice(position, 1);
  }
  const lines = fields.flatMap(([name, value]) => [
    name,
    Buffer.from(/^\s/.test(value.toString('latin1')) ? ':' : ': '),
    value,
    Buffer.from(value.at(-1) === 0x0a ? '' : '\r\n'),
  ]);
  return Buffer.concat([...lines, Buffer.from('\r\n'), body]);
}
