import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  appended,
  faultyDisk,
  handClock,
  type JournalSetup,
  openTestJournal,
  readPayloads,
  until,
} from '@tallygate/testkit/journal-world';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FRAME_HEAD_BYTES, MAX_PAYLOAD_BYTES, SEGMENT_HEADER_BYTES } from './frame.ts';
import { ENTRY_OPENED, ENTRY_SETTLED, type FsyncPolicy } from './journal.ts';
import type { OpenJournal } from './open-journal.ts';

const POLICIES: FsyncPolicy[] = ['process', 'disk'];
const UNAVAILABLE = { code: 'journal_unavailable' };
let root: string;
let folders = 0;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'journal-limits-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const open = (setup: Partial<JournalSetup> = {}) =>
  openTestJournal({ dir: join(root, `j${folders++}`), ...setup });
/** Payload of an entry that takes so many bytes in all. */
const entryOf = (bytes: number, letter = 'x'): string => letter.repeat(bytes - FRAME_HEAD_BYTES);

/** A journal on a disk that takes nothing, with one entry of so many bytes waiting. */
async function stuck(setup: Partial<JournalSetup>, waitingBytes: number) {
  const disk = faultyDisk();
  const journal = await open({ files: disk.files, ...setup });
  disk.state.roomBytes = 0;
  const waits: Promise<unknown>[] = [appended(journal, entryOf(waitingBytes), ENTRY_SETTLED)];
  await until(() => journal.status().state !== 'ok');
  return { journal, waits, ...disk };
}
async function letGo(
  journal: OpenJournal,
  state: ReturnType<typeof faultyDisk>['state'],
  waits: Promise<unknown>[],
) {
  state.roomBytes = Number.POSITIVE_INFINITY;
  await Promise.all(waits);
  await journal.close();
}

describe.each(POLICIES)('how much may wait, policy %s (CF-17)', (fsync) => {
  it('requests are refused from the byte on that reaches the bound', async () => {
    for (const [waiting, isOpen] of [
      [999, true],
      [1000, false],
      [1001, false],
    ] as const) {
      const { journal, waits, state } = await stuck({ fsync, maxWaitingBytes: 1000 }, waiting);
      expect([waiting, journal.accepting()]).toEqual([waiting, isOpen]);
      expect(journal.status().state).toBe(isOpen ? 'degraded' : 'full');
      const asked = appended(journal, 'x', ENTRY_OPENED);
      if (isOpen) waits.push(asked);
      else await expect(asked).rejects.toMatchObject(UNAVAILABLE);
      await letGo(journal, state, waits);
    }
  });

  it('settlements are taken up to twice the bound: who was let in must be able to end', async () => {
    const { journal, waits, state } = await stuck({ fsync, maxWaitingBytes: 1000 }, 1000);
    waits.push(
      appended(journal, entryOf(999), ENTRY_SETTLED),
      appended(journal, entryOf(500), ENTRY_SETTLED),
    );
    await expect(appended(journal, 'x', ENTRY_SETTLED)).rejects.toMatchObject(UNAVAILABLE);
    await letGo(journal, state, waits);
    expect(readPayloads(journal.dir).payloads).toHaveLength(3);
  });

  it('what waits is counted wherever it waits, and no longer once it is safe', async () => {
    const { journal, waits, state } = await stuck({ fsync, maxWaitingBytes: 10_000 }, 100);
    for (let i = 0; i < 4; i++) waits.push(appended(journal, entryOf(100)));
    expect(journal.status().waitingEntries).toBe(5);
    state.roomBytes = Number.POSITIVE_INFINITY;
    await Promise.all(waits);
    expect(journal.status()).toMatchObject({ waitingEntries: 0, state: 'ok', problem: null });
    await journal.close();
  });

  it('an entry may hold the most bytes there are, counted as they are written, and not one more', async () => {
    const journal = await open({ fsync, maxWaitingBytes: 1e9 });
    const largest = 'x'.repeat(MAX_PAYLOAD_BYTES);
    await appended(journal, largest);
    await expect(appended(journal, `${largest}x`)).rejects.toBeInstanceOf(RangeError);
    await expect(appended(journal, 'ä'.repeat(MAX_PAYLOAD_BYTES / 2 + 1))).rejects.toBeInstanceOf(RangeError);
    await appended(journal, '界'.repeat(Math.floor(MAX_PAYLOAD_BYTES / 3)));
    await journal.close();
    expect(readPayloads(journal.dir).payloads).toHaveLength(2);
  });
});

describe.each(POLICIES)('a disk that fails for long, policy %s', (fsync) => {
  it('is tried ever more rarely, from fifty milliseconds on', async () => {
    const { journal, waits, state } = await stuck({ fsync }, 50);
    const from = performance.now();
    const before = state.writes;
    await until(() => state.writes >= before + 4);
    // At least 100, 200 and 400 ms after the first retry, however busy the machine is.
    expect(performance.now() - from).toBeGreaterThan(690);
    await letGo(journal, state, waits);
  });

  it('is the fault of the first moment on: the time counts from there, not from the last try', async () => {
    const clock = handClock();
    const { journal, waits, state } = await stuck({ fsync, clock }, 50);
    const tries = state.writes;
    clock.forward(4000);
    await until(() => state.writes > tries + 1);
    clock.forward(999);
    expect(journal.accepting()).toBe(true);
    clock.forward(1);
    expect([journal.accepting(), journal.status().state]).toEqual([false, 'full']);
    await letGo(journal, state, waits);
  });

  it('names the failure rather than the low space, when it is both', async () => {
    const disk = faultyDisk();
    disk.state.freeBytes = 5;
    const journal = await open({ fsync, files: disk.files, reserveBytes: 10 });
    expect(journal.status().problem).toBe('low_space');
    disk.state.roomBytes = 0;
    disk.state.writeError = 'EIO';
    const waits = [appended(journal, 'x')];
    await until(() => journal.status().problem === 'EIO');
    expect(journal.status().state).toBe('full');
    disk.state.roomBytes = Number.POSITIVE_INFINITY;
    await Promise.all(waits);
    expect(journal.status().problem).toBe('low_space');
    await journal.close();
  });

  it('gets one more try at the close, which may well succeed', async () => {
    const { journal, waits, state } = await stuck({ fsync }, 50);
    waits.push(appended(journal, 'later'));
    state.roomBytes = Number.POSITIVE_INFINITY;
    await journal.close();
    await Promise.all(waits);
    expect(readPayloads(journal.dir)).toMatchObject({ payloads: [entryOf(50), 'later'], damages: [] });
    expect(journal.accepting()).toBe(false);
  });

  it('keeps the order: what waited longest is written first, through any number of failures', async () => {
    const { journal, waits, state } = await stuck({ fsync }, 50);
    const names = ['a', 'b', 'c', 'd', 'e', 'f'];
    for (const [i, name] of names.entries()) {
      waits.push(appended(journal, name));
      // Every other time a little room, in the middle of an entry.
      state.roomBytes = i % 2 === 0 ? SEGMENT_HEADER_BYTES + 63 : 0;
      const tries = state.writes;
      await until(() => state.writes > tries);
    }
    await letGo(journal, state, waits);
    expect(readPayloads(journal.dir)).toEqual({ payloads: [entryOf(50), ...names], damages: [] });
  });
});

describe('who hears of safe entries', () => {
  it('every listener, of the newest end only, and never of an end that did not move', async () => {
    const { state, files } = faultyDisk();
    const journal = await open({ files });
    const [first, second]: [number[], number[]] = [[], []];
    journal.onAdvance(({ offset }) => first.push(offset));
    journal.onAdvance(({ offset }) => second.push(offset));
    await Promise.all(['a', 'b', 'c'].map((payload) => appended(journal, payload)));
    await until(() => second.length === 1);
    expect([first, second]).toEqual([[journal.status().safeEnd.offset], first]);
    state.roomBytes = 0;
    const wait = appended(journal, 'd');
    await until(() => journal.status().state === 'degraded');
    expect(first).toHaveLength(1);
    await letGo(journal, state, [wait]);
    expect(first).toHaveLength(2);
  });

  it('the file’s end as it is announced is where the next entry begins', async () => {
    const journal = await open({ segmentBytes: SEGMENT_HEADER_BYTES + 30 });
    const ends: string[] = [];
    journal.onAdvance(({ segment, offset }) => ends.push(`${segment}:${offset}`));
    for (let i = 0; i < 3; i++) await appended(journal, 'x'.repeat(21));
    await until(() => ends.length === 3);
    expect(ends).toEqual(['1:58', '2:58', '3:58']);
    await journal.close();
  });
});
