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
  /** The one that came next while this one waits. */
  next: Request | null;
}

/** Signatures made without looking for company after one that had none: looking costs a turn of the event loop. */
const unlookedAfterAlone = 15;

/**
 * Signatures that the thread pool has at a time for each of its threads: enough for the while that the event loop is busy with a
 * group of answers and with the requests that follow them.
 */
const perThread = 8;

/** Signatures that are there are handed on when no more than this many times as many are still to be made. */
const groupShare = 2;

/** And when this many are there: the pool has enough to do for as long as so many answers take. */
const maxGroup = 24;

/**
 * Signatures made one after the other where no thread makes them. A signature leaves little of what else is in the
 * nearest caches: many requests read, many signatures, many answers costs an eighth less than each by itself.
 */
const maxBatch = 64;

/** Bits of an RSA modulus up to which a signature is made on the spot: in less than a millisecond. */
const maxBitsAtOnce = 2048;

/**
 * Makes RSA signatures (RSASSA-PKCS1-v1_5 over SHA-256), in the thread pool or on the spot, as the load wants it.
 *
 * Several at a time keep all cores busy when the thread pool makes them. One by itself takes longer there than here:
 * waking a thread costs a third of a signature. So one request waits until a second comes or the event loop has seen all that
 * came in with it; one that is alone then is signed at once, and so are the next few. The pool has no more than eight for each
 * thread, since file access goes through the same threads: it waits for as long as eight signatures take. The others wait their
 * turn here.
 *
 * Where many are asked for, those that the threads have made are handed on in groups of a third of all, or 24: many
 * answers in a row, and then many requests that come in together, cost a fifth less, signatures included, than each by
 * itself, whose code comes from farther caches every time. Nobody waits for a signature that takes long.
 */
export class SigningPool {
  /** How many may be in the pool; 0 when all are made on the spot. */
  readonly #maxInThreads: number;
  readonly #signInThread: SignInThread;
  /** Those that wait, each with the next one: one that is taken is kept by nobody, however long others wait. */
  #first: Request | null = null;
  #last: Request | null = null;
  #waiting = 0;
  #inThreads = 0;
  /** How many of those in threads take long. */
  #longInThreads = 0;
  /** Hands on a signature, or why there is none, for each that a thread has made. */
  #made: (() => void)[] = [];
  #isScheduled = false;
  /** How many of the next requests are taken to be alone. */
  #unlooked = 0;

  /**
   * @param cores with one, no signature is made in a thread: those that come in one turn of the event loop are made in a batch.
   * @param threads how many the thread pool has.
   */
  constructor(
    cores: number = availableParallelism(),
    threads: number = poolThreads(),
    signInThread: SignInThread = signInLibuvThread,
  ) {
    this.#maxInThreads = cores === 1 ? 0 : threads * perThread;
    this.#signInThread = signInThread;
  }

  sign(data: Uint8Array, key: RsaKey): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const request: Request = { data, key, resolve, reject, next: null };
      if (this.#unlooked > 0 && this.#isIdle() && !takesLong(key)) {
        this.#unlooked--;
        signHere(request);
      } else {
        this.#append(request);
        if (this.#inThreads > 0 || this.#isForThreads()) this.#start();
        else this.#schedule();
      }
    });
  }

  #isIdle(): boolean {
    return this.#inThreads === 0 && this.#waiting === 0;
  }

  /** Several wait, and there are threads: what else may come in this turn of the event loop is not waited for. */
  #isForThreads(): boolean {
    return this.#maxInThreads > 0 && this.#waiting > 1;
  }

  #append(request: Request): void {
    if (this.#last === null) this.#first = request;
    else this.#last.next = request;
    this.#last = request;
    this.#waiting++;
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
    const alone = this.#inThreads === 0 && this.#waiting === 1 ? this.#first : null;
    const hasThreads = this.#maxInThreads > 0;
    this.#unlooked = alone !== null && hasThreads ? unlookedAfterAlone : 0;
    if (!hasThreads || (alone !== null && !takesLong(alone.key))) {
      this.#signBatch();
      return;
    }
    while (this.#inThreads < this.#maxInThreads) {
      const request = this.#take();
      if (request === null) return;
      this.#hand(request);
    }
  }

  /** A batch for each turn of the event loop, so that everything else goes on; a long signature is one by itself. */
  #signBatch(): void {
    for (let room = maxBatch; room > 0;) {
      const request = this.#take();
      if (request === null) return;
      room -= takesLong(request.key) ? maxBatch : 1;
      signHere(request);
    }
    if (this.#waiting > 0) this.#schedule();
  }

  #take(): Request | null {
    const request = this.#first;
    if (request === null) return null;
    this.#first = request.next;
    if (this.#first === null) this.#last = null;
    request.next = null;
    this.#waiting--;
    return request;
  }

  #hand({ data, key, resolve, reject }: Request): void {
    const long = takesLong(key) ? 1 : 0;
    this.#inThreads++;
    this.#longInThreads += long;
    try {
      this.#signInThread(data, key.key, (error, signature) => {
        this.#inThreads--;
        this.#longInThreads -= long;
        this.#made.push(() => (error === null ? resolve(signature) : reject(error)));
        this.#start();
        const toMake = this.#waiting + this.#inThreads;
        const isGroup = this.#made.length >= Math.min(maxGroup, toMake / groupShare);
        if (isGroup || this.#longInThreads > 0) this.#handOn();
      });
    } catch (error) {
      this.#inThreads--;
      this.#longInThreads -= long;
      reject(error);
    }
  }

  #handOn(): void {
    const made = this.#made;
    this.#made = [];
    for (const settle of made) settle();
  }
}

function takesLong(key: RsaKey): boolean {
  return key.bits > maxBitsAtOnce;
}

/** Threads of libuv's pool: as the environment says, or its default. */
function poolThreads(): number {
  const given = Number(process.env['UV_THREADPOOL_SIZE']);
  return given >= 1 ? Math.floor(given) : 4;
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
