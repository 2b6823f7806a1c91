import type { ReadinessReport } from '@zegel/service-runtime';

/** What the first process says to the others. */
export type Order =
  | { readonly kind: 'stop' | 'reload' }
  /** Answered by an {@link Answer} with the same number. */
  | { readonly kind: 'metrics' | 'readiness'; readonly id: number };

/** What one of the others says. */
export type Answer =
  | { readonly kind: 'started'; readonly listeners: readonly { readonly address: string; readonly mode: string }[] }
  | { readonly kind: 'failed'; readonly code: string; readonly reason: string }
  | { readonly kind: 'metrics'; readonly id: number; readonly text: string }
  | { readonly kind: 'readiness'; readonly id: number; readonly report: ReadinessReport };

/** Whether a message between processes of ours is one of these; Node itself sends others over the same channel. */
export function isAnswer(message: unknown): message is Answer {
  return hasKind(message, ['started', 'failed', 'metrics', 'readiness']);
}

export function isOrder(message: unknown): message is Order {
  return hasKind(message, ['stop', 'reload', 'metrics', 'readiness']);
}

function hasKind(message: unknown, kinds: readonly string[]): boolean {
  return (
    typeof message === 'object' &&
    message !== null &&
    'kind' in message &&
    typeof message.kind === 'string' &&
    kinds.includes(message.kind)
  );
}
