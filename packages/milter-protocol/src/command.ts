import type { Offer } from './agreement.ts';
import { MilterEncodingError } from './errors.ts';
import { encodeFrame } from './frame.ts';
import type { Frame } from './frame.ts';
import type { MilterLimits } from './limits.ts';
import { milterLimits } from './limits.ts';
import { encodeNumbers, PayloadReader, textParts } from './payload.ts';

/**
 * The client at the other end of the SMTP connection. `address` is what the MTA says and is not checked: an IPv4 or IPv6
 * address in text form, or the path of a socket. An `IPv6:` that Sendmail writes before an address is taken off.
 */
export type ClientAddress =
  | { readonly family: 'unknown' }
  | { readonly family: 'unix' | 'ipv4' | 'ipv6'; readonly address: string; readonly port: number };

/** The stages at which macros are sent, each with the command that follows them. */
export type MacroStage =
  | 'connect'
  | 'helo'
  | 'mail'
  | 'recipient'
  | 'data'
  | 'header'
  | 'end-of-header'
  | 'body'
  | 'end-of-message'
  | 'unknown';

/** An address with the ESMTP parameters behind it, as in the SMTP command: `<ann@example.org>`, `SIZE=1000`. */
export interface EnvelopeAddress {
  readonly address: string;
  readonly parameters: readonly string[];
}

/** What an MTA says to a filter (SMFIC_*). Texts are UTF-8, with U+FFFD for what is not; header fields and body are bytes. */
export type Command =
  | ({ readonly kind: 'negotiate' } & Offer)
  /** Values for the command that follows. `names` come as sent, long ones in braces. */
  | {
      readonly kind: 'macros';
      readonly stage: MacroStage;
      readonly values: readonly (readonly [name: string, value: string])[];
    }
  /** `hostname` is the client's name as the MTA found it, or its address in brackets. */
  | { readonly kind: 'connect'; readonly hostname: string; readonly client: ClientAddress }
  | { readonly kind: 'helo'; readonly name: string }
  | ({ readonly kind: 'mail' | 'recipient' } & EnvelopeAddress)
  | { readonly kind: 'data' }
  /** The value is what follows the colon, without its last line end, folds as LF; see `Agreement.leadingSpace`. */
  | { readonly kind: 'header'; readonly name: Uint8Array; readonly value: Uint8Array }
  | { readonly kind: 'end-of-header' }
  /** A part of the body, lines ending in CRLF. */
  | { readonly kind: 'body'; readonly chunk: Uint8Array }
  /** May hold the last part of the body. */
  | { readonly kind: 'end-of-message'; readonly chunk: Uint8Array }
  /** The message in progress is given up. */
  | { readonly kind: 'abort' }
  /** An SMTP command that the MTA does not know. */
  | { readonly kind: 'unknown'; readonly line: string }
  | { readonly kind: 'quit' }
  /** The SMTP session is over; another begins on the same connection with what was negotiated (SMFIC_QUIT_NC). */
  | { readonly kind: 'quit-keeping-connection' };

/** A frame read as a command, or why it is none. */
export type CommandResult =
  | { readonly ok: true; readonly command: Command }
  | { readonly ok: false; readonly code: 'command.unknown' | 'command.malformed'; readonly explanation: string };

const codes: Readonly<Record<Command['kind'], string>> = {
  negotiate: 'O',
  macros: 'D',
  connect: 'C',
  helo: 'H',
  mail: 'M',
  recipient: 'R',
  data: 'T',
  header: 'L',
  'end-of-header': 'N',
  body: 'B',
  'end-of-message': 'E',
  abort: 'A',
  unknown: 'U',
  quit: 'Q',
  'quit-keeping-connection': 'K',
};

const macroStages: Readonly<Partial<Record<string, MacroStage>>> = {
  C: 'connect',
  H: 'helo',
  M: 'mail',
  R: 'recipient',
  T: 'data',
  L: 'header',
  N: 'end-of-header',
  B: 'body',
  E: 'end-of-message',
  U: 'unknown',
};

const families = { U: 'unknown', L: 'unix', '4': 'ipv4', '6': 'ipv6' } as const;
const familyCodes = { unknown: 'U', unix: 'L', ipv4: '4', ipv6: '6' } as const;

/** The most payload a command's frame may hold, in bytes. `maxBodyBytes` is what the two ends agreed on. */
export function maxCommandBytes(code: string, maxBodyBytes: number, limits: MilterLimits = milterLimits): number {
  if (code === codes.header) return limits.maxHeaderFrameBytes;
  return code === codes.body || code === codes['end-of-message'] ? maxBodyBytes : limits.maxTextFrameBytes;
}

/** A command as a frame. Throws MilterEncodingError for a NUL in a text or header field, or a port that is none. */
export function encodeCommand(command: Command): Buffer {
  return encodeFrame(codes[command.kind], ...payloadOf(command));
}

function payloadOf(command: Command): readonly Uint8Array[] {
  switch (command.kind) {
    case 'negotiate':
      return [encodeNumbers(command.version, command.actions, command.protocol)];
    case 'macros':
      return [Buffer.from(codes[command.stage]), ...textParts(...command.values.flat())];
    case 'connect':
      return [...textParts(command.hostname), ...clientParts(command.client)];
    case 'helo':
      return textParts(command.name);
    case 'mail':
    case 'recipient':
      return textParts(command.address, ...command.parameters);
    case 'header':
      return textParts(command.name, command.value);
    case 'body':
    case 'end-of-message':
      return [command.chunk];
    case 'unknown':
      return textParts(command.line);
    default:
      return [];
  }
}

function clientParts(client: ClientAddress): readonly Uint8Array[] {
  const family = Buffer.from(familyCodes[client.family]);
  if (client.family === 'unknown') return [family];
  const { port } = client;
  if (!Number.isInteger(port) || port < 0 || port > 0xffff) throw new MilterEncodingError(`${port} is no port`);
  return [family, Buffer.of(port >> 8, port & 0xff), ...textParts(client.address)];
}

/** Reads a frame that came from an MTA. Header fields and body chunks are views into its payload. */
export function decodeCommand({ code, payload }: Frame, limits: MilterLimits = milterLimits): CommandResult {
  const reader = new PayloadReader(payload);
  switch (code) {
    case 'O': {
      const offer = { version: reader.uint32(), actions: reader.uint32(), protocol: reader.uint32() };
      return whole(reader, { kind: 'negotiate', ...offer });
    }
    case 'D':
      return decodeMacros(reader, limits);
    case 'C':
      return decodeConnect(reader);
    case 'H':
      return whole(reader, { kind: 'helo', name: reader.text() });
    case 'M':
      return decodeAddress('mail', reader, limits);
    case 'R':
      return decodeAddress('recipient', reader, limits);
    case 'T':
      return whole(reader, { kind: 'data' });
    case 'L':
      return whole(reader, { kind: 'header', name: reader.bytes(), value: reader.bytes() });
    case 'N':
      return whole(reader, { kind: 'end-of-header' });
    case 'B':
      return { ok: true, command: { kind: 'body', chunk: payload } };
    case 'E':
      return { ok: true, command: { kind: 'end-of-message', chunk: payload } };
    case 'A':
      return whole(reader, { kind: 'abort' });
    case 'U':
      return whole(reader, { kind: 'unknown', line: reader.text() });
    case 'Q':
      return whole(reader, { kind: 'quit' });
    case 'K':
      return whole(reader, { kind: 'quit-keeping-connection' });
    default:
      return { ok: false, code: 'command.unknown', explanation: `a command ${JSON.stringify(code)} that is none` };
  }
}

function whole(reader: PayloadReader, command: Command): CommandResult {
  return reader.complete ? { ok: true, command } : malformed(command.kind, 'its payload is not of its form');
}

function malformed(kind: Command['kind'], why: string): CommandResult {
  return { ok: false, code: 'command.malformed', explanation: `the command ${codes[kind]} (${kind}): ${why}` };
}

function decodeMacros(reader: PayloadReader, limits: MilterLimits): CommandResult {
  const stage = macroStages[reader.character()];
  if (stage === undefined) return malformed('macros', 'for a stage that is none');
  const values: (readonly [string, string])[] = [];
  while (!reader.atEnd) {
    if (values.length === limits.maxMacros) return malformed('macros', `more than ${limits.maxMacros} of them`);
    values.push([reader.text(), reader.text()]);
  }
  return whole(reader, { kind: 'macros', stage, values });
}

function decodeAddress(kind: 'mail' | 'recipient', reader: PayloadReader, limits: MilterLimits): CommandResult {
  const address = reader.text();
  const parameters = reader.texts(limits.maxParameters);
  if (parameters === null) return malformed(kind, `more than ${limits.maxParameters} parameters`);
  return whole(reader, { kind, address, parameters });
}

function decodeConnect(reader: PayloadReader): CommandResult {
  const hostname = reader.text();
  const code = reader.character();
  if (!isFamilyCode(code)) return malformed('connect', 'from an address family that is none');
  const family = families[code];
  if (family === 'unknown') return whole(reader, { kind: 'connect', hostname, client: { family } });
  const port = reader.uint16();
  const text = reader.text();
  const address = family === 'ipv6' ? text.replace(/^IPv6:/i, '') : text;
  return whole(reader, { kind: 'connect', hostname, client: { family, address, port } });
}

function isFamilyCode(code: string): code is keyof typeof families {
  return Object.hasOwn(families, code);
}
