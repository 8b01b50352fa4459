import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { comparePositions, JOURNAL_START } from './position.ts';
import { SegmentWindow } from './segment-window.ts';

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'segment-window-'));
  path = join(dir, '1.seg');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Bytes that tell where they stand. */
const filled = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, at) => (at * 31) % 251));

function withWindow<T>(chunkBytes: number, work: (window: SegmentWindow) => T): T {
  const window = new SegmentWindow(path, chunkBytes);
  try {
    return work(window);
  } finally {
    window.close();
  }
}

describe('a segment read through a window', () => {
  it('gives the bytes of the file from anywhere, in any order, whatever is read at once (property)', () => {
    const ask = fc.tuple(fc.nat(700), fc.nat(120));
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 600 }),
        fc.integer({ min: 1, max: 300 }),
        fc.option(fc.nat(700)),
        fc.array(ask, { maxLength: 30 }),
        (size, chunkBytes, limit, asks) => {
          const file = filled(size);
          writeFileSync(path, file);
          withWindow(chunkBytes, (window) => {
            if (limit !== null) window.limitTo(limit);
            const end = Math.min(size, limit ?? size);
            expect([window.size, window.limit]).toEqual([size, end]);
            const given: { slice: Buffer; offset: number; length: number }[] = [];
            for (const [offset, length] of asks) {
              const at = window.locate(offset, length);
              expect(at >= 0).toBe(offset + length <= end);
              if (at < 0) continue;
              given.push({ slice: window.bytes.subarray(at, at + length), offset, length });
            }
            // What was handed out stays as it was, whatever was read after it.
            for (const { slice, offset, length } of given)
              expect(slice.equals(file.subarray(offset, offset + length))).toBe(true);
          });
        },
      ),
      { numRuns: 200 },
    );
  });

  it('ends where the file ended when it was opened, though more is appended while it is read', () => {
    writeFileSync(path, filled(100));
    withWindow(1_000, (window) => {
      appendFileSync(path, 'more');
      expect([window.size, window.locate(100, 1), window.locate(99, 1) >= 0]).toEqual([100, -1, true]);
    });
  });

  it('says that bytes are not there when the file was cut while it is read, and makes up none', () => {
    writeFileSync(path, filled(100));
    withWindow(10, (window) => {
      truncateSync(path, 50);
      expect(window.locate(45, 10)).toBe(-1);
      expect(window.locate(60, 1)).toBe(-1);
      const at = window.locate(40, 10);
      expect(window.bytes.subarray(at, at + 10).equals(filled(100).subarray(40, 50))).toBe(true);
    });
  });

  it('limits can be moved, never beyond the end; nothing at all is at every place up to the limit', () => {
    writeFileSync(path, filled(20));
    withWindow(8, (window) => {
      window.limitTo(5);
      expect([window.locate(5, 0) >= 0, window.locate(5, 1), window.locate(0, 6)]).toEqual([true, -1, -1]);
      window.limitTo(1_000);
      expect([window.limit, window.locate(19, 1) >= 0, window.locate(20, 1)]).toEqual([20, true, -1]);
    });
  });

  it('is an error of the system when the file is not there', () => {
    expect(() => new SegmentWindow(path)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });
});

it('positions are in the order of segments, then of offsets, and the start is before all of them (property)', () => {
  const position = fc.record({ segment: fc.integer({ min: 1, max: 9 }), offset: fc.nat(9) });
  fc.assert(
    fc.property(position, position, (a, b) => {
      const expected = a.segment === b.segment ? a.offset - b.offset : a.segment - b.segment;
      expect(Math.sign(comparePositions(a, b))).toBe(Math.sign(expected));
      expect(comparePositions(a, b) === 0).toBe(a.segment === b.segment && a.offset === b.offset);
      expect(comparePositions(JOURNAL_START, a)).toBeLessThan(0);
    }),
  );
});
