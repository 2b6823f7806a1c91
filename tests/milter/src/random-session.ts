/** Random sessions of an MTA, legal and illegal: each knows how many replies belong to it. */
import { advance, afterVerdict, encodeCommand, encodeFrame, isAnswered } from '@zegel/milter-protocol';
import type { Agreement, Command, SessionState, Step } from '@zegel/milter-protocol';
import type { SeededRandom } from '@zegel/test-harness';

/** What is sent over one connection behind the negotiation. */
export interface RandomSession {
  readonly bytes: Buffer;
  /** Replies that must come, signs of life not counted: one for each step that is answered and each end of a message. */
  readonly replies: number;
  /** The session breaks the protocol: the connection must be closed. */
  readonly isIllegal: boolean;
  /** The connection is cut before its end: nobody hears the replies. */
  readonly isCut: boolean;
}

const name = Buffer.from('Subject');
const steps: ReadonlySet<string> = new Set<Step>([
  'connect',
  'helo',
  'mail',
  'recipient',
  'data',
  'unknown',
  'header',
  'end-of-header',
  'body',
]);

/** The commands in the order in which an MTA says them. */
function message(random: SeededRandom): Command[] {
  const commands: Command[] = [
    {
      kind: 'macros',
      stage: 'mail',
      values: random.chance(2) ? [['{auth_authen}', 'ann@example.org']] : [['i', 'Q1']],
    },
    { kind: 'mail', address: random.pick(['<ann@example.org>', '<>', 'x', '<@a,@b:c@d>']), parameters: [] },
  ];
  for (let count = random.between(0, 3); count > 0; count--) {
    commands.push({ kind: 'header', name, value: Buffer.from(` ${'x\n y'.repeat(random.between(0, 4))}`) });
  }
  if (!random.chance(5)) {
    commands.push({ kind: 'header', name: Buffer.from('From'), value: Buffer.from(' ann@example.org') });
  }
  if (random.chance(10)) return [...commands, { kind: 'abort' }];
  commands.push({ kind: 'end-of-header' });
  for (let count = random.between(0, 2); count > 0; count--) {
    commands.push({ kind: 'body', chunk: Buffer.alloc(random.between(0, 2999), 'a\r\n') });
  }
  if (random.chance(10)) return [...commands, { kind: 'abort' }];
  return [...commands, { kind: 'end-of-message', chunk: Buffer.alloc(random.between(0, 1) * 10, 'b') }];
}

function anyCommand(random: SeededRandom): Command {
  const own = message(random);
  return random.pick<Command>([
    own[random.between(0, own.length - 1)] ?? { kind: 'abort' },
    { kind: 'connect', hostname: 'h', client: { family: 'ipv4', address: '192.0.2.1', port: 1 } },
    { kind: 'helo', name: 'h' },
    { kind: 'data' },
    { kind: 'recipient', address: '<b@c>', parameters: [] },
    { kind: 'unknown', line: 'NOOP' },
    { kind: 'quit-keeping-connection' },
    { kind: 'negotiate', version: 6, actions: 0x1ff, protocol: 0x1f_ffff },
    { kind: 'abort' },
  ]);
}

export function randomSession(random: SeededRandom, agreement: Agreement): RandomSession {
  const commands: Command[] = [
    { kind: 'connect', hostname: 'h', client: { family: 'ipv4', address: '192.0.2.1', port: 1 } },
    { kind: 'helo', name: 'mail.example.org' },
  ];
  for (let count = random.between(0, 3); count > 0; count--) commands.push(...message(random));
  commands.push({ kind: 'quit' });
  // Changed, doubled, left out or put elsewhere: what comes of it may still be legal.
  if (random.chance(2)) {
    for (let count = 1 + random.between(0, 2); count > 0; count--) {
      const at = random.between(0, commands.length - 1);
      commands.splice(at, random.between(0, 1), anyCommand(random));
    }
  }
  const frames: Buffer[] = [];
  let state: SessionState = 'negotiated';
  let replies = 0;
  let isIllegal = false;
  for (const command of commands) {
    frames.push(encodeCommand(command));
    const isInMessage = !['opened', 'negotiated', 'ready', 'closed'].includes(state);
    // The beginning of something else inside a message gives that message up.
    const isAbandoned = isInMessage && (command.kind === 'mail' || command.kind === 'helo');
    const next = advance(isAbandoned ? 'ready' : state, command.kind, agreement);
    if (next === null) {
      isIllegal = true;
      break;
    }
    state = next;
    const isStep = steps.has(command.kind);
    if (command.kind === 'end-of-message' || (isStep && isReplied(agreement, command.kind))) replies++;
    if (isStep) state = afterVerdict(state, command.kind, 'continue');
    if (command.kind === 'quit') break;
  }
  if (state !== 'closed' && !isIllegal) frames.push(encodeCommand({ kind: 'quit' }));
  let bytes = Buffer.concat(frames);
  if (!isIllegal && random.chance(10)) {
    // Behind QUIT nothing is read; before it garbage ends the connection.
    bytes = Buffer.concat([bytes.subarray(0, -5), encodeFrame('Z', Buffer.alloc(random.between(0, 8)))]);
    isIllegal = true;
  }
  const isCut = random.chance(7);
  return { bytes: isCut ? bytes.subarray(0, random.between(0, bytes.length - 1)) : bytes, replies, isIllegal, isCut };
}

function isReplied(agreement: Agreement, kind: string): boolean {
  const step = [...steps].find((one): one is Step => one === kind);
  return step !== undefined && isAnswered(agreement, step);
}
