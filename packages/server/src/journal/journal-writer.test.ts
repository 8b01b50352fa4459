import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  appended,
  faultyDisk as disk,
  type JournalSetup,
  openTestJournal,
  readPayloads as read,
  until,
} from '@tallygate/testkit/journal-world';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAX_PAYLOAD_BYTES } from './frame.ts';
import { ENTRY_OPENED, ENTRY_SETTLED, type FsyncPolicy, type JournalPosition } from './journal.ts';
import { systemJournalFiles } from './journal-files.ts';

const POLICIES: FsyncPolicy[] = ['process', 'disk'];

let root: string;
let folders = 0;
const freshDir = () => join(root, `j${folders++}`);
const open = (setup: Partial<JournalSetup> = {}) => openTestJournal({ dir: freshDir(), ...setup });
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'journal-write-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe.each(POLICIES)('appending, policy %s', (fsync) => {
  it('calls back in order, never synchronously, with the entry readable by then', async () => {
    const journal = await open({ fsync });
    const calls: number[] = [];
    let synchronous = true;
    const done = new Promise<void>((resolve, reject) => {
      for (let i = 0; i < 100; i++) {
        journal.append(ENTRY_OPENED, `entry ${i}`, (error) => {
          if (synchronous || error !== null) reject(error ?? new Error('synchronous'));
          calls.push(i);
          if (read(journal.dir).payloads.length <= i) reject(new Error('called back before it was written'));
          if (i === 99) resolve();
        });
      }
    });
    synchronous = false;
    await done;
    expect(calls).toEqual(Array.from({ length: 100 }, (_, i) => i));
    await journal.close();
  });

  it('announces the end of the safe entries after their callbacks, at most once a turn', async () => {
    const journal = await open({ fsync });
    const heard: { end: JournalPosition; safe: number }[] = [];
    let safe = 0;
    journal.onAdvance((end) => heard.push({ end, safe }));
    for (let i = 0; i < 10; i++) journal.append(ENTRY_OPENED, 'x', () => void safe++);
    await until(() => safe === 10 && heard.length > 0);
    expect(heard).toEqual([{ end: journal.status().safeEnd, safe: 10 }]);
    await journal.close();
  });

  it('entries appended from a callback, or from a promise it resolves, are written too', async () => {
    const journal = await open({ fsync });
    for (let i = 0; i < 50; i++) await appended(journal, `${i}`);
    await new Promise<void>((resolve) => {
      journal.append(ENTRY_OPENED, 'a', () => journal.append(ENTRY_SETTLED, 'b', () => resolve()));
    });
    expect(read(journal.dir).payloads.slice(-2)).toEqual(['a', 'b']);
    await journal.close();
  });

  it('a callback or listener that throws keeps nobody else from hearing', async () => {
    const journal = await open({ fsync });
    journal.onAdvance(() => {
      throw new Error('listener');
    });
    let heard = 0;
    journal.onAdvance(() => void heard++);
    journal.append(ENTRY_OPENED, 'x', () => {
      throw new Error('callback');
    });
    await appended(journal, 'y');
    await until(() => heard > 0);
    await journal.close();
  });

  it('writes what waits when closed, and takes nothing after', async () => {
    const journal = await open({ fsync });
    const results: (Error | null)[] = [];
    for (let i = 0; i < 5; i++) journal.append(ENTRY_SETTLED, `${i}`, (error) => results.push(error));
    await journal.close();
    expect(results).toEqual([null, null, null, null, null]);
    expect(read(journal.dir).payloads).toEqual(['0', '1', '2', '3', '4']);
    expect(journal.accepting()).toBe(false);
    await expect(appended(journal, 'late')).rejects.toMatchObject({ code: 'journal_unavailable' });
    await journal.close();
  });

  it('a payload over the bound is refused and the others are kept', async () => {
    const journal = await open({ fsync, maxWaitingBytes: 1e8 });
    const largest = 'é'.repeat(MAX_PAYLOAD_BYTES / 2);
    const results = await Promise.allSettled([
      appended(journal, 'before'),
      appended(journal, `${largest}x`),
      appended(journal, largest),
    ]);
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(read(journal.dir).payloads).toEqual(['before', largest]);
    await journal.close();
  });

  it('files and folder are for the owner only', async () => {
    const dir = freshDir();
    const journal = await open({ fsync, dir });
    await appended(journal, 'x');
    await journal.close();
    if (process.platform === 'win32') return;
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(dir)) expect(statSync(join(dir, name)).mode & 0o777).toBe(0o600);
    chmodSync(dir, 0o755);
    await (await open({ fsync, dir })).close();
    expect(statSync(dir).mode & 0o777).toBe(0o700);
  });

  it('releases whole segments below, never the one it writes', async () => {
    const journal = await open({ fsync, segmentBytes: 100 });
    for (let i = 0; i < 6; i++) await appended(journal, 'x'.repeat(60));
    const newest = journal.status().safeEnd.segment;
    expect(newest).toBe(6);
    const before = journal.status().bytesOnDisk;
    await journal.releaseBelow(4);
    expect(readdirSync(journal.dir).filter((name) => name.endsWith('.seg'))).toHaveLength(3);
    expect(journal.status().bytesOnDisk).toBe(before / 2);
    await Promise.all([journal.releaseBelow(99), journal.releaseBelow(99)]);
    expect(readdirSync(journal.dir).filter((name) => name.endsWith('.seg'))).toHaveLength(1);
    await appended(journal, 'still');
    expect(read(journal.dir).payloads.at(-1)).toBe('still');
    await journal.close();
  });

  it('keeps its id, starts a new segment each time, and counts the bytes of the older ones', async () => {
    const dir = freshDir();
    const first = await open({ fsync, dir });
    await appended(first, 'x'.repeat(100));
    await first.close();
    const second = await open({ fsync, dir });
    expect(second.id).toBe(first.id);
    expect(second.id).toMatch(/^[0-9a-f-]{36}$/);
    expect([first.bootSegment, second.bootSegment]).toEqual([1, 2]);
    expect(second.status().bytesOnDisk).toBe(first.status().bytesOnDisk + 28);
    expect((await open({ fsync })).id).not.toBe(first.id);
    await second.close();
  });
});

describe('sharing writes', () => {
  it('entries of one turn share one write', async () => {
    const { state, files } = disk();
    const journal = await open({ files });
    state.writes = 0;
    await Promise.all(Array.from({ length: 500 }, (_, i) => appended(journal, `entry ${i}`)));
    expect(state.writes).toBe(1);
    await journal.close();
  });

  it('policy disk: what arrives during a sync shares the next one, and none is safe before its sync', async () => {
    const { state, files } = disk();
    const journal = await open({ fsync: 'disk', files });
    let letGo = (): void => {};
    state.holdSync = new Promise((resolve) => {
      letGo = resolve;
    });
    let safe = 0;
    const waits = [appended(journal, 'first')];
    await until(() => state.syncs === 1);
    for (let i = 0; i < 200; i++) waits.push(appended(journal, `later ${i}`));
    for (const wait of waits) void wait.then(() => safe++);
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(safe).toBe(0);
    expect(journal.status().safeEnd).toEqual({ segment: 1, offset: 28 });
    expect(journal.status().waitingEntries).toBe(201);
    state.holdSync = null;
    letGo();
    await Promise.all(waits);
    expect(state.syncs).toBe(2);
    await journal.close();
  });

  it('policy disk: a new segment is safe with its name in the directory', async () => {
    const { state, files } = disk();
    const journal = await open({ fsync: 'disk', files, segmentBytes: 100 });
    for (let i = 0; i < 4; i++) await appended(journal, 'x'.repeat(60));
    expect(journal.status().safeEnd.segment).toBe(4);
    expect(state.directorySyncs).toBe(4);
    await journal.close();
  });
});

describe('the reserve', () => {
  it('below it new requests are refused, those under way are written, and it ends by itself', async () => {
    const { state, files } = disk();
    state.freeBytes = 99;
    const journal = await open({ files, reserveBytes: 100 });
    expect(journal.accepting()).toBe(false);
    expect(journal.status()).toMatchObject({ state: 'full', problem: 'low_space' });
    await expect(appended(journal, 'new', ENTRY_OPENED)).rejects.toMatchObject({
      code: 'journal_unavailable',
    });
    await appended(journal, 'settled', ENTRY_SETTLED);
    state.freeBytes = 100;
    await until(() => journal.accepting());
    await appended(journal, 'new', ENTRY_OPENED);
    await journal.close();
    expect(read(journal.dir).payloads).toEqual(['settled', 'new']);
  });

  it('reads the free space of the real disk', async () => {
    const free = await systemJournalFiles.freeBytes(root);
    expect(free).toBeGreaterThan(0);
    const journal = await open({ reserveBytes: Number.MAX_SAFE_INTEGER });
    expect(journal.accepting()).toBe(false);
    await journal.close();
  });
});

describe('opening', () => {
  it("fails with the system's error when there is no room for the first segment, leaving earlier entries", async () => {
    const dir = freshDir();
    const first = await open({ dir });
    await appended(first, 'kept');
    await first.close();
    const { state, files } = disk();
    state.roomBytes = 0;
    await expect(open({ dir, files })).rejects.toMatchObject({ code: 'ENOSPC' });
    state.roomBytes = 1e9;
    const again = await open({ dir, files });
    await appended(again, 'more');
    await again.close();
    expect(read(dir).payloads).toEqual(['kept', 'more']);
  });

  it('starts its files with the marks of the format', async () => {
    const journal = await open();
    await appended(journal, 'x', ENTRY_OPENED);
    await journal.close();
    const bytes = readFileSync(join(journal.dir, 'journal-0000000000000001.seg'));
    expect(bytes.subarray(0, 8).toString('hex')).toBe('54474a4c00000001');
    expect(bytes.subarray(28).toString('hex')).toBe(
      `00000001${bytes.subarray(32, 36).toString('hex')}${'01'}${Buffer.from('x').toString('hex')}`,
    );
  });
});
