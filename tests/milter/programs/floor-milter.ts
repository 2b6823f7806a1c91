/**
 * The least that a milter in Node can do: it reads a message, hashes it, does one RSA operation and adds a field. No
 * check, no limit, no canonicalization, no DNS. What a real one loses beside it is the real one's own; the rest is the
 * platform's. For that it reads frames by itself: the decoder of the real one is a part of what is measured.
 *
 * `node floor-milter.ts sign|verify SOCKET KEYFILE`
 */
import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { encodeReply, macroListStages, negotiate } from '@zegel/milter-protocol';
import type { FilterWishes } from '@zegel/milter-protocol';

const [task, socketPath, keyFile] = process.argv.slice(2);
if ((task !== 'sign' && task !== 'verify') || socketPath === undefined || keyFile === undefined) {
  throw new Error('usage: floor-milter.ts sign|verify SOCKET KEYFILE');
}
const privateKey = createPrivateKey(readFileSync(keyFile));
const publicKey = createPublicKey(privateKey);
const signed = Buffer.alloc(1_000, 'header');
const signature = sign('sha256', signed, privateKey);

const wishes: FilterWishes = {
  actions: ['add-header', 'change-header'],
  leaveOut: ['recipient', 'data', 'unknown'],
  silent: ['connect', 'helo', 'mail', 'header', 'end-of-header', 'body'],
  macros: macroListStages.map((stage) => ({ stage, names: ['i'] })),
};
const goOn = encodeReply({ kind: 'continue' });
const name = Buffer.from(task === 'sign' ? 'DKIM-Signature' : 'Authentication-Results');

createServer({ noDelay: true }, serve).listen(socketPath);
process.on('SIGTERM', () => process.exit(0));

function serve(socket: Socket): void {
  let kept: Buffer = Buffer.alloc(0);
  let hash = createHash('sha256');
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    const bytes = kept.length === 0 ? chunk : Buffer.concat([kept, chunk]);
    let at = 0;
    while (at + 5 <= bytes.length) {
      const end = at + 4 + bytes.readUInt32BE(at);
      if (end > bytes.length) break;
      const payload = bytes.subarray(at + 5, end);
      switch (String.fromCharCode(bytes[at + 4] ?? 0)) {
        case 'O':
          answerOffer(socket, payload);
          break;
        case 'L':
        case 'B':
          hash.update(payload);
          break;
        case 'E':
          hash.digest();
          hash = createHash('sha256');
          socket.write(Buffer.concat([encodeReply({ kind: 'insert-header', index: 0, name, value: work() }), goOn]));
          break;
        case 'Q':
          socket.destroy();
          return;
      }
      at = end;
    }
    kept = bytes.subarray(at);
  });
}

function answerOffer(socket: Socket, payload: Buffer): void {
  const [version, actions, protocol] = [payload.readUInt32BE(0), payload.readUInt32BE(4), payload.readUInt32BE(8)];
  const negotiation = negotiate({ version, actions, protocol }, wishes);
  if (!negotiation.ok) throw new Error(negotiation.explanation);
  socket.write(encodeReply({ kind: 'negotiate', ...negotiation.answer }));
}

/** The one RSA operation; the value of the field. */
function work(): Buffer {
  if (task === 'sign') return Buffer.from(sign('sha256', signed, privateKey).toString('base64'));
  return Buffer.from(verify('sha256', signed, publicKey, signature) ? 'floor.test; none' : '');
}
