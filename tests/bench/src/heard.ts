import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** The next message of a forked process. Rejects when that ends first; `who` is its name in the error. */
export async function heard<Message>(child: ChildProcess, who: string): Promise<Message> {
  const settled = new AbortController();
  const { signal } = settled;
  try {
    const [message] = await Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit', { signal }).then(() => {
        throw new Error(`${who} ended without an answer`);
      }),
    ]);
    return message as Message;
  } finally {
    settled.abort();
  }
}
