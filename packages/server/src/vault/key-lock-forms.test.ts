import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type KeyLock, lockedKeyText, parseLockedKey } from './key-lock.ts';
import { createKeychainLock, type Keychain } from './keychain-lock.ts';
import { loadMasterKey, MasterKeyError, type MasterKeyOptions } from './master-key.ts';

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tallygate-forms-'));
  path = join(dir, 'master.key.locked');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A lock that turns the key round: what a lock is, without any of its secrecy. */
function turningLock(change: Partial<KeyLock> = {}): KeyLock {
  return {
    kind: 'pkcs11',
    name: 'a lock of the test',
    lock: async (key) => Buffer.from(key).reverse().toString('base64'),
    unlock: async (body) => Buffer.from(body, 'base64').reverse(),
    ...change,
  };
}
const load = (change: Partial<MasterKeyOptions> = {}) =>
  loadMasterKey({ path, fromEnvironment: null, lock: turningLock(), ...change });

describe('the text of a locked key (CF-13)', () => {
  it('says what locks it, and gives back what was locked', () => {
    for (const kind of ['keychain', 'pkcs11'] as const) {
      const text = lockedKeyText(kind, 'aa bb');
      expect(text).toBe(`tallygate master key 1 ${kind}\naa bb\n`);
      expect(parseLockedKey(text)).toEqual({ kind, body: 'aa bb' });
    }
  });

  it.each([
    '',
    'tallygate master key 1 keychain\n\n',
    'tallygate master key 1 keychain\nbody',
    'tallygate master key 1 vault\nbody\n',
    'tallygate master key 2 keychain\nbody\n',
    'tallygate master key 1 keychain body\n',
    'Tallygate master key 1 keychain\nbody\n',
    'tallygate master key 1 keychain\nbody\nmore\n',
    ' tallygate master key 1 keychain\nbody\n',
    'tallygate master key 1 keychain\r\nbody\n',
    'tallygate master key 1 keychain\nb\u00f6dy\n',
    'tallygate master key 1 keychain\nbody\n\u0000',
  ])('is nothing else: %j', (text) => expect(parseLockedKey(text)).toBeNull());
});

describe('the file of a locked key (CF-13)', () => {
  it('is made once for several that start at the same time, whatever each of them locked', async () => {
    const keys = await Promise.all(Array.from({ length: 6 }, () => load()));
    expect(new Set(keys.map(({ bytes }) => bytes.toString('hex'))).size).toBe(1);
    expect(keys.filter(({ source }) => source === 'created')).toHaveLength(1);
    expect(readdirSync(dir)).toEqual(['master.key.locked']);
  });

  it('is not made when the lock cannot be used', async () => {
    const broken = turningLock({ lock: () => Promise.reject(new MasterKeyError('the token is gone')) });
    await expect(load({ lock: broken })).rejects.toThrow('the token is gone');
    expect(readdirSync(dir)).toEqual([]);
  });

  it('holds a key of 32 bytes: what unlocks to something else is none', async () => {
    for (const bytes of [0, 16, 31, 33]) {
      writeFileSync(path, lockedKeyText('pkcs11', randomBytes(bytes).toString('base64') || '='), {
        mode: 0o600,
      });
      await expect(load()).rejects.toThrow(/is no master key/);
    }
  });

  it('belongs to its kind of lock, and a file that others read is refused before it is unlocked', async () => {
    let unlocked = 0;
    const counting = turningLock({
      unlock: async (body) => {
        unlocked += 1;
        return Buffer.from(body, 'base64').reverse();
      },
    });
    await load({ lock: counting });
    await expect(load({ lock: turningLock({ kind: 'keychain' }) })).rejects.toThrow(
      /not one that is locked by/,
    );
    chmodSync(path, 0o644);
    await expect(load({ lock: counting })).rejects.toThrow(`chmod 600 '${path}'`);
    chmodSync(path, 0o600);
    writeFileSync(path, Buffer.alloc(16 * 1024 + 1, 0x61), { mode: 0o600 });
    await expect(load({ lock: counting })).rejects.toThrow(/is no key/);
    expect(unlocked).toBe(0);
  });

  it('a plain key that others could read is not taken over', async () => {
    const plainPath = join(dir, 'master.key');
    writeFileSync(plainPath, randomBytes(32), { mode: 0o644 });
    chmodSync(plainPath, 0o644);
    await expect(load({ plainPath })).rejects.toThrow(`chmod 600 '${plainPath}'`);
    writeFileSync(plainPath, randomBytes(31), { mode: 0o600 });
    chmodSync(plainPath, 0o600);
    await expect(load({ plainPath })).rejects.toThrow(/31 bytes/);
    expect(readdirSync(dir)).toEqual(['master.key']);
  });

  it('once there is a locked one, a plain one beside it counts for nothing', async () => {
    const made = await load();
    const plainPath = join(dir, 'master.key');
    writeFileSync(plainPath, randomBytes(32), { mode: 0o600 });
    expect(await load({ plainPath })).toEqual({ bytes: made.bytes, source: 'file' });
  });
});

describe('the file of a plain key (CF-13)', () => {
  const plain = (change: Partial<MasterKeyOptions> = {}) => load({ lock: undefined, ...change });

  it('is judged by what a link leads to', async () => {
    const target = join(dir, 'elsewhere');
    const key = randomBytes(32);
    writeFileSync(target, key, { mode: 0o600 });
    symlinkSync(target, path);
    expect((await plain()).bytes.equals(key)).toBe(true);
    chmodSync(target, 0o640);
    await expect(plain()).rejects.toThrow(/other users/);
  });

  it('is made in no folder that is not there, with the reason', async () => {
    await expect(plain({ path: join(dir, 'missing', 'master.key') })).rejects.toThrow(/ENOENT/);
  });

  it('an environment that has the key wins over a file that is wrong, and leaves it as it is', async () => {
    writeFileSync(path, 'not a key', { mode: 0o644 });
    const { Secret } = await import('../kernel/secret.ts');
    const key = randomBytes(32);
    const loaded = await plain({ fromEnvironment: new Secret(key.toString('base64')), needed: ['x'] });
    expect([loaded.bytes.equals(key), loaded.source]).toEqual([true, 'environment']);
    expect(readFileSync(path, 'utf8')).toBe('not a key');
  });

  it('comes from the randomness that is given, all 32 bytes of it', async () => {
    const sizes: number[] = [];
    const made = await plain({
      randomBytes: (size) => {
        sizes.push(size);
        return Buffer.alloc(size, 0xab);
      },
    });
    expect(made.bytes).toEqual(Buffer.alloc(32, 0xab));
    expect(sizes).toContain(32);
    expect(readFileSync(path)).toEqual(Buffer.alloc(32, 0xab));
  });
});

describe('a lock in the keychain (CF-13)', () => {
  const keychainOf = (entries: Map<string, string>, change: Partial<Keychain> = {}): Keychain => ({
    read: async (name) => entries.get(name) ?? null,
    write: async (name, value) => void entries.set(name, value),
    ...change,
  });

  it('has a key of its own for each file, of 32 bytes under a random name', async () => {
    const entries = new Map<string, string>();
    const lock = createKeychainLock(keychainOf(entries), randomBytes);
    const [a, b] = [randomBytes(32), randomBytes(32)];
    const [one, two] = [await lock.lock(a), await lock.lock(b)];
    expect(entries.size).toBe(2);
    for (const [name, value] of entries) {
      expect(name).toMatch(/^master key [0-9a-f]{16}$/);
      expect(Buffer.from(value, 'base64url')).toHaveLength(32);
    }
    expect([(await lock.unlock(one)).equals(a), (await lock.unlock(two)).equals(b)]).toEqual([true, true]);
    await expect(lock.unlock(one.replace(/^(tgv2\.)[0-9a-f]{16}/, `$1${two.split('.')[1]}`))).rejects.toThrow(
      /does not open/,
    );
  });

  it('locks nothing when the keychain does not keep the key, and says where to look', async () => {
    const refusing = keychainOf(new Map(), { write: () => Promise.reject(new Error('locked collection')) });
    const lock = createKeychainLock(refusing, randomBytes);
    await expect(lock.lock(randomBytes(32))).rejects.toThrow(
      /cannot be used: locked collection.*Secret Service/,
    );
  });

  it.each([
    '',
    'not base64 at all!',
    Buffer.alloc(31).toString('base64url'),
    Buffer.alloc(33).toString('base64url'),
  ])('an entry that is no key opens nothing and is not repeated: %j', async (value) => {
    const entries = new Map<string, string>();
    const lock = createKeychainLock(keychainOf(entries), randomBytes);
    const locked = await lock.lock(randomBytes(32));
    const [name = ''] = entries.keys();
    entries.set(name, value);
    const error: unknown = await lock.unlock(locked).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(MasterKeyError);
    if (value.length > 10) expect(String(error)).not.toContain(value);
  });

  it.each(['', 'nonsense', 'tgv2.xyz.AAAA'])('a damaged file is said to be damaged: %j', async (body) => {
    const lock = createKeychainLock(keychainOf(new Map()), randomBytes);
    await expect(lock.unlock(body)).rejects.toThrow(/is damaged/);
  });
});
