import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../kernel/secret.ts';
import { createVault } from './aes-vault.ts';
import {
  loadMasterKey,
  MasterKeyError,
  VAULT_CHECK_SETTING,
  verifyMasterKey,
  writeCheckValue,
} from './master-key.ts';

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tallygate-key-'));
  path = join(dir, 'master.key');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function settings() {
  const values = new Map<string, string>();
  return {
    values,
    getSetting: async (name: string) => values.get(name) ?? null,
    setSetting: async (name: string, value: string) => void values.set(name, value),
  };
}

describe('loadMasterKey', () => {
  it('creates 32 random bytes in a 0600 file on the first run and finds them on the second', async () => {
    const first = await loadMasterKey({ path, fromEnvironment: null });
    expect(first.source).toBe('created');
    expect(first.bytes.length).toBe(32);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const second = await loadMasterKey({ path, fromEnvironment: null });
    expect(second).toEqual({ bytes: first.bytes, source: 'file' });
    expect(readdirSync(dir)).toEqual(['master.key']);
  });

  it('makes none in the place of one that is needed, and says which', async () => {
    const missing = loadMasterKey({ path, fromEnvironment: null, needed: ['00112233aabbccdd'] });
    await expect(missing).rejects.toThrow(/no master key at .*need key 00112233aabbccdd/);
    expect(readdirSync(dir)).toEqual([]);
  });

  it('makes one key when several start at once', async () => {
    const keys = await Promise.all(
      Array.from({ length: 8 }, () => loadMasterKey({ path, fromEnvironment: null })),
    );
    expect(new Set(keys.map((key) => key.bytes.toString('hex'))).size).toBe(1);
    expect(keys.filter((key) => key.source === 'created')).toHaveLength(1);
    expect(readdirSync(dir)).toEqual(['master.key']);
  });

  it.each([0o640, 0o604, 0o660, 0o620, 0o601])(
    'refuses a file with mode %o and says what to run',
    async (mode) => {
      await loadMasterKey({ path, fromEnvironment: null });
      chmodSync(path, mode);
      await expect(loadMasterKey({ path, fromEnvironment: null })).rejects.toThrow(`chmod 600 '${path}'`);
    },
  );

  it.each([0, 31, 33, 64])('refuses a file of %i bytes and does not touch it', async (bytes) => {
    writeFileSync(path, Buffer.alloc(bytes, 1), { mode: 0o600 });
    await expect(loadMasterKey({ path, fromEnvironment: null })).rejects.toThrow(`has ${bytes} bytes`);
    expect(readFileSync(path).length).toBe(bytes);
  });

  it('refuses a folder in the place of the file', async () => {
    mkdirSync(path, { mode: 0o700 });
    await expect(loadMasterKey({ path, fromEnvironment: null })).rejects.toThrow(MasterKeyError);
  });

  const bytes = Buffer.from(Array.from({ length: 32 }, (_, index) => 255 - index));
  it.each([
    ['hex', bytes.toString('hex')],
    ['upper-case hex', bytes.toString('hex').toUpperCase()],
    ['base64', bytes.toString('base64')],
    ['base64url', bytes.toString('base64url')],
    ['with a line break', `${bytes.toString('base64')}\n`],
  ])('takes the key from the environment as %s and leaves the disk alone', async (_name, text) => {
    const key = await loadMasterKey({ path, fromEnvironment: new Secret(text) });
    expect(key).toEqual({ bytes, source: 'environment' });
    expect(readdirSync(dir)).toEqual([]);
  });

  it.each(['', 'secret', 'a'.repeat(63), 'AAAA', `${bytes.toString('base64')}AAAA`])(
    'refuses %j from the environment without repeating it',
    async (text) => {
      const error: unknown = await loadMasterKey({ path, fromEnvironment: new Secret(text) }).catch(
        (e: unknown) => e,
      );
      expect(error).toBeInstanceOf(MasterKeyError);
      expect(String(error)).toContain('openssl rand -base64 32');
      if (text.length > 6) expect(String(error)).not.toContain(text);
    },
  );
});

describe('verifyMasterKey', () => {
  it('seals a check value on the first run and accepts the same key ever after', async () => {
    const store = settings();
    const key = Buffer.alloc(32, 3);
    await verifyMasterKey(createVault(key), store, path);
    await writeCheckValue(createVault(key), store);
    const stored = store.values.get(VAULT_CHECK_SETTING);
    await verifyMasterKey(createVault(key), store, path);
    expect(store.values.get(VAULT_CHECK_SETTING)).toBe(stored);
  });

  it('refuses another key and says which one is needed and which one came', async () => {
    const store = settings();
    const right = createVault(Buffer.alloc(32, 3));
    const wrong = createVault(Buffer.alloc(32, 4));
    await writeCheckValue(right, store);
    const before = store.values.get(VAULT_CHECK_SETTING);
    const error = await verifyMasterKey(wrong, store, path).catch((e: unknown) => String(e));
    expect(error).toContain(path);
    expect(error).toContain(wrong.keyId);
    expect(error).toContain(right.keyId);
    expect(store.values.get(VAULT_CHECK_SETTING)).toBe(before);
  });

  it('refuses a check value that opens and says something else', async () => {
    const store = settings();
    const vault = createVault(Buffer.alloc(32, 3));
    const place = { table: 'setting', row: 'vault_check', column: 'value' };
    store.values.set(VAULT_CHECK_SETTING, vault.seal(new Secret('another text'), place));
    await expect(verifyMasterKey(vault, store, path)).rejects.toThrow(/not one of ours/);
  });

  it('refuses a check value that was tampered with', async () => {
    const store = settings();
    const vault = createVault(Buffer.alloc(32, 3));
    await writeCheckValue(vault, store);
    store.values.set(VAULT_CHECK_SETTING, `${store.values.get(VAULT_CHECK_SETTING)?.slice(0, -4)}AAAA`);
    await expect(verifyMasterKey(vault, store, path)).rejects.toThrow(MasterKeyError);
  });
});
