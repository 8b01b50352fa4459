import { createHmac, hkdfSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createUserHash } from './user-hash.ts';

const ROOT = Buffer.alloc(32, 7);

describe('hashes of user ids (TW-12)', () => {
  it('are h1: and 16 bytes of HMAC-SHA-256 under a key derived from the root', () => {
    const key = Buffer.from(hkdfSync('sha256', ROOT, '', 'tallygate user ids 1', 32));
    const digest = createHmac('sha256', key).update('ada').digest().subarray(0, 16);
    expect(createUserHash(ROOT).stored('ada')).toBe(`h1:${digest.toString('base64url')}`);
  });

  it('are the same for the same id, other for another id or another installation', () => {
    const { stored } = createUserHash(ROOT);
    expect(createUserHash(Buffer.from(ROOT)).stored('ada')).toBe(stored('ada'));
    expect(stored('Ada')).not.toBe(stored('ada'));
    expect(createUserHash(Buffer.alloc(32, 8)).stored('ada')).not.toBe(stored('ada'));
  });

  it('are found by the id and by themselves, and a client cannot pass a hash off as its id', () => {
    const { stored, sought } = createUserHash(ROOT);
    const hash = stored('ada');
    expect([sought('ada'), sought(hash)]).toEqual([hash, hash]);
    expect(stored(hash)).not.toBe(hash);
  });

  it('never meet, hold nothing of the id, and have one form whatever the id is', () => {
    const { stored } = createUserHash(ROOT);
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(stored(a)).toMatch(/^h1:[A-Za-z0-9_-]{22}$/);
        expect(stored(a) === stored(b)).toBe(a === b);
        if (a.length > 6) expect(stored(a)).not.toContain(a);
      }),
    );
  });
});
