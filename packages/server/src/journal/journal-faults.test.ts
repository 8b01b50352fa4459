import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  appended,
  faultyDisk as disk,
  handClock,
  type JournalSetup,
  openTestJournal,
  readPayloads as read,
  until,
} from '@tallygate/testkit/journal-world';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENTRY_OPENED, ENTRY_SETTLED, type FsyncPolicy, type JournalPosition } from './journal.ts';

const POLICIES: FsyncPolicy[] = ['process', 'disk'];

let root: string;
let folders = 0;
const freshDir = () => join(root, `j${folders++}`);
const open = (setup: Partial<JournalSetup> = {}) => openTestJournal({ dir: freshDir(), ...setup });
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'journal-faults-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe.each(POLICIES)('a disk that takes no more, policy %s', (fsync) => {
  it.each(['ENOSPC', 'EIO'])(
    '%s: entries wait, the state says so, and they are written when it ends',
    async (code) => {
      const { state, files } = disk();
      const journal = await open({ fsync, files });
      await appended(journal, 'before');
      state.writeError = code;
      state.roomBytes = 15; // in the middle of an entry
      const waiting = ['one', 'two', 'three'].map((payload) => appended(journal, payload));
      await until(() => journal.status().state === 'degraded');
      expect(journal.status()).toMatchObject({ problem: code });
      expect(journal.accepting()).toBe(true);
      const more = appended(journal, 'four');
      state.roomBytes = Number.POSITIVE_INFINITY;
      await Promise.all([...waiting, more]);
      expect(journal.status()).toMatchObject({ state: 'ok', problem: null, waitingEntries: 0 });
      await appended(journal, 'five');
      await journal.close();
      expect(read(journal.dir)).toEqual({
        payloads: ['before', 'one', 'two', 'three', 'four', 'five'],
        damages: [],
      });
    },
  );

  it('refuses new requests at the bound, still takes settlements up to twice the bound, and recovers', async () => {
    const { state, files } = disk();
    const journal = await open({ fsync, files, maxWaitingBytes: 1000 });
    state.roomBytes = 0;
    const kept = [appended(journal, 'o'.repeat(600), ENTRY_OPENED)];
    await until(() => journal.status().state === 'degraded');
    kept.push(appended(journal, 'p'.repeat(600), ENTRY_OPENED));
    expect(journal.accepting()).toBe(false);
    expect(journal.status().state).toBe('full');
    await expect(appended(journal, 'q', ENTRY_OPENED)).rejects.toMatchObject({ code: 'journal_unavailable' });
    kept.push(appended(journal, 's'.repeat(900), ENTRY_SETTLED));
    await expect(appended(journal, 't', ENTRY_SETTLED)).rejects.toMatchObject({
      code: 'journal_unavailable',
    });
    state.roomBytes = Number.POSITIVE_INFINITY;
    await Promise.all(kept);
    expect(journal.accepting()).toBe(true);
    await journal.close();
    expect(read(journal.dir).payloads.map((payload) => payload[0])).toEqual(['o', 'p', 's']);
  });

  it('refuses new requests once entries have waited too long, rather than let clients hang', async () => {
    const { state, files } = disk();
    const clock = handClock();
    const journal = await open({ fsync, files, clock });
    state.roomBytes = 0;
    const waiting = appended(journal, 'x');
    await until(() => journal.status().state === 'degraded');
    clock.forward(4999);
    expect(journal.accepting()).toBe(true);
    clock.forward(1);
    expect(journal.accepting()).toBe(false);
    state.roomBytes = Number.POSITIVE_INFINITY;
    await waiting;
    expect(journal.accepting()).toBe(true);
    await journal.close();
  });

  it('does not leave a trail of empty segments while it tries', async () => {
    const { state, files } = disk();
    const journal = await open({ fsync, files });
    state.roomBytes = 28; // a header fits, no entry
    const waiting = appended(journal, 'x'.repeat(100));
    await until(() => state.removed.length > 1);
    state.roomBytes = Number.POSITIVE_INFINITY;
    await waiting;
    await journal.close();
    expect(readdirSync(journal.dir).filter((name) => name.endsWith('.seg'))).toHaveLength(1);
    expect(read(journal.dir)).toEqual({ payloads: ['x'.repeat(100)], damages: [] });
  });

  it('closing while it fails tells every waiting entry, and rejects', async () => {
    const { state, files } = disk();
    const journal = await open({ fsync, files });
    state.roomBytes = 0;
    const results: (Error | null)[] = [];
    journal.append(ENTRY_OPENED, 'a', (error) => results.push(error));
    journal.append(ENTRY_SETTLED, 'b', (error) => results.push(error));
    await expect(journal.close()).rejects.toMatchObject({ code: 'journal_unavailable' });
    expect(results).toHaveLength(2);
    for (const result of results) expect(result).toMatchObject({ code: 'journal_unavailable' });
  });

  it('at random: whatever the disk does, exactly the entries called safe are read, in order, without damage', async () => {
    const step = fc.record({
      sizes: fc.array(fc.nat({ max: 120 }), { maxLength: 6 }),
      roomBytes: fc.oneof(fc.nat({ max: 300 }), fc.constant(Number.POSITIVE_INFINITY)),
      shortWrites: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.constant(Number.POSITIVE_INFINITY)),
      syncError: fc.option(fc.constant('EIO'), { nil: null, freq: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        const { state, files } = disk();
        const journal = await open({ fsync, files, segmentBytes: 400 });
        const safe: string[] = [];
        const announced: JournalPosition[] = [];
        journal.onAdvance((end) => announced.push(end));
        let count = 0;
        for (const { sizes, ...faults } of steps) {
          Object.assign(state, faults);
          for (const size of sizes) {
            const payload = `${count++}:${'x'.repeat(size)}`;
            journal.append(ENTRY_SETTLED, payload, (error) => {
              if (error === null) safe.push(payload);
            });
          }
          await new Promise((resolve) => setImmediate(resolve));
          await new Promise((resolve) => setImmediate(resolve));
        }
        Object.assign(state, { roomBytes: 1e9, shortWrites: 1e9, syncError: null });
        await journal.close();
        expect(safe).toHaveLength(count);
        expect(read(journal.dir)).toEqual({ payloads: safe, damages: [] });
        for (const [index, end] of announced.slice(1).entries()) {
          const before = announced[index]!;
          expect(end.segment > before.segment || end.offset > before.offset).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('a sync that fails', () => {
  it('makes nothing of its write safe: the entries are written again elsewhere, once', async () => {
    const { state, files } = disk();
    const journal = await open({ fsync: 'disk', files });
    await appended(journal, 'kept');
    state.syncError = 'EIO';
    const waiting = [appended(journal, 'one'), appended(journal, 'two')];
    await until(() => journal.status().state === 'degraded');
    expect(journal.status()).toMatchObject({ problem: 'EIO', waitingEntries: 2, safeEnd: { segment: 1 } });
    state.syncError = null;
    await Promise.all(waiting);
    expect(journal.status().safeEnd.segment).toBe(2);
    await journal.close();
    expect(read(journal.dir)).toEqual({ payloads: ['kept', 'one', 'two'], damages: [] });
  });
});
