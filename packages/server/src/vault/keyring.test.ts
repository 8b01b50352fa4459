import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Secret } from '../kernel/secret.ts';
import { createVault } from './aes-vault.ts';
import { createDataKey, type DataKey, Keyring, unwrapDataKey, wrapDataKey } from './keyring.ts';

const AT = { table: 'account', row: 'a1', column: 'credential' };
const master = createVault(Buffer.alloc(32, 1));
const other = createVault(Buffer.alloc(32, 2));
const keyAt = (nowMs: number): DataKey => createDataKey(randomBytes, { nowMs, newestMs: 0 });
const ring = (...keys: [DataKey, ...DataKey[]]): Keyring => new Keyring(master, keys, randomBytes);

describe('data keys (CF-13)', () => {
  it('are 32 random bytes under a random name', () => {
    const sizes: number[] = [];
    const made = createDataKey(
      (size) => {
        sizes.push(size);
        return Buffer.alloc(size, 5);
      },
      { nowMs: 7, newestMs: 0 },
    );
    expect(sizes).toEqual([8, 32]);
    expect(made).toEqual({ id: '05'.repeat(8), key: Buffer.alloc(32, 5), createdAtMs: 7 });
    expect(keyAt(1).id).not.toBe(keyAt(1).id);
  });

  it.each([
    [100, 0, 100],
    [100, 99, 100],
    [100, 100, 101],
    [100, 5_000, 5_001],
  ])(
    'are newer than every other one, whatever the clock says: %i after %i is %i',
    (nowMs, newestMs, expected) => {
      expect(createDataKey(randomBytes, { nowMs, newestMs }).createdAtMs).toBe(expected);
    },
  );

  it('are stored wrapped: nothing of the key is in the row, and its master key is named', () => {
    const key = keyAt(3);
    const row = wrapDataKey(master, key);
    expect(row).toMatchObject({ id: key.id, masterKeyId: master.keyId, createdAtMs: 3 });
    for (const form of ['hex', 'base64', 'base64url'] as const)
      expect(JSON.stringify(row)).not.toContain(key.key.toString(form));
    expect(unwrapDataKey(master, row)).toEqual(key);
  });

  it('do not unwrap under another name, with another master key, or changed', () => {
    const [one, two] = [wrapDataKey(master, keyAt(1)), wrapDataKey(master, keyAt(2))];
    expect(() => unwrapDataKey(master, { ...one, id: two.id })).toThrow(/changed or belongs to another row/);
    expect(() => unwrapDataKey(master, { ...one, wrapped: two.wrapped })).toThrow(/changed/);
    expect(() => unwrapDataKey(other, one)).toThrow(other.keyId);
    expect(() => unwrapDataKey(master, { ...one, wrapped: `${one.wrapped.slice(0, -3)}AAA` })).toThrow(
      /changed/,
    );
  });

  it('have a length: a wrapped text of another one is no key', () => {
    for (const bytes of [0, 16, 31, 33]) {
      const row = wrapDataKey(master, { ...keyAt(1), key: Buffer.alloc(bytes) });
      expect(() => unwrapDataKey(master, row)).toThrow(/wrong length/);
    }
  });
});

describe('the keyring (CF-13)', () => {
  it('seals with the newest key, whatever the order it learnt them in', () => {
    const [a, b, c] = [keyAt(10), keyAt(30), keyAt(20)];
    for (const keys of [
      [a, b, c],
      [b, c, a],
      [c, a, b],
    ] as [DataKey, ...DataKey[]][]) {
      const keyring = ring(...keys);
      expect(keyring.activeKeyId).toBe(b.id);
      expect(keyring.seal(new Secret('x'), AT)).toMatch(new RegExp(`^tgv2\\.${b.id}\\.`));
      expect(keyring.keys().map(({ id }) => id)).toEqual([a.id, c.id, b.id]);
    }
  });

  it('opens with every key it knows, and names the one it does not', () => {
    const [a, b] = [keyAt(10), keyAt(20)];
    const sealed = ring(a).seal(new Secret('old'), AT);
    const keyring = ring(b);
    expect(() => keyring.open(sealed, AT)).toThrow(new RegExp(`data key ${a.id}, which is not here`));
    keyring.add(a);
    expect(keyring.activeKeyId).toBe(b.id); // learning an old one changes nothing about sealing
    expect(keyring.open(sealed, AT).reveal()).toBe('old');
  });

  it('takes a key that is newer for sealing from then on, and what was sealed before still opens', () => {
    const keyring = ring(keyAt(10));
    const before = keyring.seal(new Secret('before'), AT);
    expect(keyring.isCurrent(before)).toBe(true);
    keyring.add(keyAt(20));
    expect(keyring.isCurrent(before)).toBe(false);
    expect(keyring.open(before, AT).reveal()).toBe('before');
    expect(keyring.isCurrent(keyring.seal(new Secret('after'), AT))).toBe(true);
  });

  it('does not open one key’s value with another key of the same name', () => {
    const key = keyAt(10);
    const sealed = ring(key).seal(new Secret('x'), AT);
    expect(() => ring({ ...key, key: randomBytes(32) }).open(sealed, AT)).toThrow(/changed/);
  });

  it('opens what the master key itself sealed, before there were data keys, and calls it old', () => {
    const key = keyAt(10);
    const sealed = master.seal(new Secret('very old'), AT);
    expect(ring(key).open(sealed, AT).reveal()).toBe('very old');
    expect(ring(key).isCurrent(sealed)).toBe(false);
    expect(() => ring(key).open(other.seal(new Secret('x'), AT), AT)).toThrow(other.keyId);
    // A text of the one format under the name of a key of the other is neither.
    const disguised = sealed.replace(`tgv1.${master.keyId}`, `tgv2.${key.id}`);
    expect(() => ring(key).open(disguised, AT)).toThrow(/changed/);
  });

  it.each(['', 'sk-ant-readable', 'tgv2.', 'tgv9.0011223344556677.AAAA'])(
    'takes %j for no sealed value',
    (text) => {
      expect(() => ring(keyAt(1)).open(text, AT)).toThrow(/not a sealed value/);
      expect(ring(keyAt(1)).isCurrent(text)).toBe(false);
    },
  );

  it('keeps its data keys when the master key is replaced, and unwraps with the new one alone', () => {
    const key = keyAt(10);
    const keyring = ring(key);
    const sealed = keyring.seal(new Secret('x'), AT);
    const fresh = keyAt(20);
    keyring.replaceMaster(other);
    expect([keyring.masterKeyId, keyring.activeKeyId]).toEqual([other.keyId, key.id]);
    expect(keyring.open(sealed, AT).reveal()).toBe('x');
    expect(keyring.unwrap(wrapDataKey(other, fresh))).toEqual(fresh);
    expect(() => keyring.unwrap(wrapDataKey(master, fresh))).toThrow(master.keyId);
  });

  it('is of no use for another place', () => {
    const keyring = ring(keyAt(1));
    const sealed = keyring.seal(new Secret('x'), AT);
    expect(() => keyring.open(sealed, { ...AT, row: 'a2' })).toThrow(/another row/);
  });
});
