import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentialAt, VaultDisk } from '@tallygate/testkit/vault-disk';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../kernel/secret.ts';
import { createKeychainLock } from './keychain-lock.ts';
import { MasterKeyError } from './master-key.ts';
import { type KeyringParts, openKeyring } from './open-keyring.ts';
import { createVaultKeeper } from './vault-keeper.ts';

const DAY_MS = 24 * 3_600_000;

let dir: string;
let path: string;
let disk: VaultDisk;
let entries: Map<string, string>;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tallygate-starts-'));
  path = join(dir, 'master.key');
  disk = new VaultDisk();
  entries = new Map();
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const parts = (change: Partial<KeyringParts> = {}): KeyringParts => ({
  storage: disk.storage,
  settings: disk.settingStore,
  path,
  fromEnvironment: null,
  nowMs: 1_000,
  randomBytes,
  ...change,
});
const keychainLock = () =>
  createKeychainLock(
    {
      read: async (name) => entries.get(name) ?? null,
      write: async (name, value) => void entries.set(name, value),
    },
    randomBytes,
  );
async function start(change: Partial<KeyringParts> = {}) {
  const given = parts(change);
  const opened = await openKeyring(given);
  const keeper = createVaultKeeper({ ...given, ...opened, clock: { now: () => given.nowMs } });
  const put = (row: string): void => {
    disk.values.set(row, opened.keyring.seal(new Secret(`secret of ${row}`), credentialAt(row)));
  };
  const open = (row: string): string =>
    opened.keyring.open(disk.values.get(row) ?? '', credentialAt(row)).reveal();
  return { ...opened, keeper, put, open };
}
const failure = (work: Promise<unknown>): Promise<Error> =>
  work.then(
    () => expect.unreachable(),
    (error: Error) => error,
  );
const everything = (): string =>
  JSON.stringify([disk.keys, [...disk.values], [...disk.settings], readdirSync(dir).sort()]);

describe('moving the master key into a keychain (CF-13)', () => {
  const locked = (): Partial<KeyringParts> => ({
    path: join(dir, 'master.key.locked'),
    plainPath: path,
    lock: keychainLock(),
  });

  it('keeps every value, tells where both are, and needs the keychain from then on', async () => {
    const before = await start();
    before.put('r0');
    const key = readFileSync(path);
    const moved = await start(locked());
    expect([moved.open('r0'), moved.source]).toEqual(['secret of r0', 'adopted']);
    expect(moved.keyring.masterKeyId).toBe(before.keyring.masterKeyId);
    expect(moved.notices).toEqual([
      expect.stringMatching(/locked by the keychain.*Move .*master\.key to your backup/),
    ]);
    expect(moved.notices.join()).not.toContain(key.toString('base64'));
    rmSync(path);
    const later = await start(locked());
    expect([later.open('r0'), later.source, later.notices]).toEqual(['secret of r0', 'file', []]);
    entries.clear();
    expect((await failure(start(locked()))).message).toMatch(/no entry/);
  });

  it('a first start with a lock makes a locked key, and says what to back up', async () => {
    const { notices, source, keeper } = await start(locked());
    expect(source).toBe('created');
    expect(notices).toEqual([expect.stringMatching(/locked by the keychain of this account. Back both up/)]);
    expect((await keeper.status()).masterKey.source).toBe('keychain');
    expect(readdirSync(dir)).toEqual(['master.key.locked']);
  });

  it('a rotation locks the next key as well, in an entry of its own', async () => {
    const { keeper, put, open } = await start(locked());
    put('r0');
    const done = await keeper.rotateMasterKey(null);
    expect([open('r0'), entries.size, done.restartNeeded]).toEqual(['secret of r0', 2, false]);
    expect(readFileSync(join(dir, 'master.key.locked'), 'utf8')).toMatch(
      /^tallygate master key 1 keychain\n/,
    );
    expect((await start(locked())).open('r0')).toBe('secret of r0');
  });

  it('one that is not the right one is refused before anything is written', async () => {
    const { put } = await start();
    put('r0');
    rmSync(path);
    const before = everything();
    const error = await failure(start(locked()));
    expect(error).toBeInstanceOf(MasterKeyError);
    expect(error.message).toMatch(/no master key at/);
    expect([everything(), entries.size]).toEqual([before, 0]);
  });
});

describe('a start that cannot open something (CF-13)', () => {
  it.each([
    ['a value that was changed', () => disk.values.set('r0', `${disk.values.get('r0')?.slice(0, -4)}AAAA`)],
    ['a value of another row', () => disk.values.set('r0', disk.values.get('r1') ?? '')],
    [
      'a value of a data key that is gone',
      () =>
        disk.values.set(
          'r0',
          (disk.values.get('r0') ?? '').replace(/\.[0-9a-f]{16}\./, '.0123456789abcdef.'),
        ),
    ],
  ])(
    '%s: the current ones are not touched, older ones stop the start with the reason',
    async (_what, damage) => {
      const first = await start();
      first.put('r0');
      first.put('r1');
      damage();
      const text = disk.values.get('r0') ?? '';
      const needsAnother = !first.keyring.isCurrent(text);
      const outcome = await start().then(
        () => 'started',
        (error: Error) => error.message,
      );
      expect(outcome).toMatch(
        needsAnother ? /A sealed value in the store does not open.*0123456789abcdef/ : /started/,
      );
      expect(disk.values.get('r0')).toBe(text); // for whoever restores the key or the row
      expect(disk.values.get('r1')).toMatch(/^tgv2\./);
    },
  );

  it('says which key is needed when the file holds another one, and changes nothing', async () => {
    const first = await start();
    first.put('r0');
    writeFileSync(path, randomBytes(32), { mode: 0o600 });
    const before = everything();
    const error = await failure(start());
    expect(error.message).toContain(first.keyring.masterKeyId);
    expect(error.message).toContain(path);
    expect(everything()).toBe(before);
  });

  it('does not take one of several data keys being gone for a smaller vault', async () => {
    const first = await start();
    first.put('r0');
    await first.keeper.rotateDataKey();
    const other = await start({ fromEnvironment: new Secret(readFileSync(path).toString('hex')) });
    expect(other.keyring.keys()).toHaveLength(2);
    const [oldest] = disk.keys;
    if (oldest === undefined) throw new Error('there are keys');
    disk.keys = disk.keys.map((row) => (row === oldest ? { ...row, masterKeyId: 'ffffffffffffffff' } : row));
    const error = await failure(start());
    expect(error.message).toMatch(/they need key/);
    expect(error.message).toContain('ffffffffffffffff');
  });
});

describe('retired data keys (CF-13)', () => {
  it('stay for a day after the newest was made, to the millisecond, for whoever still holds them', async () => {
    const { keeper, put } = await start();
    put('r0');
    const { keyId } = await keeper.rotateDataKey();
    const madeMs = disk.keys.find(({ id }) => id === keyId)?.createdAtMs ?? 0;
    await start({ nowMs: madeMs + DAY_MS - 1 });
    expect(disk.keys).toHaveLength(2);
    await start({ nowMs: madeMs + DAY_MS });
    expect(disk.keys.map(({ id }) => id)).toEqual([keyId]);
  });

  it('the newest is never one of them, used or not', async () => {
    const { keeper } = await start();
    disk.values.clear();
    disk.settings.clear();
    const { keyId } = await keeper.rotateDataKey();
    await start({ nowMs: 1_000 + 2 * DAY_MS });
    expect(disk.keys.map(({ id }) => id)).toEqual([keyId]);
  });

  it('a clock that was set back keeps them', async () => {
    const { keeper, put } = await start({ nowMs: 10 * DAY_MS });
    put('r0');
    await keeper.rotateDataKey();
    expect((await start({ nowMs: 1_000 })).open('r0')).toBe('secret of r0');
    expect(disk.keys).toHaveLength(2);
  });
});
