/** Other implementations of ARC, each as one long-lived process. `peers/README.md` describes the protocol they speak. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';

const programs = {
  dkimpy: {
    // Debian's own interpreter: the packages do not serve another one that may come first in PATH.
    interpreter: '/usr/bin/python3',
    script: 'dkimpy.py',
    debianPackages: 'python3-dkim python3-authres',
  },
  'Mail::DKIM': {
    interpreter: '/usr/bin/perl',
    script: 'mail-dkim.pl',
    debianPackages: 'libmail-dkim-perl libmail-authenticationresults-perl',
  },
} as const;

export type PeerName = keyof typeof programs;
export const peerNames: readonly PeerName[] = ['dkimpy', 'Mail::DKIM'];

interface Answer {
  readonly id: number;
  readonly error?: string;
  readonly result?: string;
  readonly detail?: string;
  readonly fields?: string;
}

/** A peer process. Disposing of it waits until it has ended. */
export interface Peer extends AsyncDisposable {
  /** `pass`, or the peer's own words for anything else. */
  verify(message: Uint8Array): Promise<string>;
  /** The three fields of the next set. Rejects when the peer will not seal. */
  seal(message: Uint8Array): Promise<Uint8Array>;
}

/** Starts a peer. What it is asked rejects, naming the Debian packages it needs, when it cannot run here. */
export function startPeer(name: PeerName, folder: string): Peer {
  const { interpreter, script, debianPackages } = programs[name];
  const child = spawn(interpreter, [path.join(import.meta.dirname, 'peers', script), folder], {
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', LC_ALL: 'C.UTF-8' },
    stdio: 'pipe',
  });
  // A write to a peer that has just died is no event of its own: its end is, below.
  child.stdin.on('error', () => {});
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  const waiting = new Map<number, PromiseWithResolvers<Answer>>();
  let ended: Error | undefined;
  const fail = (why: string) => {
    ended = new Error(`The peer ${name} ${why}:\n${complaints}\nIt needs: apt-get install ${debianPackages}`);
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  };
  child.once('error', (error) => fail(error.message));
  child.once('close', (status, signal) => fail(`ended with status ${status}, signal ${signal}`));
  createInterface({ input: child.stdout }).on('line', (line) => {
    const answer = JSON.parse(line) as Answer;
    waiting.get(answer.id)?.resolve(answer);
    waiting.delete(answer.id);
  });

  let lastId = 0;
  const ask = (verb: 'verify' | 'seal', message: Uint8Array): Promise<Answer> => {
    if (ended !== undefined) throw ended;
    lastId += 1;
    const answer = Promise.withResolvers<Answer>();
    waiting.set(lastId, answer);
    child.stdin.write(`${verb} ${lastId} ${message.length}\n`);
    child.stdin.write(message);
    return answer.promise;
  };
  return {
    verify: async (message) => {
      const { result, detail, error } = await ask('verify', message);
      return result === 'pass' ? 'pass' : `${result ?? error} ${detail ?? ''}`;
    },
    seal: async (message) => {
      const { fields, error = 'no answer' } = await ask('seal', message);
      if (fields === undefined) throw new Error(`${name} refuses to seal: ${error.trim()}`);
      return Buffer.from(fields, 'base64');
    },
    [Symbol.asyncDispose]: async () => {
      if (ended !== undefined) return;
      const closed = once(child, 'close');
      child.stdin.end();
      await closed;
    },
  };
}
