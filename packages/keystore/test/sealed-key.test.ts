import { generateKeyPairSync, randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadMasterKey } from '../src/index.ts';
import { encodeParts, openPrivateKey, rewrapPrivateKey, sealPrivateKey } from '../src/sealed-key.ts';

const rejection = (code: string) => expect.objectContaining({ code });
const { privateKey } = generateKeyPairSync('ed25519');
const identity = { id: '00000000-0000-4000-8000-000000000000', domain: 'example.org', selector: 's1' };
const masterKey = await loadMasterKey({ value: randomBytes(32).toString('base64') });
const next = await loadMasterKey({ value: randomBytes(32).toString('base64') });

describe('a sealed private key', () => {
  test('opens to the key that was sealed', () => {
    const sealed = sealPrivateKey(privateKey, identity, masterKey);
    expect(openPrivateKey(sealed, identity, masterKey).equals(privateKey)).toBe(true);
  });

  test('has a data key and nonces of its own every time', () => {
    const [a, b] = [0, 1].map(() => Buffer.from(sealPrivateKey(privateKey, identity, masterKey)));
    // Version and master key id are the same; of the random rest hardly an octet is.
    const rest = [...a!.subarray(9)].filter((octet, at) => octet === b![9 + at]);
    expect(a!.subarray(0, 9)).toEqual(b!.subarray(0, 9));
    expect(rest.length).toBeLessThan(20);
  });

  test.each([
    ['id', { ...identity, id: '00000000-0000-4000-8000-000000000001' }],
    ['domain', { ...identity, domain: 'example.net' }],
    ['selector', { ...identity, selector: 's2' }],
    ['border between domain and selector', { ...identity, domain: 'example.orgs', selector: '1' }],
  ])('does not open under another %s', (_, other) => {
    const sealed = sealPrivateKey(privateKey, identity, masterKey);
    expect(() => openPrivateKey(sealed, other, masterKey)).toThrow(rejection('keystore.key-tampered'));
    expect(() => rewrapPrivateKey(sealed, other, { from: masterKey, to: next })).toThrow(
      rejection('keystore.key-tampered'),
    );
  });

  test('does not open under another master key', () => {
    const sealed = sealPrivateKey(privateKey, identity, masterKey);
    expect(() => openPrivateKey(sealed, identity, next)).toThrow(rejection('keystore.master-key-mismatch'));
  });

  test('rewrapped, opens under the new master key alone, its own ciphertext untouched', () => {
    const sealed = sealPrivateKey(privateKey, identity, masterKey);
    const rewrapped = rewrapPrivateKey(sealed, identity, { from: masterKey, to: next });
    expect(openPrivateKey(rewrapped, identity, next).equals(privateKey)).toBe(true);
    expect(() => openPrivateKey(rewrapped, identity, masterKey)).toThrow(rejection('keystore.master-key-mismatch'));
    expect(Buffer.from(rewrapped.subarray(69))).toEqual(Buffer.from(sealed.subarray(69)));
  });

  test('no changed octet opens', () => {
    const sealed = sealPrivateKey(privateKey, identity, masterKey);
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }), (at, difference) => {
        const changed = Buffer.from(sealed);
        changed.writeUInt8(changed.readUInt8(at) ^ difference, at);
        expect(() => openPrivateKey(changed, identity, masterKey)).toThrow(
          expect.objectContaining({ code: expect.stringMatching(/^keystore\.(key-tampered|master-key-mismatch)$/) }),
        );
      }),
    );
  });

  test('no other octets open', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const header = [Buffer.of(1), Buffer.from(masterKey.id, 'hex')];
        for (const sealed of [bytes, Buffer.concat([...header, bytes])]) {
          expect(() => openPrivateKey(sealed, identity, masterKey)).toThrow(
            expect.objectContaining({ code: expect.stringMatching(/^keystore\./) }),
          );
        }
      }),
    );
  });
});

test('encodeParts: no two lists of parts look the same', () => {
  const parts = fc.array(fc.string({ maxLength: 5 }), { maxLength: 4 });
  fc.assert(
    fc.property(parts, parts, (a, b) => {
      expect(encodeParts(a).equals(encodeParts(b))).toBe(JSON.stringify(a) === JSON.stringify(b));
    }),
  );
});
