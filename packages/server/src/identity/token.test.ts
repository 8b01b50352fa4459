import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createApiKey, csrfTokenOf, randomToken, sameHash, sha256Hex } from './token.ts';

describe('createApiKey (TW-05)', () => {
  it('is 256 bits of the given randomness, stored as a hash with a short prefix', () => {
    const bytes = Buffer.from(Array.from({ length: 32 }, (_, i) => i));
    const { key, prefix, hash } = createApiKey(() => bytes);
    expect(key.reveal()).toBe(`tg_${bytes.toString('base64url')}`);
    expect(prefix).toBe(key.reveal().slice(0, 10));
    expect(hash).toBe(createHash('sha256').update(key.reveal()).digest('hex'));
    expect(`${key}`).not.toContain('tg_');
  });

  it('asks for 32 fresh bytes each time', () => {
    const sizes: number[] = [];
    const keys = Array.from({ length: 50 }, () =>
      createApiKey((size) => {
        sizes.push(size);
        return randomBytes(size);
      }).key.reveal(),
    );
    expect(new Set(keys).size).toBe(50);
    expect(sizes.every((size) => size === 32)).toBe(true);
  });
});

describe('sameHash (CW-07)', () => {
  it('is equality, whatever the lengths', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii' }), fc.string({ unit: 'grapheme-ascii' }), (a, b) => {
        expect(sameHash(a, b)).toBe(a === b);
        expect(sameHash(a, a)).toBe(true);
      }),
    );
  });
});

describe('csrfTokenOf (TW-15)', () => {
  it('belongs to one session and does not give its cookie away', () => {
    const [a, b] = [randomToken(randomBytes), randomToken(randomBytes)];
    expect(csrfTokenOf(a)).toBe(csrfTokenOf(a));
    expect(csrfTokenOf(a)).not.toBe(csrfTokenOf(b));
    expect(csrfTokenOf(a)).not.toContain(a);
    expect(sha256Hex(csrfTokenOf(a))).not.toBe(sha256Hex(a));
  });
});
