import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentialAt, VaultDisk } from '@tallygate/testkit/vault-disk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../kernel/secret.ts';
import { createVault } from './aes-vault.ts';
import { createDataKey, wrapDataKey } from './keyring.ts';
import { NEXT_MASTER_SETTING, openKeyring } from './open-keyring.ts';
import { createVaultKeeper, type KeeperParts } from './vault-keeper.ts';

let dir: string;
let path: string;
let disk: VaultDisk;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tallygate-keeper-'));
  path = join(dir, 'master.key');
  disk = new VaultDisk();
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A process over the disk. */
async function start(options: { env?: string; nowMs?: number; change?: Partial<KeeperParts> } = {}) {
  const parts = {
    storage: disk.storage,
    settings: disk.settingStore,
    path,
    fromEnvironment: options.env === undefined ? null : new Secret(options.env),
    nowMs: options.nowMs ?? 1_000,
    randomBytes,
  };
  const opened = await openKeyring(parts);
  const clock = { now: () => parts.nowMs };
  const keeper = createVaultKeeper({ ...parts, ...opened, clock, ...options.change });
  const put = (row: string): void => {
    disk.values.set(row, opened.keyring.seal(new Secret(`secret of ${row}`), credentialAt(row)));
  };
  const open = (row: string): string =>
    opened.keyring.open(disk.values.get(row) ?? '', credentialAt(row)).reveal();
  return { ...opened, keeper, put, open };
}

describe('what the vault says of itself (CF-13)', () => {
  it('names the keys and where they are, how many values each seals, and no key', async () => {
    const { keeper, keyring, put } = await start();
    put('r0');
    put('r1');
    expect(await keeper.status()).toEqual({
      masterKey: { id: keyring.masterKeyId, source: 'file' },
      nextMasterKeyId: null,
      dataKeys: [{ id: keyring.activeKeyId, createdAtMs: 1_000, active: true, values: 3 }],
      otherValues: 0,
      job: null,
    });
    const text = JSON.stringify(await keeper.status());
    for (const form of ['hex', 'base64', 'base64url'] as const) {
      expect(text).not.toContain(readFileSync(path).toString(form));
      expect(text).not.toContain(keyring.keys()[0]?.key.toString(form));
    }
  });

  it('counts what is readable, and what was sealed before there were data keys, as other values', async () => {
    const { keeper } = await start();
    disk.values.set('plain', 'sk-readable');
    disk.values.set('old', createVault(readFileSync(path)).seal(new Secret('x'), credentialAt('old')));
    expect((await keeper.status()).otherValues).toBe(2);
  });

  it('says that the key comes from the environment', async () => {
    const { keeper } = await start({ env: randomBytes(32).toString('hex') });
    expect((await keeper.status()).masterKey.source).toBe('environment');
  });

  it('shows a rotation while it runs, how far it is, and none afterwards', async () => {
    const { keeper, put } = await start();
    for (let i = 0; i < 3; i++) put(`r${i}`);
    const seen: unknown[] = [];
    const asked: Promise<unknown>[] = [];
    disk.beforeReplace = () => {
      asked.push(keeper.status().then(({ job }) => seen.push(job)));
    };
    await keeper.rotateDataKey();
    await Promise.all(asked);
    expect(seen[0]).toMatchObject({ kind: 'data-key', total: 4 });
    expect((await keeper.status()).job).toBeNull();
  });
});

describe('what a rotation refuses (CF-13)', () => {
  it('another one beside it, of either kind, and nothing is made then', async () => {
    const { keeper, put } = await start();
    put('r0');
    const running = keeper.rotateDataKey();
    await expect(keeper.rotateDataKey()).rejects.toMatchObject({ code: 'conflict' });
    await expect(keeper.rotateMasterKey(null)).rejects.toMatchObject({ code: 'conflict' });
    await running;
    expect([disk.keys.length, readdirSync(dir)]).toEqual([2, ['master.key']]);
  });

  it('a key where the file has one, and none where the environment has', async () => {
    const inFile = await start();
    await expect(
      inFile.keeper.rotateMasterKey(new Secret(randomBytes(32).toString('hex'))),
    ).rejects.toMatchObject({
      code: 'invalid_request',
    });
    disk = new VaultDisk();
    const inEnvironment = await start({ env: randomBytes(32).toString('hex') });
    await expect(inEnvironment.keeper.rotateMasterKey(null)).rejects.toMatchObject({
      code: 'invalid_request',
    });
    for (const weak of ['', 'password', 'a'.repeat(63)])
      await expect(inEnvironment.keeper.rotateMasterKey(new Secret(weak))).rejects.toThrow(/not 32 bytes/);
    expect((await inEnvironment.keeper.status()).nextMasterKeyId).toBeNull();
  });

  it('to wrap anything with a master key that was exchanged on the disk, or is gone', async () => {
    const { keeper, keyring, put, open } = await start();
    put('r0');
    const right = readFileSync(path);
    const before = JSON.stringify([disk.keys, [...disk.values]]);
    writeFileSync(path, randomBytes(32), { mode: 0o600 });
    await expect(keeper.rotateDataKey()).rejects.toThrow(new RegExp(`Put ${keyring.masterKeyId} back`));
    await expect(keeper.rotateMasterKey(null)).rejects.toMatchObject({ code: 'conflict' });
    rmSync(path);
    await expect(keeper.rotateDataKey()).rejects.toThrow(/no master key at/);
    expect(existsSync(path)).toBe(false); // none is made in its place
    expect(JSON.stringify([disk.keys, [...disk.values]])).toBe(before);
    writeFileSync(path, right, { mode: 0o600 });
    await keeper.rotateDataKey();
    expect(open('r0')).toBe('secret of r0');
  });

  it('a new data key while a new master key waits for its start: it would not be wrapped by it', async () => {
    const [one, two] = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')];
    const { keeper } = await start({ env: one });
    const { keyId } = await keeper.rotateMasterKey(new Secret(two));
    await expect(keeper.rotateDataKey()).rejects.toThrow(new RegExp(keyId));
    expect(disk.keys).toHaveLength(2);
  });
});

describe('rotating (CF-13)', () => {
  it('a data key is in the store, wrapped, before anything is sealed with it', async () => {
    const { keeper, keyring, put } = await start();
    put('r0');
    const known: boolean[] = [];
    disk.beforeReplace = () => {
      known.push(disk.keys.some(({ id }) => id === keyring.activeKeyId));
    };
    await keeper.rotateDataKey();
    expect(known).toEqual([true, true]);
  });

  it('a data key seals nothing before the other nodes know it', async () => {
    const order: string[] = [];
    const { keeper, put } = await start({
      change: {
        untilKnown: async () => {
          order.push(`known by others, ${disk.keys.length} keys in the store`);
        },
      },
    });
    put('r0');
    disk.beforeReplace = () => void order.push('sealed');
    await keeper.rotateDataKey();
    expect(order).toEqual(['known by others, 2 keys in the store', 'sealed', 'sealed']);
  });

  it('nothing hangs on the old master key itself before it goes', async () => {
    const { keeper, open } = await start();
    const old = createVault(readFileSync(path));
    disk.values.set('r0', old.seal(new Secret('very old'), credentialAt('r0')));
    await keeper.rotateMasterKey(null);
    expect(disk.values.get('r0')).toMatch(/^tgv2\./);
    expect(open('r0')).toBe('very old');
  });

  it('a next master key that was given up for another leaves no wrapping behind', async () => {
    const keys = [0, 1, 2].map(() => randomBytes(32).toString('hex'));
    const [one = '', two = '', three = ''] = keys;
    const { keeper, put } = await start({ env: one });
    put('r0');
    const second = await keeper.rotateMasterKey(new Secret(two));
    const third = await keeper.rotateMasterKey(new Secret(three));
    expect(disk.keys.some(({ masterKeyId }) => masterKeyId === second.keyId)).toBe(false);
    expect(disk.settings.get(NEXT_MASTER_SETTING)).toBe(third.keyId);
    await expect(start({ env: two })).rejects.toThrow(third.keyId);
    expect((await start({ env: three })).open('r0')).toBe('secret of r0');
    expect(disk.settings.get(NEXT_MASTER_SETTING)).toBe('');
  });

  it('a next master key that is taken back opens nothing, and the present one everything', async () => {
    const [one, two] = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')];
    const { keeper, put } = await start({ env: one });
    put('r0');
    await expect(keeper.giveUpMasterRotation()).rejects.toMatchObject({ code: 'conflict' });
    const { keyId } = await keeper.rotateMasterKey(new Secret(two));
    disk.keys = disk.keys.filter(({ masterKeyId }) => masterKeyId === keyId); // a node that started with it this moment
    expect(await keeper.giveUpMasterRotation()).toEqual({ keyId });
    expect(disk.settings.get(NEXT_MASTER_SETTING)).toBe('');
    await expect(start({ env: two })).rejects.toThrow(/does not open/);
    expect((await start({ env: one })).open('r0')).toBe('secret of r0');
    await expect(keeper.giveUpMasterRotation()).rejects.toMatchObject({ code: 'conflict' });
    disk = new VaultDisk();
    await expect((await start()).keeper.giveUpMasterRotation()).rejects.toThrow(/is a file here/);
  });

  it('a start with the old key while a new one waits gives up nothing', async () => {
    const [one, two] = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')];
    const { keeper, put } = await start({ env: one });
    put('r0');
    const { keyId } = await keeper.rotateMasterKey(new Secret(two));
    expect((await start({ env: one })).open('r0')).toBe('secret of r0');
    expect((await start({ env: one })).notices).toEqual([]);
    expect(disk.settings.get(NEXT_MASTER_SETTING)).toBe(keyId);
    const { notices } = await start({ env: two });
    expect(notices).toEqual([expect.stringContaining(`${keyId} is in force`)]);
  });
});

describe('what a start leaves alone (CF-13)', () => {
  it('a store that an older version sealed with another master key: no data key is made for it', async () => {
    const old = createVault(randomBytes(32));
    const check = { table: 'setting', row: 'vault_check', column: 'value' };
    const sealed = old.seal(new Secret('tallygate vault check 1'), check);
    disk.settings.set('vault_check', sealed);
    const wrong = start({ env: randomBytes(32).toString('hex') });
    await expect(wrong).rejects.toThrow(new RegExp(`sealed with key ${old.keyId}`));
    expect([disk.keys, disk.settings.get('vault_check')]).toEqual([[], sealed]);
  });

  it('a retired data key that another node has sealed something with in the last moment', async () => {
    const { keeper, keyring, put } = await start();
    const old = keyring.keys()[0];
    if (old === undefined) throw new Error('there is a key');
    put('r0');
    const late = keyring.seal(new Secret('sealed late'), credentialAt('late'));
    await keeper.rotateDataKey();
    const { listSealed } = disk.storage;
    let asked = 0;
    disk.storage.listSealed = async () => {
      asked += 1;
      if (asked === 2) disk.values.set('late', late); // after the start had sealed what it found
      return listSealed();
    };
    await start({ nowMs: 1_000 + 25 * 3_600_000 });
    expect(asked).toBe(2);
    expect(disk.keys.map(({ id }) => id)).toContain(old.id);
    disk.storage.listSealed = listSealed;
    expect((await start({ nowMs: 1_000 + 26 * 3_600_000 })).open('late')).toBe('sealed late');
    expect(disk.keys.map(({ id }) => id)).not.toContain(old.id);
  });
});

describe('data keys of other nodes (X-08)', () => {
  it('are learnt from the store, open here, and the newest one seals', async () => {
    const { keeper, keyring } = await start();
    const theirs = createDataKey(randomBytes, { nowMs: 5_000, newestMs: 1_000 });
    await disk.storage.insertDataKeys([wrapDataKey(createVault(readFileSync(path)), theirs)]);
    await keeper.follow();
    expect(keyring.activeKeyId).toBe(theirs.id);
    await keeper.follow();
    expect(keyring.keys()).toHaveLength(2);
  });

  it('wrapped by another master key are not touched, and one that was changed is refused', async () => {
    const { keeper, keyring } = await start();
    const theirs = createDataKey(randomBytes, { nowMs: 5_000, newestMs: 1_000 });
    const elsewhere = wrapDataKey(createVault(randomBytes(32)), theirs);
    await disk.storage.insertDataKeys([elsewhere]);
    await keeper.follow();
    expect(keyring.keys()).toHaveLength(1);
    await disk.storage.insertDataKeys([{ ...elsewhere, masterKeyId: keyring.masterKeyId }]);
    await expect(keeper.follow()).rejects.toThrow();
    expect(keyring.keys()).toHaveLength(1);
  });
});
