import type { MailRules } from '@zegel/mail-flow';
import type { ServiceContext } from '@zegel/service-runtime';
import { AwaitedAnswers } from './awaited-answers.ts';
import type { AnswerLimits } from './awaited-answers.ts';
import { Connections } from './connections.ts';
import { milterServiceLimits } from './limits.ts';
import { openListener } from './listener.ts';
import type { ListenSettings, MilterListener } from './listener.ts';

export interface MilterSettings {
  readonly listen: readonly ListenSettings[];
  /** Connections served at one time, over all listeners. */
  readonly maxConnections: number;
  /** Milliseconds that an MTA may be silent between messages, and inside one. */
  readonly idleMs: number;
  readonly commandMs: number;
  /** Default: those of limits.ts. */
  readonly answerLimits?: AnswerLimits;
}

/** A milter that listens. Dispose to stop: messages in progress are finished first. */
export interface Milter extends AsyncDisposable {
  readonly listeners: readonly Pick<MilterListener, 'address' | 'mode'>[];
}

/**
 * Opens all listeners. Each message asks for the `rules` it goes by when it begins. Rejects when one cannot be opened;
 * see `listenAt`. Those that are open are closed then.
 */
export async function startMilter(
  { logger, telemetry }: Pick<ServiceContext, 'logger' | 'telemetry'>,
  settings: MilterSettings,
  rules: () => MailRules,
): Promise<Milter> {
  const { instruments } = telemetry;
  await using opened = new AsyncDisposableStack();
  const answers = opened.use(new AwaitedAnswers(settings.answerLimits));
  const connections = new Connections({
    maxConnections: settings.maxConnections,
    maxWaiting: milterServiceLimits.maxWaitingConnections,
    waitMs: milterServiceLimits.waitingMs,
  });
  opened.use(instruments.observeMilterConnections(() => ({ open: connections.open, waiting: connections.waiting })));
  opened.defer(() => connections.stop());
  const ground = { rules, answers, instruments, logger };
  const { idleMs, commandMs } = settings;
  const listeners: MilterListener[] = [];
  for (const listen of settings.listen) {
    listeners.push(opened.use(await openListener({ ...listen, idleMs, commandMs }, connections, ground)));
  }
  const resources = opened.move();
  return {
    listeners,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
