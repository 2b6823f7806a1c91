import { beforeAll, describe } from 'vitest';
import { startMailSystem } from '../src/mail-system.ts';
import type { MailSystem } from '../src/mail-system.ts';
import { startSendmail } from '../src/sendmail.ts';
import { describeInbound } from './inbound.ts';
import { describeOutage } from './outage.ts';
import { describeOutbound } from './outbound.ts';

let system: MailSystem;

beforeAll(async () => {
  system = await startMailSystem(startSendmail, 'sendmail');
  return () => system[Symbol.asyncDispose]();
});

describe('Sendmail, mail that goes out', () => {
  describeOutbound(() => system, false);
});
describe('Sendmail, mail that comes in', () => {
  describeInbound(() => system, 'sendmail');
});
describe('Sendmail, when Zegel is killed', () => {
  describeOutage(() => system);
});
