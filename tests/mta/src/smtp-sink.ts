import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';

/** A message as it came over the wire: transparency dots taken away, nothing else. */
export interface Delivery {
  /** The arguments of MAIL FROM, as `<ann@example.org> SIZE=12`. */
  readonly sender: string;
  /** The arguments of each RCPT TO. */
  readonly recipients: readonly string[];
  readonly raw: Buffer;
}

/** Where an MTA under test sends everything: an SMTP server that keeps what it gets, byte for byte. */
export interface SmtpSink extends AsyncDisposable {
  readonly port: number;
  /** All that has come so far, in order. */
  readonly deliveries: readonly Delivery[];
  /**
   * Waits until `count` deliveries (default 1) hold what is asked for, and answers those. Rejects after `timeoutMs`
   * (default 45 s).
   */
  waitFor(matches: (delivery: Delivery) => boolean, count?: number, timeoutMs?: number): Promise<readonly Delivery[]>;
  stop(): Promise<void>;
}

export interface SmtpSinkOptions {
  /** What EHLO offers. Default: PIPELINING, SIZE, 8BITMIME, SMTPUTF8, DSN. */
  readonly extensions?: readonly string[];
}

const endOfData = Buffer.from('\r\n.\r\n');

/** Starts a sink on a port of 127.0.0.1. */
export async function startSmtpSink(options: SmtpSinkOptions = {}): Promise<SmtpSink> {
  const { extensions = ['PIPELINING', 'SIZE', '8BITMIME', 'SMTPUTF8', 'DSN'] } = options;
  const deliveries: Delivery[] = [];
  const watchers = new Set<() => void>();
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket)).on('error', () => {});
    receive(socket, extensions, (delivery) => {
      deliveries.push(delivery);
      for (const watcher of watchers) watcher();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('No port was given to the sink');

  const stop = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    server.close();
    if (server.listening) await once(server, 'close');
  };
  return {
    port: address.port,
    deliveries,
    waitFor: (matches, count = 1, timeoutMs = 45_000) =>
      new Promise((resolve, reject) => {
        const settle = (finish: () => void): void => {
          watchers.delete(look);
          clearTimeout(timer);
          finish();
        };
        const look = (): void => {
          const found = deliveries.filter(matches);
          if (found.length >= count) settle(() => resolve(found));
        };
        const timer = setTimeout(() => {
          const seen = deliveries.map(({ sender, recipients }) => `${sender} to ${recipients.slice(0, 3).join(' ')}`);
          settle(() => reject(new Error(`Not delivered in ${timeoutMs} ms. What came:\n${seen.join('\n')}`)));
        }, timeoutMs);
        watchers.add(look);
        look();
      }),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function receive(socket: Socket, extensions: readonly string[], deliver: (delivery: Delivery) => void): void {
  let commands = '';
  let data: Buffer[] | null = null;
  let sender = '';
  let recipients: string[] = [];
  const say = (line: string): void => void socket.write(`${line}\r\n`);

  const take = (line: string): void => {
    const [verb = ''] = line.split(' ', 1);
    switch (verb.toUpperCase()) {
      case 'EHLO':
        for (const name of ['sink.example', ...extensions.slice(0, -1)]) say(`250-${name}`);
        say(`250 ${extensions.at(-1) ?? 'HELP'}`);
        break;
      case 'MAIL':
        sender = line.replace(/^mail from: */iu, '');
        recipients = [];
        say('250 2.1.0 Ok');
        break;
      case 'RCPT':
        recipients.push(line.replace(/^rcpt to: */iu, ''));
        say('250 2.1.5 Ok');
        break;
      case 'DATA':
        // So that a dot on the first line, too, comes after a line end.
        data = [Buffer.from('\r\n')];
        say('354 Go ahead');
        break;
      case 'QUIT':
        say('221 2.0.0 Bye');
        socket.end();
        break;
      default:
        say('250 2.0.0 Ok');
    }
  };

  /** Takes data up to the line with nothing but a dot, and answers what comes after it, or null when it is not there yet. */
  const takeData = (collected: Buffer[], chunk: Buffer): Buffer | null => {
    collected.push(chunk);
    const recent = Buffer.concat(collected.slice(-endOfData.length));
    const isNear = recent.indexOf(endOfData, Math.max(0, recent.length - chunk.length - endOfData.length)) >= 0;
    if (!isNear) return null;
    const all = Buffer.concat(collected);
    const end = all.indexOf(endOfData, Math.max(0, all.length - chunk.length - endOfData.length));
    data = null;
    deliver({ sender, recipients, raw: unstuff(all.subarray(0, end + 2)).subarray(2) });
    say('250 2.0.0 Ok: kept');
    return all.subarray(end + endOfData.length);
  };

  say('220 sink.example ESMTP');
  socket.on('data', (chunk: Buffer) => {
    let rest: Buffer | null = chunk;
    // Postfix says QUIT together with the end of its last message.
    if (data !== null) rest = takeData(data, rest);
    if (rest === null) return;
    commands += rest.toString('utf8');
    for (let end = commands.indexOf('\r\n'); end >= 0; end = commands.indexOf('\r\n')) {
      const line = commands.slice(0, end);
      commands = commands.slice(end + 2);
      take(line);
    }
  });
}

/** Takes away the dot that stands before each line that begins with one (RFC 5321 §4.5.2). */
function unstuff(stuffed: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let from = 0;
  for (let at = stuffed.indexOf('\r\n.'); at >= 0; at = stuffed.indexOf('\r\n.', at + 3)) {
    pieces.push(stuffed.subarray(from, at + 2));
    from = at + 3;
  }
  return Buffer.concat([...pieces, stuffed.subarray(from)]);
}
