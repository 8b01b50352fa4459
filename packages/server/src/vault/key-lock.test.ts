import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createKeychainLock, type Keychain } from './keychain-lock.ts';
import { loadMasterKey } from './master-key.ts';
import { nextKeyPath, publishNextKey } from './master-key-files.ts';

let dir: string;
let path: string;
let entries: Map<string, string>;
let keychain: Keychain;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tallygate-lock-'));
  path = join(dir, 'master.key.locked');
  entries = new Map();
  keychain = {
    read: async (name) => entries.get(name) ?? null,
    write: async (name, value) => void entries.set(name, value),
  };
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const lock = () => createKeychainLock(keychain, randomBytes);
const load = (change: object = {}) => loadMasterKey({ path, fromEnvironment: null, lock: lock(), ...change });

describe('a locked master key (CF-13)', () => {
  it('is made once, in a file that opens nothing by itself', async () => {
    const made = await load();
    expect(made.source).toBe('created');
    const text = readFileSync(path, 'latin1');
    expect(text).toMatch(/^tallygate master key 1 keychain\ntgv2\./);
    for (const form of ['latin1', 'base64', 'base64url', 'hex'] as const) {
      expect(text).not.toContain(made.bytes.toString(form));
    }
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect([...entries.values()].join()).not.toContain(made.bytes.toString('base64url'));
    expect(await load()).toEqual({ bytes: made.bytes, source: 'file' });
  });

  it('takes over a key that lay readable, and leaves it where it was', async () => {
    const plainPath = join(dir, 'master.key');
    const key = randomBytes(32);
    writeFileSync(plainPath, key, { mode: 0o600 });
    const adopted = await load({ plainPath, needed: ['0011223344556677'] });
    expect([adopted.source, adopted.bytes.equals(key)]).toEqual(['adopted', true]);
    expect(readdirSync(dir).sort()).toEqual(['master.key', 'master.key.locked']);
    rmSync(plainPath);
    expect((await load({ plainPath })).bytes.equals(key)).toBe(true);
  });

  it('makes none in the place of one that is needed', async () => {
    const missing = load({ needed: ['0011223344556677'], plainPath: join(dir, 'master.key') });
    await expect(missing).rejects.toThrow(/need key 0011223344556677/);
    expect(readdirSync(dir)).toEqual([]);
  });

  it('says which entry of the keychain is gone, or was changed, or that there is no keychain', async () => {
    await load();
    const [[name = '', value = ''] = []] = entries;
    entries.set(name, randomBytes(32).toString('base64url'));
    await expect(load()).rejects.toThrow(new RegExp(`entry "${name}" of the keychain does not open`));
    entries.delete(name);
    await expect(load()).rejects.toThrow(new RegExp(`no entry "${name}"`));
    entries.set(name, value);
    keychain.read = async () => {
      throw new Error('no service answers');
    };
    await expect(load()).rejects.toThrow(/cannot be used: no service answers/);
  });

  it('is told from an unlocked one, and from damage', async () => {
    await load();
    await expect(load({ lock: undefined })).rejects.toThrow(
      /is locked. Set TALLYGATE_MASTER_KEY_SOURCE=keychain/,
    );
    writeFileSync(path, randomBytes(32), { mode: 0o600 });
    await expect(load()).rejects.toThrow(/not one that is locked by the keychain/);
    writeFileSync(path, Buffer.alloc(20_000), { mode: 0o600 });
    await expect(load()).rejects.toThrow(/is no key/);
  });

  it('is replaced whole: the next one has an entry of its own', async () => {
    const present = await load();
    const next = await load({ path: nextKeyPath(path) });
    expect(entries.size).toBe(2);
    const kept = await publishNextKey(path, 'aabb');
    expect((await load()).bytes.equals(next.bytes)).toBe(true);
    expect((await load({ path: kept })).bytes.equals(present.bytes)).toBe(true);
  });
});
