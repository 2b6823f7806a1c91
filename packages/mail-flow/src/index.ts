export { beginInbound } from './inbound.ts';
export type { MailRules } from './mail-rules.ts';
export { reversePath } from './message-run.ts';
export type { MessageOutcome, MessageRun, Outcome, RunStart } from './message-run.ts';
export { beginOutbound } from './outbound.ts';
export { runMessage } from './run-message.ts';
export type { WholeMessage, WholeOutcome } from './run-message.ts';
