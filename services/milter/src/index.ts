export { SocketError } from './listen-address.ts';
export type { ListenAddress } from './listen-address.ts';
export type { MailRules } from '@zegel/mail-flow';
export { runMilter } from './run-milter.ts';
export { startMilter } from './start.ts';
export type { Milter, MilterSettings } from './start.ts';
