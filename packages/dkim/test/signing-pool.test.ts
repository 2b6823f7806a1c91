import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SigningPool } from '../src/signing-pool.ts';

const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 });
const key = { key: rsa.privateKey, bits: 1024 };
const wrongKey = { key: rsa.publicKey, bits: 1024 };
const data = (index: number): Buffer => Buffer.from(`message ${index}`);

/** A pool, and how many signatures its threads have made and made at a time. */
function countingPool(cores: number) {
  const count = { inThreads: 0, most: 0, made: 0 };
  const pool = new SigningPool(cores, (bytes, key, done) => {
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

async function signAll(pool: SigningPool, total: number): Promise<void> {
  const signatures = await Promise.all(Array.from({ length: total }, (_, index) => pool.sign(data(index), key)));
  for (const [index, signature] of signatures.entries()) {
    expect(verify('sha256', data(index), rsa.publicKey, signature)).toBe(true);
  }
}

describe('RSA signatures', () => {
  it('are made in threads when there are several, four for each core at a time', async () => {
    const { pool, count } = countingPool(2);
    await signAll(pool, 50);
    expect(count).toEqual({ inThreads: 0, most: 8, made: 50 });
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

  it('that come while others are made are made too', async () => {
    const { pool, count } = countingPool(2);
    await Promise.all([signAll(pool, 3), signAll(pool, 1).then(() => signAll(pool, 4)), signAll(pool, 2)]);
    expect(count.inThreads).toBe(0);
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
