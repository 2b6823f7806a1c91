import { milterServiceLimits } from './limits.ts';
import { PassingSet } from './passing-set.ts';
import type { Passing } from './passing-set.ts';

/** A message whose end was reached and whose answer takes its time. */
interface AwaitedAnswer {
  readonly since: number;
  readonly progress: () => void;
  readonly expire: () => void;
}

export interface AnswerLimits {
  readonly progressMs: number;
  readonly answerMs: number;
}

/** An answer did not come in time. */
export class AnswerDeadlineError extends Error {
  override readonly name = 'AnswerDeadlineError';
  readonly code = 'milter.answer-deadline';
}

/**
 * The messages that wait for an answer of the core. One timer looks after all of them: it tells MTAs that work goes on, and
 * gives up what takes too long. Most answers come before it looks.
 */
export class AwaitedAnswers implements Disposable {
  readonly #limits: AnswerLimits;
  readonly #awaited = new PassingSet<AwaitedAnswer>();
  #timer: NodeJS.Timeout | null = null;

  constructor(limits: AnswerLimits = milterServiceLimits) {
    this.#limits = limits;
  }

  /** The answer; rejects with an {@link AnswerDeadlineError} when it does not come in time. */
  wait<Answer>(answer: Promise<Answer>, progress: () => void): Promise<Answer> {
    this.#timer ??= this.#watch();
    return new Promise((resolve, reject) => {
      const awaited = this.#awaited.add({
        since: performance.now(),
        progress,
        expire: () => reject(new AnswerDeadlineError('no answer within the time limit')),
      });
      void this.#pass(answer, awaited, resolve, reject);
    });
  }

  async #pass<T>(
    answer: Promise<T>,
    awaited: Passing<AwaitedAnswer>,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ): Promise<void> {
    try {
      resolve(await answer);
    } catch (error) {
      reject(error);
    } finally {
      this.#awaited.delete(awaited);
    }
  }

  /** By itself: a function knows everything that was around where it was made, and the timer stays. */
  #watch(): NodeJS.Timeout {
    return setInterval(() => this.#look(), this.#limits.progressMs).unref();
  }

  #look(): void {
    const now = performance.now();
    for (const awaited of this.#awaited.members()) {
      const { since, progress, expire } = awaited.value;
      if (now - since >= this.#limits.answerMs) {
        this.#awaited.delete(awaited);
        expire();
      } else {
        progress();
      }
    }
  }

  [Symbol.dispose](): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }
}
