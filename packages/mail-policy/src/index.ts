export { directionCodes, dispositionCodes, refusalCodes, submitterCodes } from './codes.ts';
export type { DirectionCode, DispositionCode, RefusalCode, SubmitterCode } from './codes.ts';
export { decideDirection } from './direction.ts';
export type { DirectionDecision, OutboundPolicy } from './direction.ts';
export { decideDisposition, defaultInboundPolicy } from './disposition.ts';
export type { Disposition, InboundPolicy, PolicyOverride } from './disposition.ts';
export { createKeySet } from './key-set.ts';
export { createLoginMap, loginKeys, noLoginMap } from './login-map.ts';
export { formatNetwork, parseNetwork } from './network.ts';
export { defaultRefusalPolicy, onRefusal, refusalGroups } from './refusal.ts';
export type { RefusalAction, RefusalDecision, RefusalGroup, RefusalPolicy } from './refusal.ts';
export type { SmtpReply } from './reply.ts';
export type { ListenerMode, MailSession } from './session.ts';
export { SigningTableError, createSigningTable, parseAuthorPattern } from './signing-table.ts';
export type {
  AdditionalSigning,
  RuledPlan,
  RuledSigningTable,
  SigningRule,
  SigningTablePolicy,
} from './signing-table.ts';
export { findSubmitter } from './submitter.ts';
export type { FoundSubmitter, LoginMap, SubmitterPolicy } from './submitter.ts';
