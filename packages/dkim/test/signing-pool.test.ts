import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { SigningPool } from '../src/signing-pool.ts';
import type { RsaKey } from '../src/signing-pool.ts';

const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 });
const key = { key: rsa.privateKey, bits: 1024 };
const wrongKey = { key: rsa.publicKey, bits: 1024 };
const data = (index: number): Buffer => Buffer.from(`message ${index}`);

/** A pool of three threads, and how many signatures they were given, made, and had at a time. */
function countingPool(cores: number, threads = 3) {
  const count = { inThreads: 0, most: 0, made: 0 };
  const pool = new SigningPool(cores, threads, (bytes, key, done) => {
    count.inThreads++;
    count.most = Math.max(count.most, count.inThreads);
    sign('sha256', bytes, key, (error, signature) => {
      count.inThreads--;
      count.made++;
      done(error, signature);
    });
  });
  return { pool, count };
}

/** A pool of one thread that makes a signature when it is told to, and the numbers of those that were handed on. */
function toldPool() {
  const toMake: (() => void)[] = [];
  const pool = new SigningPool(2, 1, (bytes, _key, done) => {
    toMake.push(() => done(null, Buffer.from(bytes)));
  });
  const handedOn: number[] = [];
  const ask = (index: number, signer: RsaKey = key): void => {
    void pool.sign(data(index), signer).then(() => handedOn.push(index));
  };
  const make = async (count: number): Promise<void> => {
    for (let made = 0; made < count; made++) toMake.shift()?.();
    await setImmediate();
  };
  return { ask, make, handedOn };
}

async function signAll(pool: SigningPool, total: number): Promise<void> {
  const signatures = await Promise.all(Array.from({ length: total }, (_, index) => pool.sign(data(index), key)));
  for (const [index, signature] of signatures.entries()) {
    expect(verify('sha256', data(index), rsa.publicKey, signature)).toBe(true);
  }
}

describe('RSA signatures', () => {
  it('are made in threads when there are several, eight for each thread at a time', async () => {
    const { pool, count } = countingPool(2);
    await signAll(pool, 50);
    expect(count).toEqual({ inThreads: 0, most: 24, made: 50 });
  });

  it('are handed on in groups, when half as many are there as are still to be made', async () => {
    const { ask, make, handedOn } = toldPool();
    for (let index = 1; index <= 12; index++) ask(index);
    await make(3);
    expect(handedOn).toEqual([]);
    await make(1);
    expect(handedOn).toEqual([1, 2, 3, 4]);
    await make(3);
    expect(handedOn).toHaveLength(7);
    await make(2);
    expect(handedOn).toHaveLength(9);
    await make(1);
    expect(handedOn).toHaveLength(10);
    await make(2);
    expect(handedOn).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  it('are handed on two dozen at a time, however many are asked for', async () => {
    const { ask, make, handedOn } = toldPool();
    for (let index = 1; index <= 200; index++) ask(index);
    await make(8);
    await make(8);
    await make(7);
    expect(handedOn).toEqual([]);
    await make(1);
    expect(handedOn).toHaveLength(24);
  });

  it('do not wait for one that takes long', async () => {
    const { ask, make, handedOn } = toldPool();
    for (let index = 1; index <= 6; index++) ask(index);
    ask(7, { ...key, bits: 4096 });
    await make(1);
    expect(handedOn).toEqual([1]);
  });

  it('begin with the second that comes, without a look at what else does', () => {
    const { pool, count } = countingPool(2);
    const signed = [pool.sign(data(0), key)];
    expect(count.inThreads).toBe(0);
    signed.push(pool.sign(data(1), key));
    expect(count.inThreads).toBe(2);
    return Promise.all(signed);
  });

  it('are made on the spot one by one', async () => {
    const { pool, count } = countingPool(2);
    for (let turn = 0; turn < 20; turn++) await signAll(pool, 1);
    expect(count.made).toBe(0);
    // Company is noticed after a few.
    await signAll(pool, 50);
    expect(count.made).toBeGreaterThan(30);
  });

  it('are made in a thread when they take long, alone or not', async () => {
    const { pool, count } = countingPool(2);
    const long = generateKeyPairSync('rsa', { modulusLength: 3072 });
    const signature = await pool.sign(data(0), { key: long.privateKey, bits: 3072 });
    expect(verify('sha256', data(0), long.publicKey, signature)).toBe(true);
    expect(count.made).toBe(1);
  });

  it('are made on the spot where there is one core', async () => {
    const { pool, count } = countingPool(1);
    await signAll(pool, 5);
    expect(count.made).toBe(0);
  });

  it('are made in batches where there is one core, and everything else goes on between them', async () => {
    const { pool } = countingPool(1);
    const made: number[] = [];
    const all = Promise.all(
      Array.from({ length: 150 }, async (_, index) => {
        await pool.sign(data(index), key);
        made.push(index);
      }),
    );
    const seen: number[] = [];
    while (made.length < 150) {
      await setImmediate();
      seen.push(made.length);
    }
    await all;
    expect([...new Set(seen)].filter((count) => count > 0)).toEqual([64, 128, 150]);
  });

  it('that take long are batches by themselves', async () => {
    const { pool } = countingPool(1);
    const long = generateKeyPairSync('rsa', { modulusLength: 3072 });
    let made = 0;
    const signed = Array.from({ length: 3 }, async () => {
      await pool.sign(data(0), { key: long.privateKey, bits: 3072 });
      made++;
    });
    await Promise.race(signed);
    expect(made).toBe(1);
    await Promise.all(signed);
  });

  it('that come while others are made are made too', async () => {
    const { pool, count } = countingPool(2);
    await Promise.all([signAll(pool, 3), signAll(pool, 1).then(() => signAll(pool, 4)), signAll(pool, 2)]);
    expect(count.inThreads).toBe(0);
  });

  it('that are made are let go, however long others wait', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const held: (() => void)[] = [];
    const pool = new SigningPool(2, 1, (bytes, _key, done) => void held.push(() => done(null, Buffer.from(bytes))));
    const sign = (bytes: Buffer): WeakRef<Buffer> => {
      void pool.sign(bytes, key);
      return new WeakRef(bytes);
    };
    const early = Array.from({ length: 20 }, () => sign(Buffer.alloc(10_000)));
    await setImmediate();
    for (let made = 0; made < 100; made++) {
      sign(Buffer.alloc(10_000));
      held.shift()?.();
      // What a WeakRef was asked for in this turn is kept to its end.
      await setImmediate();
    }
    collect();
    expect(early.filter((one) => one.deref() !== undefined)).toEqual([]);
  });

  it('fail by themselves: the others are made', async () => {
    const { pool } = countingPool(2);
    const wrong = pool.sign(data(0), wrongKey);
    const right = signAll(pool, 4);
    await expect(wrong).rejects.toThrow('Invalid key object type');
    await right;
    await expect(pool.sign(data(0), wrongKey)).rejects.toThrow('Invalid key object type');
  });
});
