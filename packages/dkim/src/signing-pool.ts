import { sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { availableParallelism } from 'node:os';

type SignInThread = (data: Uint8Array, key: KeyObject, done: (error: Error | null, signature: Buffer) => void) => void;

/** An RSA key, and the bits of its modulus, which decide how long a signature takes. */
export interface RsaKey {
  readonly key: KeyObject;
  readonly bits: number;
}

interface Request {
  readonly data: Uint8Array;
  readonly key: RsaKey;
  readonly resolve: (signature: Buffer) => void;
  readonly reject: (error: unknown) => void;
}

/** Signatures made without looking for company after one that had none: looking costs a turn of the event loop. */
const unlookedAfterAlone = 15;

/**
 * Signatures for each core that the thread pool has at a time. One for each would leave threads idle until the event loop,
 * busy with what else came, hears that they are done: a quarter of the signatures that could be made.
 */
const inThreadsPerCore = 4;

/** Bits of an RSA modulus up to which a signature is made on the spot: in less than a millisecond. */
const maxBitsAtOnce = 2048;

/**
 * Makes RSA signatures (RSASSA-PKCS1-v1_5 over SHA-256), in the thread pool or on the spot, as the load wants it.
 *
 * Several at a time keep all cores busy when the thread pool makes them. One by itself takes longer there than here:
 * waking a thread costs a third of a signature. So requests are gathered until the event loop has seen what came in
 * with them; one that is alone then is signed at once, and so are the next few. The pool has no more than a few at a time,
 * since file access goes through the same threads and has to wait for those before it; the others wait their turn here.
 */
export class SigningPool {
  readonly #cores: number;
  readonly #signInThread: SignInThread;
  #waiting: Request[] = [];
  /** The first of `#waiting` that is not taken yet. */
  #next = 0;
  #inThreads = 0;
  #isScheduled = false;
  /** How many of the next requests are taken to be alone. */
  #unlooked = 0;

  /** @param cores with one, no signature is made in a thread. */
  constructor(cores: number = availableParallelism(), signInThread: SignInThread = signInLibuvThread) {
    this.#cores = cores;
    this.#signInThread = signInThread;
  }

  sign(data: Uint8Array, key: RsaKey): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const request = { data, key, resolve, reject };
      if (this.#unlooked > 0 && this.#isIdle() && key.bits <= maxBitsAtOnce) {
        this.#unlooked--;
        signHere(request);
      } else {
        this.#waiting.push(request);
        if (this.#inThreads > 0) this.#start();
        else this.#schedule();
      }
    });
  }

  #isIdle(): boolean {
    return this.#inThreads === 0 && this.#waiting.length === 0;
  }

  /** Does what is waiting once the events that are there have been handled. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#start();
    });
  }

  #start(): void {
    const isAlone = this.#inThreads === 0 && this.#waiting.length - this.#next === 1;
    this.#unlooked = isAlone ? unlookedAfterAlone : 0;
    while (this.#inThreads < this.#cores * inThreadsPerCore) {
      const request = this.#take();
      if (request === undefined) return;
      if (this.#cores === 1 || (isAlone && request.key.bits <= maxBitsAtOnce)) {
        signHere(request);
        // One for each turn of the event loop, so that everything else goes on.
        if (this.#next < this.#waiting.length) this.#schedule();
        return;
      }
      this.#hand(request);
    }
  }

  #take(): Request | undefined {
    const request = this.#waiting[this.#next];
    this.#next++;
    if (this.#next >= this.#waiting.length) {
      this.#waiting = [];
      this.#next = 0;
    }
    return request;
  }

  #hand({ data, key, resolve, reject }: Request): void {
    this.#inThreads++;
    try {
      this.#signInThread(data, key.key, (error, signature) => {
        this.#inThreads--;
        if (error === null) resolve(signature);
        else reject(error);
        this.#start();
      });
    } catch (error) {
      this.#inThreads--;
      reject(error);
    }
  }
}

function signHere({ data, key, resolve, reject }: Request): void {
  try {
    resolve(sign('sha256', data, key.key));
  } catch (error) {
    reject(error);
  }
}

function signInLibuvThread(
  data: Uint8Array,
  key: KeyObject,
  done: (error: Error | null, signature: Buffer) => void,
): void {
  sign('sha256', data, key, done);
}
