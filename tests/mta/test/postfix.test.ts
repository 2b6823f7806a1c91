import { beforeAll, describe } from 'vitest';
import { startMailSystem } from '../src/mail-system.ts';
import type { MailSystem } from '../src/mail-system.ts';
import { startPostfix } from '../src/postfix.ts';
import { describeInbound } from './inbound.ts';
import { describeOutage } from './outage.ts';
import { describeOutbound } from './outbound.ts';

let system: MailSystem;

beforeAll(async () => {
  system = await startMailSystem(startPostfix, 'postfix');
  return () => system[Symbol.asyncDispose]();
});

describe('Postfix, mail that goes out', () => {
  describeOutbound(() => system, true);
});
describe('Postfix, mail that comes in', () => {
  describeInbound(() => system, 'postfix');
});
describe('Postfix, when Zegel is killed', () => {
  describeOutage(() => system);
});
