import { authenticate, authenticationContextSchema } from '@zegel/authentication';
import type { AuthenticationOptions } from '@zegel/authentication';
import type { ProcessMessage } from '@zegel/mail-queue';
import { editMessageStream } from '@zegel/message';
import { countReport } from '@zegel/service-runtime';
import type { Instruments, Logger } from '@zegel/service-runtime';

/** How messages are authenticated, and where that is told. */
export interface VerifierOptions extends AuthenticationOptions {
  readonly instruments: Instruments;
  readonly logger: Logger;
}

/**
 * What the worker does with a message: authenticate it as it streams from the store, then stream it once more with our
 * Authentication-Results on top and the forged ones gone. Whatever the message holds, there is an outcome.
 */
export function createProcessor(options: VerifierOptions): ProcessMessage {
  const { instruments, logger, ...core } = options;
  return async (message) => {
    const { id, session, signal } = message;
    const context = authenticationContextSchema.parse(session);
    const { report, edits } = await authenticate(message.open(), context, { ...core, signal });
    // Given up in the middle: what is missing is not the message's fault, so nothing is stored.
    signal.throwIfAborted();
    const onDone = (): void => {
      countReport(instruments, report);
      instruments.countInbound({ state: 'done' });
      const { dkim, spf, dmarc } = report;
      logger.info(
        {
          id,
          dkim: dkim.map((verdict) => verdict.code),
          spf: spf.mailFrom.code,
          dmarc: dmarc.code,
          authorDomain: dmarc.authorDomain,
          forgedRemoved: edits.remove.length,
        },
        'inbound message authenticated',
      );
    };
    return { report, result: editMessageStream(message.open(), edits), onDone };
  };
}
