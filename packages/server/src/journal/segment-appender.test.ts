import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeSegmentHeader, FRAME_HEAD_BYTES, SEGMENT_HEADER_BYTES } from './frame.ts';
import { FrameBatch } from './frame-batch.ts';
import { ENTRY_SETTLED } from './journal.ts';
import { type JournalFiles, systemJournalFiles } from './journal-files.ts';
import { JOURNAL_START } from './position.ts';
import { type JournalDamage, readJournal } from './read-journal.ts';
import { SegmentAppender } from './segment-appender.ts';
import { segmentPath } from './segment-files.ts';

const FRAME = FRAME_HEAD_BYTES + 4;
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'journal-appender-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** The real file system; each call may be made to fail, or a write to take fewer bytes. */
function faulty() {
  const calls: string[] = [];
  const fail = new Map<string, string>();
  const state = { roomBytes: Number.POSITIVE_INFINITY };
  const may = (name: string): void => {
    calls.push(name);
    const code = fail.get(name);
    if (code !== undefined) throw Object.assign(new Error(code), { code });
  };
  const files: JournalFiles = {
    ...systemJournalFiles,
    create(path) {
      may('create');
      return systemJournalFiles.create(path);
    },
    write(file, bytes, range) {
      may('write');
      const length = Math.min(range.length, state.roomBytes);
      state.roomBytes -= length;
      return length === 0 ? 0 : systemJournalFiles.write(file, bytes, { ...range, length });
    },
    async dataSync(file) {
      may('dataSync');
      await systemJournalFiles.dataSync(file);
    },
    async syncDirectory(folder) {
      may('syncDirectory');
      await systemJournalFiles.syncDirectory(folder);
    },
    close(file) {
      systemJournalFiles.close(file);
      may('close');
    },
    remove(path) {
      may('remove');
      systemJournalFiles.remove(path);
    },
  };
  return { files, fail, calls, state };
}

function opened(disk = faulty(), segmentBytes = 1000) {
  const appender = new SegmentAppender(
    { dir, files: disk.files, segmentBytes },
    { segment: 1, previousEnd: 0 },
  );
  appender.open();
  return { appender, ...disk };
}
const batchOf = (...payloads: string[]): FrameBatch => {
  const batch = new FrameBatch();
  for (const payload of payloads) batch.add(ENTRY_SETTLED, payload, () => undefined);
  return batch;
};
/** Writes until the batch is empty, as the writer does; the errors on the way. */
function writeAll(appender: SegmentAppender, batch: FrameBatch): string[] {
  const errors: string[] = [];
  for (let tries = 0; batch.waitingEntries > 0 && tries < 10; tries++) {
    const { end, error } = appender.write(batch);
    batch.takeSafe(end);
    if (error !== null) errors.push(String((error as NodeJS.ErrnoException).code));
  }
  return errors;
}
function read() {
  const damages: JournalDamage[] = [];
  const entries = readJournal(dir, JOURNAL_START, { onDamage: (damage) => damages.push(damage) });
  const payloads = [...entries].map((entry) => entry.payload.toString());
  return { payloads, damages };
}
const headerOf = (segment: number) => decodeSegmentHeader(readFileSync(segmentPath(dir, segment)));

describe('writing into segments', () => {
  it('begins behind the header, and its end moves with what is in the file', () => {
    const { appender } = opened();
    expect(appender.end).toEqual({ segment: 1, offset: SEGMENT_HEADER_BYTES });
    const batch = batchOf('aaaa', 'bbbb');
    expect(appender.write(batch)).toEqual({ end: 2 * FRAME, error: null });
    expect(appender.end).toEqual({ segment: 1, offset: SEGMENT_HEADER_BYTES + 2 * FRAME });
    appender.close();
    expect(read()).toEqual({ payloads: ['aaaa', 'bbbb'], damages: [] });
  });

  it('goes on to the next segment exactly when an entry would not fit, and the header says where the last ended', () => {
    const { appender } = opened(faulty(), SEGMENT_HEADER_BYTES + 2 * FRAME);
    expect(writeAll(appender, batchOf('aaaa', 'bbbb', 'cccc', 'dddd', 'eeee'))).toEqual([]);
    appender.close();
    expect(readdirSync(dir)).toHaveLength(3);
    expect([1, 2, 3].map(headerOf)).toEqual([
      { segment: 1, previousEnd: 0 },
      { segment: 2, previousEnd: SEGMENT_HEADER_BYTES + 2 * FRAME },
      { segment: 3, previousEnd: SEGMENT_HEADER_BYTES + 2 * FRAME },
    ]);
    expect(read().payloads).toEqual(['aaaa', 'bbbb', 'cccc', 'dddd', 'eeee']);
  });

  it('starts from the segment and the end that it is given', () => {
    const place = { dir, files: systemJournalFiles, segmentBytes: 1000 };
    const appender = new SegmentAppender(place, { segment: 9, previousEnd: 321 });
    appender.open();
    appender.close();
    expect(headerOf(9)).toEqual({ segment: 9, previousEnd: 321 });
    expect(() => appender.open()).toThrow(expect.objectContaining({ code: 'EEXIST' }));
  });

  it('after it was closed, an entry goes into a new segment and the old one stays as it was', () => {
    const { appender } = opened();
    writeAll(appender, batchOf('aaaa'));
    appender.close();
    appender.close();
    const before = readFileSync(segmentPath(dir, 1));
    expect(() => writeAll(appender, batchOf('bbbb'))).not.toThrow();
    expect(readFileSync(segmentPath(dir, 1))).toEqual(before);
  });
});

describe('a write that fails', () => {
  it('half-way into an entry: the whole ones before it count, the rest goes into a new segment', () => {
    const { appender, state } = opened();
    state.roomBytes = 2 * FRAME + 3;
    const batch = batchOf('aaaa', 'bbbb', 'cccc');
    const outcome = appender.write(batch);
    expect([outcome.end, (outcome.error as NodeJS.ErrnoException).code]).toEqual([2 * FRAME, 'ENOSPC']);
    expect(appender.end).toEqual({ segment: 1, offset: SEGMENT_HEADER_BYTES + 2 * FRAME });
    batch.takeSafe(outcome.end);
    state.roomBytes = Number.POSITIVE_INFINITY;
    expect(writeAll(appender, batch)).toEqual([]);
    expect(appender.end).toEqual({ segment: 2, offset: SEGMENT_HEADER_BYTES + FRAME });
    appender.close();
    expect(headerOf(2)?.previousEnd).toBe(SEGMENT_HEADER_BYTES + 2 * FRAME);
    // The three bytes of the torn entry are still in the file, behind its recorded end.
    expect(readFileSync(segmentPath(dir, 1))).toHaveLength(SEGMENT_HEADER_BYTES + 2 * FRAME + 3);
    expect(read()).toEqual({ payloads: ['aaaa', 'bbbb', 'cccc'], damages: [] });
  });

  it.each(['EIO', 'ENOSPC', 'EDQUOT'])(
    'with %s: the file is never written again, even if it would take more',
    (code) => {
      const { appender, fail } = opened();
      writeAll(appender, batchOf('aaaa'));
      fail.set('write', code);
      const batch = batchOf('bbbb');
      expect((appender.write(batch).error as NodeJS.ErrnoException).code).toBe(code);
      fail.delete('write');
      expect(writeAll(appender, batch)).toEqual([]);
      expect(appender.end.segment).toBe(2);
      expect(readFileSync(segmentPath(dir, 1))).toHaveLength(SEGMENT_HEADER_BYTES + FRAME);
    },
  );

  it('while a new segment is made: the entries wait, and no trail of empty files is left', () => {
    const { appender, fail } = opened(faulty(), SEGMENT_HEADER_BYTES + FRAME);
    writeAll(appender, batchOf('aaaa'));
    const batch = batchOf('bbbb');
    for (const call of ['create', 'write']) {
      fail.set(call, 'ENOSPC');
      for (let tries = 0; tries < 5; tries++) expect(appender.write(batch).error).not.toBeNull();
      fail.delete(call);
    }
    expect(writeAll(appender, batch)).toEqual([]);
    appender.close();
    expect(readdirSync(dir)).toHaveLength(2);
    expect(read()).toEqual({ payloads: ['aaaa', 'bbbb'], damages: [] });
  });

  it('and an empty file that cannot be removed either is left behind, and the next number is taken', () => {
    const { appender, fail } = opened(faulty(), SEGMENT_HEADER_BYTES + FRAME);
    writeAll(appender, batchOf('aaaa'));
    const batch = batchOf('bbbb');
    fail.set('write', 'EIO').set('remove', 'EIO');
    for (let tries = 0; tries < 3; tries++) expect(appender.write(batch).error).not.toBeNull();
    fail.clear();
    expect(writeAll(appender, batch)).toEqual([]);
    appender.close();
    // Two were left; the third failure's file could be removed by then, and its number was used.
    expect(readdirSync(dir)).toHaveLength(4);
    expect(appender.end.segment).toBe(4);
    expect(read()).toEqual({ payloads: ['aaaa', 'bbbb'], damages: [] });
  });

  it('a file that cannot even be closed stops nothing', () => {
    const { appender, fail } = opened(faulty(), SEGMENT_HEADER_BYTES + FRAME);
    fail.set('close', 'EIO');
    expect(writeAll(appender, batchOf('aaaa', 'bbbb'))).toEqual([]);
    expect(read()).toEqual({ payloads: ['aaaa', 'bbbb'], damages: [] });
  });
});

describe('syncing', () => {
  it('syncs the names of the folder once for each new segment', async () => {
    const { appender, calls } = opened(faulty(), SEGMENT_HEADER_BYTES + 2 * FRAME);
    for (const payload of ['aaaa', 'bbbb', 'cccc']) {
      writeAll(appender, batchOf(payload));
      await appender.sync();
    }
    expect(calls.filter((call) => call === 'dataSync')).toHaveLength(3);
    expect(calls.filter((call) => call === 'syncDirectory')).toHaveLength(2);
    // The data before the name that leads to it.
    expect(calls.indexOf('dataSync')).toBeLessThan(calls.indexOf('syncDirectory'));
  });

  it('a failed sync takes its write back: the end is where it was', async () => {
    const { appender, fail } = opened();
    writeAll(appender, batchOf('aaaa'));
    await appender.sync();
    const kept = appender.end;
    const batch = batchOf('bbbb');
    appender.write(batch);
    fail.set('dataSync', 'EIO');
    await expect(appender.sync()).rejects.toMatchObject({ code: 'EIO' });
    expect(appender.end).toEqual(kept);
    fail.clear();
    // Not yet called safe, so it is written again, elsewhere; the old copy lies behind the recorded end.
    expect(writeAll(appender, batch)).toEqual([]);
    await appender.sync();
    appender.close();
    expect(headerOf(2)?.previousEnd).toBe(kept.offset);
    expect(read()).toEqual({ payloads: ['aaaa', 'bbbb'], damages: [] });
  });

  it('a folder that cannot be synced makes nothing in its new segment safe', async () => {
    const { appender, fail, calls } = opened();
    const batch = batchOf('aaaa');
    appender.write(batch);
    fail.set('syncDirectory', 'EIO');
    await expect(appender.sync()).rejects.toMatchObject({ code: 'EIO' });
    expect(appender.end).toEqual({ segment: 1, offset: SEGMENT_HEADER_BYTES });
    fail.clear();
    writeAll(appender, batch);
    await appender.sync();
    expect(calls.filter((call) => call === 'syncDirectory')).toHaveLength(2);
    appender.close();
    expect(read()).toEqual({ payloads: ['aaaa'], damages: [] });
  });
});
