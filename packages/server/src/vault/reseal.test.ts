import { randomBytes } from 'node:crypto';
import { credentialAt, VaultDisk } from '@tallygate/testkit/vault-disk';
import { beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../kernel/secret.ts';
import { createVault } from './aes-vault.ts';
import { createDataKey, Keyring } from './keyring.ts';
import { type ResealProgress, resealAll } from './reseal.ts';

let disk: VaultDisk;
let keyring: Keyring;
beforeEach(() => {
  disk = new VaultDisk();
  keyring = new Keyring(createVault(Buffer.alloc(32, 1)), [dataKey(1)], randomBytes);
});

const dataKey = (nowMs: number) => createDataKey(randomBytes, { nowMs, newestMs: 0 });
const put = (row: string, secret = `secret of ${row}`): void => {
  disk.values.set(row, keyring.seal(new Secret(secret), credentialAt(row)));
};
const opened = (row: string): string => keyring.open(disk.values.get(row) ?? '', credentialAt(row)).reveal();
const rows = (count: number): string[] => Array.from({ length: count }, (_, i) => `r${i}`);

describe('resealAll (CF-13)', () => {
  it('seals what is not current, each in its own place, and leaves the rest alone', async () => {
    rows(3).forEach((row) => void put(row));
    keyring.add(dataKey(2));
    put('fresh');
    const before = disk.values.get('fresh');
    expect(await resealAll(keyring, disk.storage)).toEqual({ resealed: 3, plaintext: 0 });
    expect(disk.values.get('fresh')).toBe(before);
    for (const row of rows(3)) {
      expect(keyring.isCurrent(disk.values.get(row) ?? '')).toBe(true);
      expect(opened(row)).toBe(`secret of ${row}`);
    }
    expect(await resealAll(keyring, disk.storage)).toEqual({ resealed: 0, plaintext: 0 });
  });

  it('has nothing to do where nothing is, and says nothing then', async () => {
    const told: ResealProgress[] = [];
    const tell = (progress: ResealProgress): void => void told.push(progress);
    expect(await resealAll(keyring, disk.storage, tell)).toEqual({ resealed: 0, plaintext: 0 });
    expect(told).toEqual([]);
  });

  it('tells how far it is, from nothing to all', async () => {
    rows(3).forEach((row) => void put(row));
    keyring.add(dataKey(2));
    const told: ResealProgress[] = [];
    await resealAll(keyring, disk.storage, (progress) => told.push(progress));
    expect(told).toEqual([0, 1, 2, 3].map((done) => ({ done, total: 3 })));
  });

  it('counts readable values apart, and takes them as they are', async () => {
    const odd = 'sk with blanks, üñí and "quotes"';
    disk.values.set('plain', odd);
    put('sealed');
    keyring.add(dataKey(2));
    expect(await resealAll(keyring, disk.storage)).toEqual({ resealed: 1, plaintext: 1 });
    expect(opened('plain')).toBe(odd);
  });

  it('takes nothing that begins like a sealed value for a readable one', async () => {
    for (const damaged of ['tgv2.0011223344556677.AA', 'tgv1.', 'tgv3.0011223344556677.AAAAAAAA']) {
      disk.values.set('damaged', damaged);
      await expect(resealAll(keyring, disk.storage)).rejects.toThrow();
      expect(disk.values.get('damaged')).toBe(damaged);
    }
  });

  it('stops at a value that does not open, and changes none of those behind it', async () => {
    put('r0');
    put('r1');
    disk.values.set('r1', disk.values.get('r0') ?? ''); // moved here from another row
    put('r2');
    keyring.add(dataKey(2));
    const before = [...disk.values].slice(1);
    await expect(resealAll(keyring, disk.storage)).rejects.toThrow(/belongs to another row/);
    expect([...disk.values].slice(1)).toEqual(before);
    expect(opened('r0')).toBe('secret of r0');
  });

  it('replaces only what still is what it read: a change in between wins, and is sealed as well', async () => {
    rows(3).forEach((row) => void put(row));
    const stale = keyring.seal(new Secret('given meanwhile'), credentialAt('r1'));
    keyring.add(dataKey(2));
    let changed = false;
    disk.beforeReplace = ({ at: { row } }) => {
      if (row !== 'r1' || changed) return;
      changed = true;
      disk.values.set('r1', stale);
    };
    expect(await resealAll(keyring, disk.storage)).toEqual({ resealed: 3, plaintext: 0 });
    expect(opened('r1')).toBe('given meanwhile');
    expect(keyring.isCurrent(disk.values.get('r1') ?? '')).toBe(true);
  });

  it('a value that is deleted in between stays deleted', async () => {
    rows(2).forEach((row) => void put(row));
    keyring.add(dataKey(2));
    disk.beforeReplace = ({ at: { row } }) => {
      if (row === 'r0') disk.values.delete('r0');
    };
    await resealAll(keyring, disk.storage);
    expect([...disk.values.keys()]).toEqual(['r1']);
  });

  it('does not go on for ever where values never stop changing', async () => {
    put('r0');
    const old = keyring;
    keyring = new Keyring(
      createVault(Buffer.alloc(32, 1)),
      [...old.keys(), dataKey(2)] as never,
      randomBytes,
    );
    let passes = 0;
    disk.beforeReplace = ({ at }) => {
      passes += 1;
      disk.values.set('r0', old.seal(new Secret(`change ${passes}`), at));
    };
    await expect(resealAll(keyring, disk.storage)).rejects.toThrow(/keep changing/);
    expect(passes).toBe(20);
    expect(opened('r0')).toBe('change 20');
  });

  it('writes nothing that it could not open again', async () => {
    put('r0');
    const before = disk.values.get('r0');
    keyring.add(dataKey(2));
    const { open } = keyring;
    let opens = 0;
    keyring.open = (sealed, context) => {
      opens += 1;
      return opens === 2 ? new Secret('something else') : open.call(keyring, sealed, context);
    };
    await expect(resealAll(keyring, disk.storage)).rejects.toThrow(/sealing did not work/);
    expect(disk.values.get('r0')).toBe(before);
  });

  it('may be cut off at any write, and the next run does the rest', async () => {
    for (let writes = 0; writes < 4; writes++) {
      disk.values.clear();
      rows(4).forEach((row) => void put(row));
      keyring.add(
        createDataKey(randomBytes, { nowMs: 0, newestMs: keyring.keys().at(-1)?.createdAtMs ?? 0 }),
      );
      disk.writesLeft = writes;
      await expect(resealAll(keyring, disk.storage)).rejects.toThrow('killed');
      for (const row of rows(4)) expect(opened(row)).toBe(`secret of ${row}`);
      disk.writesLeft = Number.POSITIVE_INFINITY;
      expect(await resealAll(keyring, disk.storage)).toEqual({ resealed: 4 - writes, plaintext: 0 });
    }
  });
});
