import {
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { appended, openTestJournal } from '@tallygate/testkit/journal-world';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeSegmentHeader, FRAME_HEAD_BYTES, SEGMENT_HEADER_BYTES } from './frame.ts';
import { ENTRY_OPENED, type JournalPosition } from './journal.ts';
import { comparePositions, JOURNAL_START } from './position.ts';
import { type JournalDamage, readJournal } from './read-journal.ts';
import { segmentPath } from './segment-files.ts';

const FRAME = FRAME_HEAD_BYTES + 4;
/** Two entries of four bytes fill a segment. */
const SEGMENT = SEGMENT_HEADER_BYTES + 2 * FRAME;
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'journal-damage-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Entries `e000`, `e001`, …, two in a segment. */
async function write(count: number): Promise<JournalPosition> {
  const journal = await openTestJournal({ dir, segmentBytes: SEGMENT });
  for (let i = 0; i < count; i++) await appended(journal, `e${String(i).padStart(3, '0')}`, ENTRY_OPENED);
  await journal.close();
  return journal.status().safeEnd;
}
function read(from: JournalPosition = JOURNAL_START, to?: JournalPosition) {
  const damages: JournalDamage[] = [];
  const payloads: string[] = [];
  const places: JournalPosition[] = [];
  const options = { onDamage: (damage: JournalDamage) => damages.push(damage) };
  const reader = readJournal(dir, from, to === undefined ? options : { ...options, to });
  let step = reader.next();
  for (; !step.done; step = reader.next()) {
    payloads.push(step.value.payload.toString());
    places.push(step.value.start, step.value.end);
  }
  return { payloads, damages, places, end: step.value };
}
const names = (...numbers: number[]) => numbers.map((n) => `e${String(n).padStart(3, '0')}`);
const flip = (segment: number, at: number): void => {
  const bytes = readFileSync(segmentPath(dir, segment));
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  writeFileSync(segmentPath(dir, segment), bytes);
};
const place = (segment: number, offset = 0): JournalPosition => ({ segment, offset });

describe('where a read begins and ends', () => {
  it('is the whole journal from the start, and nothing from its end', async () => {
    const end = await write(5);
    expect(end).toEqual(place(3, SEGMENT_HEADER_BYTES + FRAME));
    expect(read().payloads).toEqual(names(0, 1, 2, 3, 4));
    expect(read().end).toEqual(end);
    expect(read(end)).toMatchObject({ payloads: [], damages: [], end });
    expect(read(end, end)).toMatchObject({ payloads: [], damages: [], end });
    // A reader that is ahead of what it is told stays where it is.
    expect(read(end, place(1, 50))).toMatchObject({ payloads: [], damages: [], end });
  });

  it('begins with the header of a segment, or right behind it, alike', async () => {
    await write(5);
    for (const offset of [0, SEGMENT_HEADER_BYTES]) {
      expect(read(place(2, offset)).payloads).toEqual(names(2, 3, 4));
    }
  });

  it('goes no further than it is told, even by an entry, and says where to go on', async () => {
    const end = await write(5);
    const one = place(2, SEGMENT_HEADER_BYTES + FRAME);
    expect(read(JOURNAL_START, one)).toMatchObject({ payloads: names(0, 1, 2), end: one, damages: [] });
    expect(read(one, end)).toMatchObject({ payloads: names(3, 4), end, damages: [] });
    const border = place(2, SEGMENT_HEADER_BYTES);
    expect(read(JOURNAL_START, border)).toMatchObject({ payloads: names(0, 1), end: border, damages: [] });
  });

  it('in steps of any size gives every entry once', async () => {
    const end = await write(11);
    const all = read();
    const stops = all.places.filter((_, index) => index % 2 === 1);
    fc.assert(
      fc.property(fc.subarray(stops), (some) => {
        let from = JOURNAL_START;
        const seen: string[] = [];
        for (const to of [...some, end]) {
          const part = read(from, to);
          expect(part.damages).toEqual([]);
          seen.push(...part.payloads);
          from = part.end;
        }
        expect(seen).toEqual(all.payloads);
        expect(from).toEqual(end);
      }),
    );
  });

  it('of an empty journal is nothing', async () => {
    const end = await write(0);
    expect(end).toEqual(place(1, SEGMENT_HEADER_BYTES));
    expect(read(JOURNAL_START, end)).toMatchObject({ payloads: [], damages: [], end });
    rmSync(segmentPath(dir, 1));
    expect(read()).toMatchObject({ payloads: [], damages: [], end: JOURNAL_START });
  });
});

describe('segments that are gone', () => {
  it.each([
    [[2], names(0, 1, 4, 5, 6, 7), [[place(2), place(3)]]],
    [[2, 3], names(0, 1, 6, 7), [[place(2), place(4)]]],
    // The newest one: known from the end that the writer announced.
    [
      [2, 4],
      names(0, 1, 4, 5),
      [
        [place(2), place(3)],
        [place(3, SEGMENT), place(5)],
      ],
    ],
    // The first ones may be gone: they are released once nobody needs them.
    [[1], names(2, 3, 4, 5, 6, 7), []],
    [[1, 2], names(4, 5, 6, 7), []],
  ] as [number[], string[], [JournalPosition, JournalPosition][]][])(
    '%j: the rest is read, and the gap is told by its two edges',
    async (gone, left, gaps) => {
      const end = await write(8);
      for (const segment of gone) unlinkSync(segmentPath(dir, segment));
      const { payloads, damages } = read(JOURNAL_START, end);
      expect(payloads).toEqual(left);
      const missing = damages.filter(({ kind }) => kind === 'missing_segment');
      expect(missing.map(({ at, resumedAt, lostBytes }) => [at, resumedAt, lostBytes])).toEqual(
        gaps.map(([at, resumedAt]) => [at, resumedAt, null]),
      );
    },
  );

  it('by which a reader stood is told, from where it stood', async () => {
    const end = await write(8);
    const stood = place(2, SEGMENT_HEADER_BYTES + FRAME);
    unlinkSync(segmentPath(dir, 2));
    expect(read(stood, end)).toMatchObject({
      payloads: names(4, 5, 6, 7),
      damages: [{ kind: 'missing_segment', at: stood, resumedAt: place(3) }],
    });
  });

  it('all of them: the reader goes to where it was told the end is, once', async () => {
    const end = await write(4);
    for (const segment of [1, 2]) unlinkSync(segmentPath(dir, segment));
    const { payloads, damages, end: reached } = read(place(1, SEGMENT_HEADER_BYTES), end);
    expect([payloads, reached]).toEqual([[], end]);
    expect(damages).toHaveLength(1);
    expect(read(reached, end).damages).toEqual([]);
  });
});

describe('a damaged header', () => {
  it('costs no entry, in any segment, and is told as bytes of that segment', async () => {
    const end = await write(6);
    flip(2, 10);
    const { payloads, damages } = read(JOURNAL_START, end);
    expect(payloads).toEqual(names(0, 1, 2, 3, 4, 5));
    expect(damages).toEqual([
      {
        kind: 'corrupt',
        at: place(2),
        resumedAt: place(2, SEGMENT_HEADER_BYTES),
        lostBytes: SEGMENT_HEADER_BYTES,
      },
    ]);
    // Who begins behind the header never hears of it.
    expect(read(place(2, SEGMENT_HEADER_BYTES), end).damages).toEqual([]);
  });

  it('that is of another segment is none: a file that was renamed is not taken for its number', async () => {
    const end = await write(4);
    writeFileSync(segmentPath(dir, 2), readFileSync(segmentPath(dir, 1)));
    const { payloads, damages } = read(JOURNAL_START, end);
    expect(payloads).toEqual(names(0, 1));
    expect(damages.every(({ kind, at }) => kind === 'corrupt' && at.segment === 2)).toBe(true);
    expect(damages.length).toBeGreaterThan(0);
  });

  it('of the next segment leaves the size of the file to say where this one ends', async () => {
    const end = await write(4);
    writeFileSync(segmentPath(dir, 1), 'torn', { flag: 'a' });
    expect(read(JOURNAL_START, end).damages).toEqual([]);
    flip(2, 20);
    const { payloads, damages } = read(JOURNAL_START, end);
    expect(payloads).toEqual(names(0, 1, 2, 3));
    expect(damages.map(({ at, lostBytes }) => [at, lostBytes])).toEqual([
      [place(1, SEGMENT), 4],
      [place(2), SEGMENT_HEADER_BYTES],
    ]);
  });
});

describe('what a segment’s successor says of its end', () => {
  it('is believed over the size of the file: bytes behind it never were part of the journal', async () => {
    const end = await write(4);
    const whole = readFileSync(segmentPath(dir, 1));
    // A complete entry behind the recorded end, as a failed sync leaves it: written again elsewhere.
    writeFileSync(
      segmentPath(dir, 2),
      Buffer.concat([
        encodeSegmentHeader({ segment: 2, previousEnd: SEGMENT_HEADER_BYTES + FRAME }),
        readFileSync(segmentPath(dir, 2)).subarray(SEGMENT_HEADER_BYTES),
      ]),
    );
    expect(whole.length).toBe(SEGMENT);
    expect(read(JOURNAL_START, end)).toMatchObject({ payloads: names(0, 2, 3), damages: [] });
  });

  it('is told as lost when the file ends before it', async () => {
    const end = await write(4);
    truncateSync(segmentPath(dir, 1), SEGMENT_HEADER_BYTES + FRAME);
    expect(read(JOURNAL_START, end)).toMatchObject({
      payloads: names(0, 2, 3),
      damages: [
        {
          kind: 'corrupt',
          at: place(1, SEGMENT_HEADER_BYTES + FRAME),
          resumedAt: place(1, SEGMENT),
          lostBytes: FRAME,
        },
      ],
    });
  });

  it('and so is what the writer announced and the newest file lacks', async () => {
    const end = await write(3);
    truncateSync(segmentPath(dir, 2), SEGMENT_HEADER_BYTES);
    expect(read(JOURNAL_START, end)).toMatchObject({
      payloads: names(0, 1),
      end,
      damages: [{ kind: 'corrupt', at: place(2, SEGMENT_HEADER_BYTES), resumedAt: end, lostBytes: FRAME }],
    });
    // Without being told, the file is all there is.
    expect(read().damages).toEqual([]);
  });
});

describe('whatever happens to the bytes', () => {
  it('at random: only entries that were written are read, in order; every position moves on; all is told', async () => {
    const end = await write(12);
    const clean = read();
    const files = [1, 2, 3, 4, 5, 6].map(
      (segment) => [segment, readFileSync(segmentPath(dir, segment))] as const,
    );
    const harm = fc.oneof(
      fc.record({ flip: fc.nat(), segment: fc.integer({ min: 1, max: 6 }) }),
      fc.record({ cut: fc.nat(), segment: fc.integer({ min: 1, max: 6 }) }),
      fc.record({ grow: fc.uint8Array({ maxLength: 40 }), segment: fc.integer({ min: 1, max: 6 }) }),
      fc.record({ zero: fc.nat(), segment: fc.integer({ min: 1, max: 6 }) }),
      fc.record({ gone: fc.constant(true), segment: fc.integer({ min: 1, max: 6 }) }),
    );
    fc.assert(
      fc.property(fc.array(harm, { minLength: 1, maxLength: 5 }), (harms) => {
        for (const [segment, bytes] of files) writeFileSync(segmentPath(dir, segment), bytes);
        const gone = new Set<number>();
        for (const one of harms) {
          const path = segmentPath(dir, one.segment);
          if (gone.has(one.segment)) continue;
          const { size } = statSync(path);
          if ('flip' in one && size > 0) flip(one.segment, one.flip % size);
          if ('cut' in one) truncateSync(path, one.cut % (size + 1));
          if ('grow' in one) writeFileSync(path, one.grow, { flag: 'a' });
          if ('zero' in one)
            writeFileSync(
              path,
              Buffer.concat([readFileSync(path).subarray(0, one.zero % (size + 1)), Buffer.alloc(20)]),
            );
          if (!('gone' in one)) continue;
          unlinkSync(path);
          gone.add(one.segment);
        }
        const result = read(JOURNAL_START, end);
        const kept = clean.payloads.filter((payload) => result.payloads.includes(payload));
        expect(result.payloads).toEqual(kept);
        for (let i = 1; i < result.places.length; i++) {
          const [before, after] = [result.places[i - 1], result.places[i]];
          if (before && after) expect(comparePositions(before, after)).toBeLessThanOrEqual(0);
        }
        expect(result.end).toEqual(end);
        for (const { at, resumedAt } of result.damages)
          expect(comparePositions(at, resumedAt)).toBeLessThan(0);
        // Nothing is lost in silence, but for what the first segments held when they are gone altogether.
        const first = result.places[0]?.segment ?? 7;
        const lost = clean.payloads.filter(
          (payload, i) => Math.floor(i / 2) + 1 >= first && !result.payloads.includes(payload),
        );
        if (lost.length > 0 && result.payloads.length > 0) expect(result.damages.length).toBeGreaterThan(0);
      }),
      { numRuns: 300 },
    );
  });
});
