/**
 * Other implementations of DKIM, each as one long-lived process that signs and verifies on request.
 * `peers/README.md` describes the protocol they speak.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { DkimAlgorithm, Implementation, SignRequest, SignatureVerdict } from './implementation.ts';
import type { SigningDomain } from './signing-domain.ts';

interface PeerProgram {
  /** Debian's own interpreter: the packages do not serve another one that may come first in PATH. */
  readonly interpreter: string;
  readonly script: string;
  readonly debianPackages: readonly string[];
  /** What its version in Debian 12 knows; a newer one may say more. */
  readonly knows: readonly DkimAlgorithm[];
}

export const peerPrograms = {
  dkimpy: {
    interpreter: '/usr/bin/python3',
    script: 'dkimpy.py',
    debianPackages: ['python3-dkim', 'python3-nacl'],
    knows: ['rsa-sha256', 'ed25519-sha256'],
  },
  'Mail::DKIM': {
    interpreter: '/usr/bin/perl',
    script: 'mail-dkim.pl',
    debianPackages: ['libmail-dkim-perl'],
    knows: ['rsa-sha256'],
  },
  libopendkim: {
    interpreter: '/usr/bin/python3',
    script: 'libopendkim.py',
    debianPackages: ['libopendkim11'],
    knows: ['rsa-sha256', 'ed25519-sha256'],
  },
} as const satisfies Record<string, PeerProgram>;

export type PeerName = keyof typeof peerPrograms;
export const peerNames: readonly PeerName[] = ['dkimpy', 'Mail::DKIM', 'libopendkim'];

/** A peer process. Disposing of it waits until it has ended. */
export interface Peer extends Implementation, AsyncDisposable {
  /**
   * Verifies the message `count` times, or signs it with one algorithm, and answers the seconds of processor time that the
   * peer's process took. Rejects when the message is refused.
   */
  time(count: number, wire: Buffer, request: 'verify' | SignRequest): Promise<number>;
}

interface Answer {
  readonly id: number;
  readonly error?: string;
  readonly results?: readonly SignatureVerdict[];
  readonly field?: string;
  readonly seconds?: number;
}

/** Starts a peer. Rejects, naming the Debian packages it needs, when it cannot run here. */
export async function startPeer(name: PeerName, signingDomain: SigningDomain): Promise<Peer> {
  const { interpreter, script, debianPackages } = peerPrograms[name];
  const file = path.join(import.meta.dirname, '../peers', script);
  // A peer reads until its stdin ends, so it goes when this process goes, however that ends.
  const child = spawn(interpreter, [file, signingDomain.folder], {
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', LC_ALL: 'C.UTF-8' },
    stdio: 'pipe',
  });
  // A write to a peer that has just died is no event of its own: its end is, below.
  child.stdin.on('error', () => {});
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));

  const waiting = new Map<number, PromiseWithResolvers<Answer>>();
  const greeting = Promise.withResolvers<string>();
  let ended: Error | undefined;
  const fail = (why: string) => {
    ended = new Error(
      `The peer ${name} (${interpreter} ${script}) ${why}:\n${complaints}\n` +
        `It needs these Debian packages: apt-get install -y --no-install-recommends ${debianPackages.join(' ')}`,
    );
    greeting.reject(ended);
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  };
  child.once('error', (error) => fail(error.message));
  child.once('close', (status, signal) => fail(`ended with status ${status}, signal ${signal}`));
  let greeted = false;
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (!greeted) {
      greeted = true;
      greeting.resolve(line);
      return;
    }
    const answer = JSON.parse(line) as Answer;
    waiting.get(answer.id)?.resolve(answer);
    waiting.delete(answer.id);
  });

  let lastId = 0;
  const ask = (
    verb: 'sign' | 'verify' | 'time',
    message: Uint8Array,
    parameters: readonly string[],
  ): Promise<Answer> => {
    if (ended !== undefined) throw ended;
    lastId += 1;
    const answer = Promise.withResolvers<Answer>();
    waiting.set(lastId, answer);
    child.stdin.write(`${[verb, lastId, message.length, ...parameters].join(' ')}\n`);
    child.stdin.write(message);
    return answer.promise;
  };

  const signParameters = (wire: Buffer, algorithm: DkimAlgorithm, request: SignRequest): readonly string[] => {
    const { domain, selectors } = signingDomain;
    return [algorithm, request.canonicalization, selectors[algorithm], domain, signedFields(wire).join(':')];
  };

  const { version, algorithms } = JSON.parse(await greeting.promise) as Pick<Implementation, 'version' | 'algorithms'>;
  return {
    name,
    version,
    algorithms,
    verify: async (wire) => {
      const { results, error = 'no answer' } = await ask('verify', wire, []);
      if (results === undefined) throw new Error(`${name} refuses to verify: ${error.trim()}`);
      return results;
    },
    sign: async ({ wire }, request) => {
      const signatures = request.algorithms.map(async (algorithm) => {
        const { field, error = 'no answer' } = await ask('sign', wire, signParameters(wire, algorithm, request));
        if (field === undefined) throw new Error(`${name} refuses to sign: ${error.trim()}`);
        return Buffer.from(field, 'base64');
      });
      return Buffer.concat(await Promise.all(signatures));
    },
    time: async (count, wire, request) => {
      const signing =
        request === 'verify' ? [] : request.algorithms.map((algorithm) => signParameters(wire, algorithm, request));
      const [parameters = []] = signing;
      const work = [String(count), request === 'verify' ? 'verify' : 'sign', ...parameters];
      const { seconds, error = 'no answer' } = await ask('time', wire, work);
      if (seconds === undefined) throw new Error(`${name} does not do it: ${error.trim()}`);
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

/**
 * The `h=` that peers are asked for: every field of the message as often as it occurs, and From once more, so that
 * none can be added (RFC 6376 §5.4.2). A name with a semicolon cannot stand in a list of tags.
 */
function signedFields(wire: Buffer): string[] {
  const endOfHeader = wire.indexOf('\r\n\r\n');
  const header = wire.subarray(0, endOfHeader < 0 ? wire.length : endOfHeader).toString('latin1');
  const names = [...header.matchAll(/^([^ \t\r\n:][^:\r\n]*?)[ \t]*:/gmu)].map(([, name = '']) => name.toLowerCase());
  return [...names.filter((name) => !name.includes(';')), 'from'];
}
