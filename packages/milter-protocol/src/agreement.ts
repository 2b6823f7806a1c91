/**
 * What the two ends agree on: the MTA offers a version and two sets of bits, the filter answers with a version that is not
 * higher and with bits that are a subset. An MTA closes the connection on anything beyond its offer.
 */

/** What a filter may do to a message (SMFIF_*). */
export type Action =
  | 'add-header'
  | 'change-body'
  | 'add-recipient'
  | 'delete-recipient'
  | 'change-header'
  | 'quarantine'
  | 'change-sender'
  | 'add-recipient-with-parameters'
  | 'set-macros';

/** What an MTA tells a filter. Each can be left out (SMFIP_NO*), or told without waiting for a reply (SMFIP_NR_*). */
export type Step = 'connect' | 'helo' | 'mail' | 'recipient' | 'data' | 'unknown' | 'header' | 'end-of-header' | 'body';

/** The SMFIF_* bit of each action. */
export const actionBits: Readonly<Record<Action, number>> = {
  'add-header': 0x1,
  'change-body': 0x2,
  'add-recipient': 0x4,
  'delete-recipient': 0x8,
  'change-header': 0x10,
  quarantine: 0x20,
  'change-sender': 0x40,
  'add-recipient-with-parameters': 0x80,
  'set-macros': 0x100,
};

/** The SMFIP_NO* bit of each step: the MTA does not send it. */
export const leaveOutBits: Readonly<Record<Step, number>> = {
  connect: 0x1,
  helo: 0x2,
  mail: 0x4,
  recipient: 0x8,
  body: 0x10,
  header: 0x20,
  'end-of-header': 0x40,
  unknown: 0x100,
  data: 0x200,
};

/** The SMFIP_NR_* bit of each step: the MTA sends it and does not wait for a reply. */
export const silentBits: Readonly<Record<Step, number>> = {
  header: 0x80,
  connect: 0x1000,
  helo: 0x2000,
  mail: 0x4000,
  recipient: 0x8000,
  data: 0x1_0000,
  unknown: 0x2_0000,
  'end-of-header': 0x4_0000,
  body: 0x8_0000,
};

/** The other protocol bits: SKIP, RCPT_REJ, HDR_LEADSPC, MDS_256K, MDS_1M. */
export const featureBits = {
  skip: 0x400,
  rejectedRecipients: 0x800,
  leadingSpace: 0x10_0000,
  body256K: 0x1000_0000,
  body1M: 0x2000_0000,
} as const;

/** The version of the protocol that is spoken here, and the lowest that is understood. */
export const protocolVersion = 6;
export const lowestVersion = 2;

/** Numbers as they travel in a negotiation: SMFIF_* bits are `actions`, SMFIP_* bits are `protocol`. */
export interface Offer {
  readonly version: number;
  readonly actions: number;
  readonly protocol: number;
}

/** The stages for which a filter may name the macros it wants, in the order of their numbers on the wire. */
export const macroListStages = [
  'connect',
  'helo',
  'mail',
  'recipient',
  'data',
  'end-of-message',
  'end-of-header',
] as const;
export type MacroListStage = (typeof macroListStages)[number];

/** The macros a filter wants at a stage. It replaces the MTA's whole list; stages not named keep it. */
export interface MacroList {
  readonly stage: MacroListStage;
  /** As in `{auth_authen}` or `i`. */
  readonly names: readonly string[];
}

/** An offer as understood: what both ends go by for the rest of the connection. */
export interface Agreement {
  readonly version: number;
  readonly actions: ReadonlySet<Action>;
  /** Steps the MTA does not send, nor their macros. */
  readonly leftOut: ReadonlySet<Step>;
  /** Steps that get no reply. */
  readonly silent: ReadonlySet<Step>;
  /**
   * Header values travel exactly as they stand in the message. Without it the MTA takes one space off a value and puts
   * one before a value it inserts, so `Name:value` cannot be told from `Name: value`: nothing but the relaxed header
   * canonicalization is safe then.
   */
  readonly leadingSpace: boolean;
  /** The filter may answer a body chunk with `skip`. */
  readonly skip: boolean;
  /** Recipients that the MTA has rejected already are told too. */
  readonly rejectedRecipients: boolean;
  /** The most a body chunk may hold, in bytes: 65,535, or more when both ends want it. */
  readonly maxBodyBytes: number;
}

/** What a version and bits mean. Bits that nobody knows mean nothing. */
export function readAgreement({ version, actions, protocol }: Offer): Agreement {
  return {
    version,
    actions: chosen(actionBits, actions),
    leftOut: chosen(leaveOutBits, protocol),
    silent: chosen(silentBits, protocol),
    leadingSpace: (protocol & featureBits.leadingSpace) !== 0,
    skip: (protocol & featureBits.skip) !== 0,
    rejectedRecipients: (protocol & featureBits.rejectedRecipients) !== 0,
    maxBodyBytes: maxBodyBytes(protocol),
  };
}

function chosen<Name extends string>(table: Readonly<Record<Name, number>>, bits: number): ReadonlySet<Name> {
  return new Set(namesOf(table).filter((name) => (bits & table[name]) !== 0));
}

function namesOf<Name extends string>(table: Readonly<Record<Name, number>>): readonly Name[] {
  const names: Name[] = [];
  for (const name in table) names.push(name);
  return names;
}

function maxBodyBytes(protocol: number): number {
  if ((protocol & featureBits.body1M) !== 0) return 1024 * 1024 - 1;
  if ((protocol & featureBits.body256K) !== 0) return 256 * 1024 - 1;
  return 64 * 1024 - 1;
}

/** Every action and every protocol bit known here: what a client offers unless told otherwise. */
export const fullOffer: Offer = {
  version: protocolVersion,
  actions: Object.values(actionBits).reduce((all, bit) => all | bit, 0),
  protocol: [...Object.values(leaveOutBits), ...Object.values(silentBits), ...Object.values(featureBits)].reduce(
    (all, bit) => all | bit,
    0,
  ),
};

/** Whether the other end hears of this step at all. */
export function isSent(agreement: Agreement, step: Step): boolean {
  return !agreement.leftOut.has(step);
}

/** Whether a reply belongs to this step. */
export function isAnswered(agreement: Agreement, step: Step): boolean {
  return !agreement.silent.has(step);
}
