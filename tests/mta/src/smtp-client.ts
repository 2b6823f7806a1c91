import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import type { TestProcess } from '@zegel/test-harness';

/** A reply of the server: its code and all its text, lines joined by a line feed. */
export interface SmtpReply {
  readonly code: number;
  readonly text: string;
}

/** The server did not answer as a session needs it to go on. */
export class SmtpRefusal extends Error {
  override readonly name = 'SmtpRefusal';
  readonly reply: SmtpReply;

  constructor(expected: number, reply: SmtpReply) {
    super(`Expected ${expected}, and the server said ${reply.text}`);
    this.reply = reply;
  }
}

export interface SmtpLogin {
  readonly name: string;
  readonly password: string;
}

export interface SmtpClientOptions {
  readonly port: number;
  /** The address to come from, one of 127.0.0.0/8. Default 127.0.0.1. */
  readonly from?: string;
  readonly helo?: string;
  readonly login?: SmtpLogin;
}

export interface SmtpMessage {
  /** The address, without angle brackets. */
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly raw: Uint8Array;
  /** ESMTP parameters of MAIL, as in `SMTPUTF8`. */
  readonly parameters?: readonly string[];
}

/** An SMTP client that says exactly what the test wants said. */
export class SmtpClient implements AsyncDisposable {
  readonly #socket: Socket;
  #received = '';
  #closed = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('utf8');
      this.#wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
  }

  /** Connects, says EHLO and logs in. Rejects when the server refuses any of it. */
  static async open(options: SmtpClientOptions): Promise<SmtpClient> {
    const { port, from = '127.0.0.1', helo = 'client.example', login } = options;
    const socket = connect({ port, host: '127.0.0.1', localAddress: from, noDelay: true });
    await once(socket, 'connect');
    const client = new SmtpClient(socket);
    expectCode(await client.reply(), 220);
    expectCode(await client.command(`EHLO ${helo}`), 250);
    if (login !== undefined) {
      const token = Buffer.from(`\0${login.name}\0${login.password}`).toString('base64');
      expectCode(await client.command(`AUTH PLAIN ${token}`), 235);
    }
    return client;
  }

  /** Says one command and waits for the reply. */
  async command(line: string): Promise<SmtpReply> {
    this.#socket.write(`${line}\r\n`);
    return await this.reply();
  }

  /** Writes bytes as they are and waits for nothing. */
  write(bytes: Uint8Array | string): void {
    this.#socket.write(bytes);
  }

  /** The next reply. Rejects when the connection ends before it is complete. */
  async reply(): Promise<SmtpReply> {
    for (;;) {
      const found = /^(?:\d{3}-[^\n]*\n)*(\d{3})(?: [^\n]*)?\r?\n/u.exec(this.#received);
      if (found !== null) {
        this.#received = this.#received.slice(found[0].length);
        return { code: Number(found[1]), text: found[0].trimEnd().replaceAll('\r', '') };
      }
      if (this.#closed)
        throw new Error(`The server closed the connection; it had said ${JSON.stringify(this.#received)}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Says MAIL, RCPT and DATA. Answers the reply to DATA (354), or the first that refuses. */
  async begin({ sender, recipients, parameters = [] }: Omit<SmtpMessage, 'raw'>): Promise<SmtpReply> {
    const mail = await this.command([`MAIL FROM:<${sender}>`, ...parameters].join(' '));
    if (mail.code !== 250) return mail;
    this.write(recipients.map((recipient) => `RCPT TO:<${recipient}>\r\n`).join(''));
    const replies: SmtpReply[] = [];
    for (let count = 0; count < recipients.length; count += 1) replies.push(await this.reply());
    return replies.find(({ code }) => code !== 250) ?? (await this.command('DATA'));
  }

  /** Hands over one message, dots stuffed. Answers the reply to its end, or the first that refuses. */
  async send(message: SmtpMessage): Promise<SmtpReply> {
    const begun = await this.begin(message);
    if (begun.code !== 354) return begun;
    this.write(stuff(message.raw));
    this.write('.\r\n');
    return await this.reply();
  }

  /** Ends the connection at once, in the middle of whatever it is in. */
  async drop(): Promise<void> {
    this.#socket.resetAndDestroy();
    if (!this.#closed) await once(this.#socket, 'close');
  }

  async quit(): Promise<void> {
    if (this.#closed) return;
    this.write('QUIT\r\n');
    this.#socket.end();
    if (!this.#socket.closed) await once(this.#socket, 'close');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.quit();
  }
}

function expectCode(reply: SmtpReply, code: number): void {
  if (reply.code !== code) throw new SmtpRefusal(code, reply);
}

/** Puts a dot before each line that begins with one (RFC 5321 §4.5.2). The message ends in CRLF, or is empty. */
function stuff(raw: Uint8Array): Buffer {
  const bytes = Buffer.from(raw);
  const dot = Buffer.from('.');
  const pieces: Buffer[] = bytes[0] === dot[0] ? [dot] : [];
  let from = 0;
  for (let at = bytes.indexOf('\r\n.'); at >= 0; at = bytes.indexOf('\r\n.', from)) {
    pieces.push(bytes.subarray(from, at + 2), dot);
    from = at + 2;
  }
  return Buffer.concat([...pieces, bytes.subarray(from)]);
}

/** Waits until a server on each port greets. Rejects when its process ends first, or after 30 s. */
export async function waitForGreeting(ports: readonly number[], server: TestProcess, log: () => string): Promise<void> {
  const giveUp = AbortSignal.timeout(30_000);
  let ended = false;
  void server.exited.then(() => (ended = true));
  for (const port of ports) {
    for (;;) {
      try {
        await (await SmtpClient.open({ port })).quit();
        break;
      } catch (error) {
        if (ended || giveUp.aborted) {
          throw new Error(`No greeting on port ${port}:\n${server.output()}${log()}`, { cause: error });
        }
        await setTimeout(20);
      }
    }
  }
}
