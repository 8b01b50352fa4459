import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentialAt as at, VaultDisk as Disk } from '@tallygate/testkit/vault-disk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../kernel/secret.ts';
import { createVault } from './aes-vault.ts';
import { MasterKeyError } from './master-key.ts';
import { openKeyring } from './open-keyring.ts';
import { createVaultKeeper } from './vault-keeper.ts';

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tallygate-keyring-'));
  path = join(dir, 'master.key');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A process: opens the vault over what the disk holds. */
async function start(disk: Disk, options: { env?: string; nowMs?: number } = {}) {
  disk.writesLeft = Number.POSITIVE_INFINITY;
  const parts = {
    storage: disk.storage,
    settings: disk.settingStore,
    path,
    fromEnvironment: options.env === undefined ? null : new Secret(options.env),
    nowMs: options.nowMs ?? 1_000,
    randomBytes,
  };
  const opened = await openKeyring(parts);
  const keeper = createVaultKeeper({ ...parts, ...opened, clock: { now: () => parts.nowMs } });
  const open = (row: string) => opened.keyring.open(disk.values.get(row) ?? '', at(row)).reveal();
  return { ...opened, parts, keeper, open };
}

async function withValues(count: number) {
  const disk = new Disk();
  const first = await start(disk);
  const rows = Array.from({ length: count }, (_, index) => `r${index}`);
  for (const row of rows) disk.values.set(row, first.keyring.seal(new Secret(`secret of ${row}`), at(row)));
  const expectAll = (process: { open(row: string): string }) => {
    for (const row of rows) expect(process.open(row)).toBe(`secret of ${row}`);
  };
  return { disk, first, rows, expectAll };
}

describe('opening the vault (CF-13)', () => {
  it('makes a master key and a data key once, and seals with the data key', async () => {
    const { disk, first, expectAll } = await withValues(2);
    expect(first.notices).toEqual([expect.stringContaining('Back it up')]);
    const second = await start(disk);
    expect([second.notices, disk.keys.length]).toEqual([[], 1]);
    expect(second.keyring.activeKeyId).toBe(first.keyring.activeKeyId);
    expect(disk.values.get('r0')).toMatch(new RegExp(`^tgv2\\.${first.keyring.activeKeyId}\\.`));
    expect(JSON.stringify(disk.keys)).not.toContain(first.keyring.keys()[0]?.key.toString('base64url'));
    expectAll(second);
  });

  it('opens what was sealed before there were data keys, and seals it anew', async () => {
    const disk = new Disk();
    const { keyring } = await start(disk);
    disk.keys = [];
    const old = createVault(readFileSync(path));
    disk.values.set('r0', old.seal(new Secret('old one'), at('r0')));
    const check = { table: 'setting', row: 'vault_check', column: 'value' };
    disk.settings.set('vault_check', old.seal(new Secret('tallygate vault check 1'), check));
    expect(keyring.open(disk.values.get('r0') ?? '', at('r0')).reveal()).toBe('old one');
    const later = await start(disk);
    expect(later.open('r0')).toBe('old one');
    expect(disk.values.get('r0')).toMatch(/^tgv2\./);
    expect(later.notices).toEqual(['2 sealed values of an older key were sealed with the present one.']);
  });

  it('seals readable credentials with a notice that does not repeat them', async () => {
    const { disk, rows, expectAll } = await withValues(1);
    disk.values.set('plain', 'sk-ant-readable-7Qx2Wm9Lp');
    const later = await start(disk);
    expect(later.open('plain')).toBe('sk-ant-readable-7Qx2Wm9Lp');
    expect(disk.values.get('plain')).toMatch(/^tgv2\./);
    expect(later.notices.join()).toMatch(/^1 credentials stood readable/);
    expect(later.notices.join()).not.toContain('sk-ant');
    expect(rows).toHaveLength(1);
    expectAll(later);
  });

  it.each([
    ['missing', () => rmSync(path)],
    ['another one', () => rmSync(path)],
  ])(
    'refuses to start when the master key is %s, names the one that is needed, and changes nothing',
    async (what, damage) => {
      const { disk, first, expectAll } = await withValues(2);
      const right = readFileSync(path).toString('hex');
      damage();
      const before = JSON.stringify([disk.keys, [...disk.values]]);
      const env = what === 'missing' ? {} : { env: randomBytes(32).toString('hex') };
      const error = await start(disk, env).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(MasterKeyError);
      expect(String(error)).toContain(first.keyring.masterKeyId);
      expect(existsSync(path)).toBe(false);
      expect(JSON.stringify([disk.keys, [...disk.values]])).toBe(before);
      expectAll(await start(disk, { env: right }));
    },
  );

  it('refuses a data key that was tampered with', async () => {
    const { disk } = await withValues(1);
    disk.keys = disk.keys.map((row) => ({ ...row, wrapped: `${row.wrapped.slice(0, -4)}AAAA` }));
    await expect(start(disk)).rejects.toThrow(/data key in the store was changed/);
  });
});

describe('rotating the data key (CF-13)', () => {
  it('seals everything anew, and the retired key goes a day later', async () => {
    const { disk, first, expectAll } = await withValues(5);
    const old = first.keyring.activeKeyId;
    const done = await first.keeper.rotateDataKey();
    expect(done).toEqual({ keyId: first.keyring.activeKeyId, resealed: 6 });
    expect(done.keyId).not.toBe(old);
    expect((await first.keeper.status()).dataKeys).toMatchObject([
      { id: old, active: false, values: 0 },
      { id: done.keyId, active: true, values: 6 },
    ]);
    expectAll(first);
    await start(disk, { nowMs: 1_000 + 3600_000 });
    expect(disk.keys).toHaveLength(2);
    const later = await start(disk, { nowMs: 1_000 + 25 * 3600_000 });
    expect(disk.keys.map((key) => key.id)).toEqual([done.keyId]);
    expectAll(later);
  });

  it('leaves alone what is changed meanwhile, and seals that too', async () => {
    const { disk, first } = await withValues(3);
    const { keyring } = first;
    let changed = false;
    disk.beforeReplace = ({ at: { row } }) => {
      if (row !== 'r1' || changed) return;
      changed = true;
      disk.values.set('r1', keyring.seal(new Secret('given meanwhile'), at('r1')));
    };
    await first.keeper.rotateDataKey();
    expect(first.open('r1')).toBe('given meanwhile');
    expect((await first.keeper.status()).dataKeys.map((key) => key.values)).toEqual([0, 4]);
  });

  it('refuses a second one beside the first, and is free again after a failure', async () => {
    const { disk, first, expectAll } = await withValues(3);
    const running = first.keeper.rotateDataKey();
    await expect(first.keeper.rotateDataKey()).rejects.toMatchObject({ code: 'conflict' });
    await running;
    disk.writesLeft = 1;
    await expect(first.keeper.rotateDataKey()).rejects.toThrow('killed');
    disk.writesLeft = 100;
    await first.keeper.rotateDataKey();
    expectAll(first);
  });

  it('may be killed at any write: everything opens, and the next start finishes', async () => {
    for (let writes = 0; writes <= 7; writes++) {
      rmSync(path, { force: true });
      const { disk, first, expectAll } = await withValues(5);
      disk.writesLeft = writes;
      if (writes < 7) await expect(first.keeper.rotateDataKey()).rejects.toThrow('killed');
      const later = await start(disk);
      expectAll(later);
      const status = await later.keeper.status();
      expect(status.dataKeys.at(-1)).toMatchObject({ active: true, values: 6 });
    }
  });
});

describe('rotating the master key (CF-13)', () => {
  it('makes a new file, keeps the old one for old backups, and the store needs the new one alone', async () => {
    const { disk, first, expectAll } = await withValues(2);
    const old = readFileSync(path);
    const previousKeyId = first.keyring.masterKeyId;
    const done = await first.keeper.rotateMasterKey(null);
    const kept = `${path}.${previousKeyId}`;
    expect(done).toMatchObject({ previousKeyId, previousKeyFile: kept, restartNeeded: false });
    expect(readFileSync(kept).equals(old)).toBe(true);
    expect(readFileSync(path).equals(old)).toBe(false);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(disk.keys.map((key) => key.masterKeyId)).toEqual([done.keyId]);
    expectAll(first);
    await first.keeper.rotateDataKey();
    expectAll(await start(disk));
    await expect(start(disk, { env: old.toString('hex') })).rejects.toThrow(done.keyId);
  });

  it('may be killed at any write: everything opens, and repeating it finishes', async () => {
    for (let writes = 0; writes <= 4; writes++) {
      for (const name of readdirSync(dir)) rmSync(join(dir, name));
      const { disk, first, expectAll } = await withValues(2);
      const before = first.keyring.masterKeyId;
      disk.writesLeft = writes;
      const outcome = await first.keeper.rotateMasterKey(null).catch((error: unknown) => error);
      if (writes < 4) expect(String(outcome)).toContain('killed');
      const later = await start(disk);
      expectAll(later);
      if (later.keyring.masterKeyId === before) await later.keeper.rotateMasterKey(null);
      expect(disk.keys.map((key) => key.masterKeyId)).toEqual([later.keyring.masterKeyId]);
      expect(later.keyring.masterKeyId).not.toBe(before);
      expect((await later.keeper.status()).nextMasterKeyId).toBeNull();
      expectAll(await start(disk));
    }
  });

  it('with keys from the environment both open everything until a start with the new one', async () => {
    const [one, two] = [randomBytes(32).toString('hex'), randomBytes(32).toString('hex')];
    const disk = new Disk();
    const first = await start(disk, { env: one });
    disk.values.set('r0', first.keyring.seal(new Secret('x'), at('r0')));
    await expect(first.keeper.rotateMasterKey(null)).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(first.keeper.rotateMasterKey(new Secret(one))).rejects.toThrow(/present one/);
    const done = await first.keeper.rotateMasterKey(new Secret(two));
    expect(done).toMatchObject({ restartNeeded: true, previousKeyFile: null });
    await expect(first.keeper.rotateDataKey()).rejects.toMatchObject({ code: 'conflict' });
    expect((await start(disk, { env: one })).open('r0')).toBe('x');
    expect((await first.keeper.status()).nextMasterKeyId).toBe(done.keyId);
    const second = await start(disk, { env: two });
    expect([second.open('r0'), second.notices.length]).toEqual(['x', 1]);
    await expect(start(disk, { env: one })).rejects.toThrow(done.keyId);
    expect(readdirSync(dir)).toEqual([]);
  });
});

describe('several processes on one vault (X-08)', () => {
  it('seals with a new key only when the others can open it, and they follow', async () => {
    const { disk, first, expectAll } = await withValues(2);
    const other = await start(disk);
    const { promise: known, resolve: tell } = Promise.withResolvers<void>();
    const keeper = createVaultKeeper({
      ...first.parts,
      keyring: first.keyring,
      source: first.source,
      clock: { now: () => 2_000 },
      untilKnown: () => known,
    });
    const rotated = keeper.rotateDataKey();
    await expect.poll(() => disk.keys.length).toBe(2); // in the store, and nothing sealed with it
    expectAll(other);
    await other.keeper.follow();
    tell();
    const { keyId } = await rotated;
    expect(disk.values.get('r0')).toContain(keyId);
    expectAll(other);
    expect(other.keyring.activeKeyId).toBe(keyId);
  });
});
