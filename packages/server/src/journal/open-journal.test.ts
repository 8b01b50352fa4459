import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@tallygate/testkit/eventually';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../kernel/clock.ts';
import { createIdSource } from '../kernel/ids.ts';
import type { LogFields, Logger } from '../kernel/logger.ts';
import { decodeSegmentHeader, encodeSegmentHeader, SEGMENT_HEADER_BYTES } from './frame.ts';
import { FreeSpace } from './free-space.ts';
import { ENTRY_OPENED, ENTRY_SETTLED } from './journal.ts';
import { type JournalFiles, systemJournalFiles } from './journal-files.ts';
import { type JournalOptions, type OpenJournal, openJournal } from './open-journal.ts';
import { JOURNAL_START } from './position.ts';
import { type JournalDamage, readEntryAt, readJournal } from './read-journal.ts';
import { segmentPath } from './segment-files.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'journal-open-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

interface Said {
  level: string;
  message: string;
  fields: LogFields | undefined;
}
function listening(): { logger: Logger; said: Said[] } {
  const said: Said[] = [];
  const hear = (level: string) => (message: string, fields?: LogFields) =>
    void said.push({ level, message, fields });
  const logger = { debug: hear('debug'), info: hear('info'), warn: hear('warn'), error: hear('error') };
  return { logger, said };
}

const open = (changes: Partial<JournalOptions> = {}) =>
  openJournal({
    dir,
    fsync: 'process',
    maxWaitingBytes: 1e6,
    reserveBytes: 0,
    clock: systemClock,
    logger: listening().logger,
    ids: createIdSource(systemClock),
    ...changes,
  });
const settled = (journal: OpenJournal, payload: string) =>
  new Promise<void>((resolve, reject) => {
    journal.append(ENTRY_SETTLED, payload, (error) => (error === null ? resolve() : reject(error)));
  });
async function write(...payloads: string[]): Promise<OpenJournal> {
  const journal = await open();
  for (const payload of payloads) await settled(journal, payload);
  await journal.close();
  return journal;
}
function read() {
  const damages: JournalDamage[] = [];
  const entries = readJournal(dir, JOURNAL_START, { onDamage: (damage) => damages.push(damage) });
  return { payloads: [...entries].map((entry) => entry.payload.toString()), damages };
}
const previousEndOf = (segment: number) =>
  decodeSegmentHeader(readFileSync(segmentPath(dir, segment)))?.previousEnd;
const sizeOf = (segment: number) => statSync(segmentPath(dir, segment)).size;

describe('opening a journal that is there already (CF-17)', () => {
  it('starts a new segment whose header says where the last one ends', async () => {
    await write('one', 'two');
    const { bootSegment } = await write();
    expect(bootSegment).toBe(2);
    expect(previousEndOf(1)).toBe(0);
    expect(previousEndOf(2)).toBe(sizeOf(1));
  });

  it('records the end before half an entry, says so in the log, and reads on behind it ever after', async () => {
    await write('kept');
    const end = sizeOf(1);
    writeFileSync(segmentPath(dir, 1), Buffer.from([0, 0, 0, 99, 1, 2, 3]), { flag: 'a' });
    const { logger, said } = listening();
    const journal = await open({ logger });
    await settled(journal, 'more');
    await journal.close();
    expect(previousEndOf(2)).toBe(end);
    expect(said).toEqual([
      {
        level: 'warn',
        message: 'the newest journal segment has unreadable bytes',
        fields: { reason: 'torn_tail', segment: 1, offset: end, bytes: 7 },
      },
    ]);
    expect(read()).toEqual({ payloads: ['kept', 'more'], damages: [] });
  });

  it('says nothing in the log when all is well', async () => {
    await write('one');
    const { logger, said } = listening();
    await (await open({ logger })).close();
    expect(said).toEqual([]);
  });

  it('keeps the entries behind a damaged stretch of the newest segment inside the recorded end', async () => {
    await write('first', 'second', 'third');
    const bytes = readFileSync(segmentPath(dir, 1));
    bytes[SEGMENT_HEADER_BYTES + 10] = (bytes[SEGMENT_HEADER_BYTES + 10] ?? 0) ^ 1;
    writeFileSync(segmentPath(dir, 1), bytes);
    await write('after');
    expect(previousEndOf(2)).toBe(bytes.length);
    const { payloads, damages } = read();
    expect(payloads).toEqual(['second', 'third', 'after']);
    expect(damages.map((damage) => damage.kind)).toEqual(['corrupt']);
  });

  it.each([0, 1, SEGMENT_HEADER_BYTES - 1])(
    'removes the newest segments of %i bytes, which no process ever wrote an entry to, and uses their numbers again',
    async (bytes) => {
      await write('kept');
      for (const segment of [2, 3]) writeFileSync(segmentPath(dir, segment), Buffer.alloc(bytes));
      expect((await write('more')).bootSegment).toBe(2);
      expect(readdirSync(dir).sort()).toEqual([
        'journal-0000000000000001.seg',
        'journal-0000000000000002.seg',
        'journal.id',
      ]);
      expect(read()).toEqual({ payloads: ['kept', 'more'], damages: [] });
    },
  );

  it('keeps a segment that holds nothing but its header, and a short one that is not the newest', async () => {
    await write('kept');
    writeFileSync(segmentPath(dir, 2), Buffer.alloc(3));
    writeFileSync(segmentPath(dir, 3), encodeSegmentHeader({ segment: 3, previousEnd: 0 }));
    expect((await write()).bootSegment).toBe(4);
    expect(sizeOf(2)).toBe(3);
    expect(previousEndOf(4)).toBe(SEGMENT_HEADER_BYTES);
  });

  it('counts what is on disk, and can let go of it', async () => {
    await write('x'.repeat(100));
    await write('y'.repeat(50));
    const journal = await open();
    const sizes = [1, 2, 3].map(sizeOf);
    expect(journal.status().bytesOnDisk).toBe(sizes.reduce((sum, size) => sum + size, 0));
    await journal.releaseBelow(2);
    expect(journal.status().bytesOnDisk).toBe((sizes[1] ?? 0) + (sizes[2] ?? 0));
    await journal.releaseBelow(2);
    await journal.releaseBelow(0);
    expect(readdirSync(dir)).toHaveLength(3);
    await journal.close();
  });

  it('says it when a segment cannot be removed, and tries again the next time', async () => {
    await write('x');
    let broken = true;
    const files: JournalFiles = {
      ...systemJournalFiles,
      async removeLater(path) {
        if (broken) throw Object.assign(new Error('EACCES'), { code: 'EACCES' });
        await systemJournalFiles.removeLater(path);
      },
    };
    const journal = await open({ files });
    await expect(journal.releaseBelow(2)).rejects.toMatchObject({ code: 'EACCES' });
    broken = false;
    await journal.releaseBelow(2);
    expect(readdirSync(dir)).toEqual(['journal-0000000000000002.seg', 'journal.id']);
    await journal.close();
  });

  it('passes over files that are not its own', async () => {
    for (const name of ['notes.txt', 'journal-zzzz.seg', 'quarantine.jsonl'])
      writeFileSync(join(dir, name), 'x');
    expect((await write('one')).bootSegment).toBe(1);
    expect(read().payloads).toEqual(['one']);
  });
});

describe('one entry by its place', () => {
  it('is read whatever its size, and is null where none begins', async () => {
    const payloads = ['small', 'x'.repeat(4096), 'y'.repeat(300_000), ''];
    await write(...payloads);
    const entries = [...readJournal(dir, JOURNAL_START, { onDamage: () => undefined })];
    for (const [index, entry] of entries.entries()) {
      const again = readEntryAt(dir, entry.start);
      expect(again?.payload.toString()).toBe(payloads[index]);
      expect([again?.end, again?.type]).toEqual([entry.end, ENTRY_SETTLED]);
      expect(readEntryAt(dir, { segment: 1, offset: entry.start.offset + 1 })).toBeNull();
    }
    expect(readEntryAt(dir, { segment: 1, offset: sizeOf(1) })).toBeNull();
    expect(readEntryAt(dir, { segment: 1, offset: 10_000_000 })).toBeNull();
    expect(() => readEntryAt(dir, { segment: 5, offset: 28 })).toThrow(
      expect.objectContaining({ code: 'ENOENT' }),
    );
  });

  it('is null where a bit of it has flipped', async () => {
    await write('payload');
    const bytes = readFileSync(segmentPath(dir, 1));
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 0x80;
    writeFileSync(segmentPath(dir, 1), bytes);
    expect(readEntryAt(dir, { segment: 1, offset: SEGMENT_HEADER_BYTES })).toBeNull();
  });
});

describe('watching the free space', () => {
  function watch(reserveBytes: number) {
    const { logger, said } = listening();
    const state = { free: 1000 as number | Error, asked: 0, hold: undefined as Promise<void> | undefined };
    const files: JournalFiles = {
      ...systemJournalFiles,
      async freeBytes() {
        state.asked++;
        await state.hold;
        if (state.free instanceof Error) throw state.free;
        return state.free;
      },
    };
    return { space: new FreeSpace({ dir, files, reserveBytes, logger }), state, said };
  }
  const until = (condition: () => boolean) => eventually(String(condition), condition);

  it('is low below the reserve and not at it, and knows so as soon as it has started', async () => {
    for (const [free, low] of [
      [99, true],
      [100, false],
      [101, false],
    ] as const) {
      const { space, state } = watch(100);
      state.free = free;
      await space.start();
      expect([free, space.low]).toEqual([free, low]);
      space.stop();
    }
  });

  it('says once that it is low and once that it is over, by itself', async () => {
    const { space, state, said } = watch(100);
    state.free = 5;
    await space.start();
    await until(() => state.asked >= 2);
    expect(said).toEqual([
      {
        level: 'error',
        message: 'disk nearly full: new requests are refused',
        fields: { path: dir, bytes: 5 },
      },
    ]);
    state.free = 100;
    await until(() => !space.low);
    expect(said.slice(1)).toEqual([
      {
        level: 'info',
        message: 'disk space is back: requests are accepted',
        fields: { path: dir, bytes: 100 },
      },
    ]);
    space.stop();
  });

  it('stays as it was when the free space cannot be read, and says so once', async () => {
    const { space, state, said } = watch(100);
    state.free = new Error('statfs');
    await space.start();
    expect(space.low).toBe(false);
    expect(said.map(({ level }) => level)).toEqual(['warn']);
    await until(() => state.asked >= 2);
    expect(said.map(({ level }) => level)).toEqual(['warn']);
    state.free = 5;
    await until(() => space.low);
    state.free = new Error('statfs');
    const asked = state.asked;
    await until(() => state.asked > asked);
    expect(space.low).toBe(true);
    space.stop();
  });

  it('asks once at a time, however long an answer takes, and no more once it is stopped', async () => {
    const [slow, stopped, ticking] = [watch(1), watch(1), watch(1)];
    await Promise.all([slow.space.start(), stopped.space.start(), ticking.space.start()]);
    stopped.space.stop();
    let answer = (): void => undefined;
    slow.state.hold = new Promise((resolve) => {
      answer = () => resolve();
    });
    // The third tells the time: it has asked three times more by then.
    await until(() => ticking.state.asked >= 4);
    expect([slow.state.asked, stopped.state.asked]).toEqual([2, 1]);
    answer();
    await until(() => slow.state.asked >= 3);
    slow.space.stop();
    ticking.space.stop();
  });

  it('a journal that opens on a nearly full disk refuses new requests and writes those under way', async () => {
    const files: JournalFiles = { ...systemJournalFiles, freeBytes: async () => 10 };
    const journal = await open({ files, reserveBytes: 11 });
    expect(journal.accepting()).toBe(false);
    const refused = new Promise<Error | null>((resolve) => journal.append(ENTRY_OPENED, 'new', resolve));
    expect(await refused).toMatchObject({ code: 'journal_unavailable' });
    await settled(journal, 'under way');
    await journal.close();
    expect(read().payloads).toEqual(['under way']);
  });
});
