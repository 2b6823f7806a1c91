import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { SpfCase } from './case.ts';

/** What pyspf says; `detail` is its explanation of an error. */
export interface PyspfAnswer {
  readonly result: string;
  readonly detail: string;
}

/** pyspf in one process. It answers in order. */
export interface Pyspf extends AsyncDisposable {
  readonly version: string;
  check(subject: PyspfCase): Promise<PyspfAnswer>;
  /** Checks `count` times; answers the seconds of processor time that its process took. */
  time(count: number, subject: PyspfCase): Promise<number>;
}

/** What it is given of a case. */
export type PyspfCase = Pick<SpfCase, 'dns' | 'ip' | 'helo' | 'mailFrom'>;

const program = path.join(import.meta.dirname, '../../peers/pyspf.py');

/** Starts pyspf. Rejects, naming the Debian packages it needs, when it cannot run here. */
export async function startPyspf(): Promise<Pyspf> {
  const child = spawn('/usr/bin/python3', [program], {
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', LC_ALL: 'C.UTF-8' },
    stdio: 'pipe',
  });
  // A write to a process that has just died is no event of its own: its end is, below.
  child.stdin.on('error', () => {});
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints = (complaints + text).slice(-10_000)));
  const waiting: PromiseWithResolvers<unknown>[] = [];
  let ended: Error | undefined;
  const fail = (why: string): void => {
    ended = new Error(
      `pyspf ${why}:\n${complaints}\nIt needs: apt-get install -y --no-install-recommends python3-spf python3-dns`,
    );
    for (const { reject } of waiting.splice(0)) reject(ended);
  };
  child.once('error', (error) => fail(error.message));
  child.once('close', (status, signal) => fail(`ended with status ${status}, signal ${signal}`));
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.resolve(JSON.parse(line)));
  const answer = <Answer>(): Promise<Answer> => {
    if (ended !== undefined) throw ended;
    const promise = Promise.withResolvers<unknown>();
    waiting.push(promise);
    return promise.promise as Promise<Answer>;
  };

  const ask = <Answer>({ dns, ip, helo, mailFrom }: PyspfCase, more: object = {}): Promise<Answer> => {
    const answered = answer<Answer>();
    child.stdin.write(`${JSON.stringify({ dns, ip, helo, mailFrom, ...more })}\n`);
    return answered;
  };

  const { version } = await answer<{ version: string }>();
  return {
    version,
    check: (subject) => ask<PyspfAnswer>(subject),
    async time(count, subject) {
      const { seconds } = await ask<{ seconds: number }>(subject, { count });
      return seconds;
    },
    [Symbol.asyncDispose]: async () => {
      if (ended !== undefined) return;
      const closed = once(child, 'close');
      child.stdin.end();
      await closed;
    },
  };
}
