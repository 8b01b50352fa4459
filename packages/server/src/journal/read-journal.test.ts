import { mkdtempSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../kernel/clock.ts';
import { createIdSource } from '../kernel/ids.ts';
import { silentLogger } from '../kernel/logger.ts';
import { FRAME_HEAD_BYTES, SEGMENT_HEADER_BYTES } from './frame.ts';
import { ENTRY_OPENED, ENTRY_SETTLED, type EntryType, type JournalPosition } from './journal.ts';
import { openJournal } from './open-journal.ts';
import { JOURNAL_START } from './position.ts';
import { type JournalDamage, readEntryAt, readJournal } from './read-journal.ts';
import { segmentPath } from './segment-files.ts';

interface Written {
  type: EntryType;
  payload: string;
}

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'journal-read-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function options(dir: string, segmentBytes?: number) {
  return {
    dir,
    fsync: 'process' as const,
    maxWaitingBytes: 16 * 1024 * 1024,
    reserveBytes: 0,
    clock: systemClock,
    logger: silentLogger,
    ids: createIdSource(systemClock),
    ...(segmentBytes === undefined ? {} : { segmentBytes }),
  };
}

async function writeAll(dir: string, entries: Written[], segmentBytes?: number): Promise<JournalPosition> {
  const journal = await openJournal(options(dir, segmentBytes));
  for (const { type, payload } of entries) {
    journal.append(type, payload, (error) => {
      if (error) throw error;
    });
  }
  await journal.close();
  return journal.status().safeEnd;
}

function readAll(dir: string, from: JournalPosition = JOURNAL_START, to?: JournalPosition) {
  const entries: (Written & { start: JournalPosition; end: JournalPosition })[] = [];
  const damages: JournalDamage[] = [];
  const reader = readJournal(dir, from, {
    onDamage: (damage) => damages.push(damage),
    ...(to === undefined ? {} : { to }),
  });
  let step = reader.next();
  for (; !step.done; step = reader.next()) {
    const { type, payload, start, end } = step.value;
    entries.push({ type, payload: payload.toString('utf8'), start, end });
  }
  return { entries, damages, end: step.value };
}

const plain = (entries: Written[]) => entries.map(({ type, payload }) => ({ type, payload }));

const entryArbitrary = fc.record({
  type: fc.constantFrom<EntryType>(ENTRY_OPENED, ENTRY_SETTLED),
  payload: fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 60 }),
    fc.string({ unit: 'binary', maxLength: 60 }).filter((text) => text.isWellFormed()),
    fc.json(),
  ),
});

let folders = 0;
const freshDir = () => join(root, `j${folders++}`);

describe('reading what was written', () => {
  it('gives back every entry in order, over any number of segments, from every position', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(entryArbitrary, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 40, max: 600 }),
        async (entries, segmentBytes) => {
          const dir = freshDir();
          const safeEnd = await writeAll(dir, entries, segmentBytes);
          const all = readAll(dir);
          expect(plain(all.entries)).toEqual(entries);
          expect(all.damages).toEqual([]);
          expect(all.end).toEqual(safeEnd);
          for (const [index, entry] of all.entries.entries()) {
            expect(plain(readAll(dir, entry.start, safeEnd).entries)).toEqual(entries.slice(index));
            expect(plain(readAll(dir, entry.end, safeEnd).entries)).toEqual(entries.slice(index + 1));
            expect(plain(readAll(dir, JOURNAL_START, entry.end).entries)).toEqual(
              entries.slice(0, index + 1),
            );
            expect(readEntryAt(dir, entry.start)?.payload.toString()).toBe(entry.payload);
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it('keeps a segment within its bound unless one entry alone is larger', async () => {
    const dir = freshDir();
    const big = 'x'.repeat(5000);
    const payloads = [...'abcdefgh'].map((letter) => letter.repeat(400)).concat(big);
    await writeAll(
      dir,
      payloads.map((payload) => ({ type: ENTRY_OPENED, payload })),
      1000,
    );
    for (let segment = 1; segment <= 4; segment++) {
      expect(statSync(segmentPath(dir, segment)).size).toBeLessThanOrEqual(1000);
    }
    expect(readAll(dir).entries.at(-1)?.payload).toBe(big);
  });

  it('reads segments of several process lives one after the other', async () => {
    const dir = freshDir();
    await writeAll(dir, [{ type: ENTRY_OPENED, payload: 'one' }]);
    await writeAll(dir, [{ type: ENTRY_OPENED, payload: 'two' }]);
    await writeAll(dir, []);
    await writeAll(dir, [{ type: ENTRY_SETTLED, payload: 'three' }]);
    const { entries, damages } = readAll(dir);
    expect(entries.map((entry) => entry.payload)).toEqual(['one', 'two', 'three']);
    expect(entries.map((entry) => entry.start.segment)).toEqual([1, 2, 4]);
    expect(damages).toEqual([]);
  });
});

describe('a torn tail (CF-17)', () => {
  it('cut at every byte: every entry before the cut is read, nothing else, and writing goes on behind it', async () => {
    const dir = freshDir();
    const entries: Written[] = ['alpha', 'βeta', '', '{"id":4}'].map((payload) => ({
      type: ENTRY_SETTLED,
      payload,
    }));
    await writeAll(dir, entries);
    const ends = readAll(dir).entries.map((entry) => entry.end.offset);
    const bytes = readFileSync(segmentPath(dir, 1));
    for (let cut = 0; cut <= bytes.length; cut++) {
      const torn = freshDir();
      await writeAll(torn, []);
      writeFileSync(segmentPath(torn, 1), bytes.subarray(0, cut));
      const whole = ends.filter((end) => end <= cut).length;
      const before = readAll(torn);
      expect(plain(before.entries)).toEqual(entries.slice(0, whole));
      const lastEnd = ends[whole - 1] ?? Math.min(SEGMENT_HEADER_BYTES, cut);
      const onBoundary = cut === lastEnd && cut >= SEGMENT_HEADER_BYTES;
      expect(before.damages.map((damage) => damage.kind)).toEqual(
        onBoundary || cut === 0 ? [] : ['torn_tail'],
      );

      await writeAll(torn, [{ type: ENTRY_OPENED, payload: 'after' }]);
      const after = readAll(torn);
      expect(plain(after.entries)).toEqual([
        ...entries.slice(0, whole),
        { type: ENTRY_OPENED, payload: 'after' },
      ]);
      // Sealed by the next segment's header: no longer damage, since nobody was told those bytes were safe.
      expect(after.damages, `cut ${cut}`).toEqual([]);
    }
  });

  it('half an entry, then a process that died before its first header: neither is damage once reopened', async () => {
    const dir = freshDir();
    await writeAll(dir, [{ type: ENTRY_SETTLED, payload: 'kept' }]);
    const path = segmentPath(dir, 1);
    writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.from([0, 0, 0, 9, 1])]));
    writeFileSync(segmentPath(dir, 2), Buffer.alloc(10));
    const safeEnd = await writeAll(dir, [{ type: ENTRY_SETTLED, payload: 'more' }]);
    expect(safeEnd.segment).toBe(2);
    expect(readAll(dir)).toMatchObject({ entries: [{ payload: 'kept' }, { payload: 'more' }], damages: [] });
  });

  it('a tail that grew a block of zeros is a torn tail', async () => {
    const dir = freshDir();
    await writeAll(dir, [{ type: ENTRY_SETTLED, payload: 'kept' }]);
    const path = segmentPath(dir, 1);
    const size = statSync(path).size;
    writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.alloc(4096)]));
    const { entries, damages } = readAll(dir);
    expect(entries.map((entry) => entry.payload)).toEqual(['kept']);
    expect(damages).toEqual([
      {
        kind: 'torn_tail',
        at: { segment: 1, offset: size },
        resumedAt: { segment: 1, offset: size + 4096 },
        lostBytes: 4096,
      },
    ]);
  });
});

describe('damage in the middle', () => {
  it('any flipped bit: nothing altered is returned, everything else is, and the loss is reported', async () => {
    const dir = freshDir();
    const entries: Written[] = ['first', 'second', 'third', 'fourth'].map((payload, index) => ({
      type: index % 2 === 0 ? ENTRY_OPENED : ENTRY_SETTLED,
      payload,
    }));
    const safeEnd = await writeAll(dir, entries);
    const spans = readAll(dir).entries;
    const path = segmentPath(dir, 1);
    const bytes = readFileSync(path);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = Buffer.from(bytes);
      const at = bit >> 3;
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (bit & 7));
      writeFileSync(path, damaged);
      const hit = spans.findIndex((span) => at >= span.start.offset && at < span.end.offset);
      const expected = entries.filter((_, index) => index !== hit);
      const announced = readAll(dir, JOURNAL_START, safeEnd);
      expect(plain(announced.entries), `bit ${bit}`).toEqual(expected);
      expect(announced.damages.length, `bit ${bit}`).toBe(1);
      expect(announced.damages[0]?.kind).toBe('corrupt');
      expect(announced.damages[0]?.lostBytes).toBe(
        hit < 0 ? SEGMENT_HEADER_BYTES : (spans[hit]?.end.offset ?? 0) - (spans[hit]?.start.offset ?? 0),
      );
      expect(plain(readAll(dir).entries), `bit ${bit}, whole file`).toEqual(expected);
    }
  });

  it('several damaged stretches over several segments lose only the entries they touch', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(entryArbitrary, { minLength: 3, maxLength: 30 }),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 40 })), { minLength: 1, maxLength: 4 }),
        async (entries, stretches) => {
          const dir = freshDir();
          const safeEnd = await writeAll(dir, entries, 500);
          const spans = readAll(dir).entries;
          const hit = new Set<number>();
          for (const [seed, length] of stretches) {
            const span = spans[seed % spans.length];
            if (span === undefined) continue;
            const path = segmentPath(dir, span.start.segment);
            const bytes = readFileSync(path);
            const from = span.start.offset + (seed % (span.end.offset - span.start.offset));
            const to = Math.min(bytes.length, from + length);
            for (let at = from; at < to; at++) bytes[at] = (bytes[at] ?? 0) ^ 0x5a;
            writeFileSync(path, bytes);
            // Overlapping stretches may restore bytes: what counts is what differs now, checked below per entry.
            for (const [index, other] of spans.entries()) {
              const touched =
                other.start.segment === span.start.segment &&
                other.start.offset < to &&
                other.end.offset > from;
              if (touched) hit.add(index);
            }
          }
          const { entries: read } = readAll(dir, JOURNAL_START, safeEnd);
          const untouched = entries.filter((_, index) => !hit.has(index));
          const readStarts = new Map(
            read.map((entry) => [`${entry.start.segment}:${entry.start.offset}`, entry]),
          );
          for (const [index, span] of spans.entries()) {
            const found = readStarts.get(`${span.start.segment}:${span.start.offset}`);
            if (!hit.has(index)) expect(found?.payload).toBe(span.payload);
            if (found !== undefined) expect(found.payload).toBe(span.payload);
          }
          expect(read.length).toBeGreaterThanOrEqual(untouched.length);
          expect(read.length).toBeLessThanOrEqual(entries.length);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('bytes inside a damaged payload that look like an entry are not taken for one', async () => {
    // A complete, valid segment is smuggled in as the payload of an entry, which is then damaged at its head.
    const inner = freshDir();
    await writeAll(inner, [{ type: ENTRY_SETTLED, payload: 'forged' }]);
    const frame = readFileSync(segmentPath(inner, 1)).subarray(SEGMENT_HEADER_BYTES);
    const dir = freshDir();
    await writeAll(dir, [
      { type: ENTRY_OPENED, payload: 'x'.repeat(200) },
      { type: ENTRY_OPENED, payload: 'real' },
    ]);
    const path = segmentPath(dir, 1);
    const bytes = readFileSync(path);
    frame.copy(bytes, SEGMENT_HEADER_BYTES + FRAME_HEAD_BYTES + 20);
    writeFileSync(path, bytes);
    const { entries, damages } = readAll(dir);
    expect(entries.map((entry) => entry.payload)).toEqual(['real']);
    expect(damages).toHaveLength(1);
  });

  it('a file that is gone, a file that is short: reported with the place, and reading goes on', async () => {
    const dir = freshDir();
    const entries: Written[] = [...'abcdef'].map((c) => ({ type: ENTRY_SETTLED, payload: c.repeat(300) }));
    const safeEnd = await writeAll(dir, entries, 400);
    unlinkSync(segmentPath(dir, 3));
    const short = segmentPath(dir, 5);
    writeFileSync(short, readFileSync(short).subarray(0, 100));
    const { entries: read, damages } = readAll(dir, JOURNAL_START, safeEnd);
    expect(read.map((entry) => entry.payload[0])).toEqual(['a', 'b', 'd', 'f']);
    const size = SEGMENT_HEADER_BYTES + FRAME_HEAD_BYTES + 300;
    // Without segment 3 nothing says where segment 2 ends but its size.
    expect(damages).toEqual([
      {
        kind: 'missing_segment',
        at: { segment: 3, offset: 0 },
        resumedAt: { segment: 4, offset: 0 },
        lostBytes: null,
      },
      {
        kind: 'corrupt',
        at: { segment: 5, offset: SEGMENT_HEADER_BYTES },
        resumedAt: { segment: 5, offset: 100 },
        lostBytes: 100 - SEGMENT_HEADER_BYTES,
      },
      {
        kind: 'corrupt',
        at: { segment: 5, offset: 100 },
        resumedAt: { segment: 5, offset: size },
        lostBytes: size - 100,
      },
    ]);
  });

  it('reports the newest segment missing when the writer had announced it', async () => {
    const dir = freshDir();
    const safeEnd = await writeAll(dir, [{ type: ENTRY_SETTLED, payload: 'gone' }]);
    unlinkSync(segmentPath(dir, 1));
    for (const from of [JOURNAL_START, { segment: 1, offset: SEGMENT_HEADER_BYTES }]) {
      const { entries, damages, end } = readAll(dir, from, safeEnd);
      expect(entries).toEqual([]);
      expect(damages.map((damage) => damage.kind)).toEqual(['missing_segment']);
      expect(end).toEqual(safeEnd);
    }
  });

  it('refuses a journal of an unknown format instead of guessing', async () => {
    const dir = freshDir();
    await writeAll(dir, []);
    const path = segmentPath(dir, 1);
    const header = readFileSync(path);
    header.writeUInt32BE(2, 4);
    const { crc32 } = await import('node:zlib');
    header.writeUInt32BE(crc32(header.subarray(0, SEGMENT_HEADER_BYTES - 4)), SEGMENT_HEADER_BYTES - 4);
    writeFileSync(path, header);
    expect(() => readAll(dir)).toThrow(/format 2/);
    await expect(openJournal(options(dir))).rejects.toThrow(/format 2/);
  });
});
