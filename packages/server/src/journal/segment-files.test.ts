import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type JournalFiles, systemJournalFiles } from './journal-files.ts';
import { journalId } from './journal-id.ts';
import { comparePositions, JOURNAL_START } from './position.ts';
import { segmentNumbers, segmentPath } from './segment-files.ts';
import { SegmentWindow } from './segment-window.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'journal-files-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('the names of segments', () => {
  it('are sixteen hexadecimal digits, which sort as the numbers do', () => {
    expect(segmentPath('/d', 1)).toBe(join('/d', 'journal-0000000000000001.seg'));
    expect(segmentPath('/d', 255)).toBe(join('/d', 'journal-00000000000000ff.seg'));
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (a, b) => {
        expect(segmentPath('', a) < segmentPath('', b)).toBe(a < b);
      }),
    );
  });

  it('are read back in ascending order, and files that are none are passed over', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.maxSafeNat()), (numbers) => {
        const names = numbers.map((number) => segmentPath('', number));
        expect(segmentNumbers(names)).toEqual(numbers.toSorted((a, b) => a - b));
      }),
    );
    expect(
      segmentNumbers([
        'journal.id',
        'quarantine.jsonl',
        'journal-1.seg',
        'journal-000000000000000G.seg',
        'journal-00000000000000FF.seg',
        'journal-00000000000000001.seg',
        'journal-0000000000000002.seg.bak',
        'old-journal-0000000000000002.seg',
        'journal-0000000000000003.seg',
      ]),
    ).toEqual([3]);
    expect(segmentNumbers([])).toEqual([]);
  });
});

describe('positions', () => {
  const position = fc.record({ segment: fc.nat(3), offset: fc.nat(3) });
  it('are ordered by segment, then by offset, and the start is before them all', () => {
    fc.assert(
      fc.property(position, position, (a, b) => {
        const order = Math.sign(comparePositions(a, b));
        expect(order).toBe(Math.sign(a.segment * 10 + a.offset - (b.segment * 10 + b.offset)));
        expect(Math.sign(comparePositions(b, a)) + order).toBe(0);
      }),
    );
    expect(comparePositions(JOURNAL_START, { segment: 1, offset: 0 })).toBeLessThan(0);
  });
});

describe('the id of a journal', () => {
  const ids =
    (...made: string[]) =>
    () =>
      made.shift() ?? 'too many';
  const path = () => join(dir, 'journal.id');

  it('is made once, kept in a file for its owner, and the same ever after', () => {
    expect(journalId(dir, ids('first'))).toBe('first');
    expect(readFileSync(path(), 'utf8')).toBe('first\n');
    if (process.platform !== 'win32') expect(statSync(path()).mode & 0o777).toBe(0o600);
    expect(journalId(dir, ids('second'))).toBe('first');
    expect(readdirSync(dir)).toEqual(['journal.id']);
  });

  it('is made again when a crash left an empty file, or half a new one', () => {
    writeFileSync(path(), '');
    writeFileSync(`${path()}.new`, 'ha');
    expect(journalId(dir, ids('whole'))).toBe('whole');
    writeFileSync(path(), ' \n');
    expect(journalId(dir, ids('again'))).toBe('again');
    expect(readdirSync(dir)).toEqual(['journal.id']);
  });

  it('is never made up when the file is there and cannot be read: another id is another journal', () => {
    // A link to itself: reading fails, and a new file would take its place.
    symlinkSync('journal.id', path());
    expect(() => journalId(dir, ids('made up'))).toThrow(expect.objectContaining({ code: 'ELOOP' }));
    expect(readdirSync(dir)).toEqual(['journal.id']);
  });
});

describe('a window on a file', () => {
  const bytes = Buffer.from(Array.from({ length: 1000 }, (_, i) => i % 251));
  const open = (chunkBytes: number): SegmentWindow => {
    writeFileSync(join(dir, 'f'), bytes);
    return new SegmentWindow(join(dir, 'f'), chunkBytes);
  };

  it('shows every stretch as it is in the file, whatever was looked at before', () => {
    const stretch = fc.tuple(fc.nat(1100), fc.nat(400));
    fc.assert(
      fc.property(
        fc.array(stretch, { maxLength: 20 }),
        fc.integer({ min: 1, max: 300 }),
        (stretches, chunk) => {
          const window = open(chunk);
          const shown: [Buffer, Buffer][] = [];
          for (const [offset, length] of stretches) {
            const at = window.locate(offset, length);
            if (offset + length > bytes.length) expect(at).toBe(-1);
            else {
              expect(at).toBeGreaterThanOrEqual(0);
              shown.push([window.bytes.subarray(at, at + length), bytes.subarray(offset, offset + length)]);
            }
          }
          window.close();
          // All of them at the end: what was handed out stays valid when the window moves on.
          for (const [seen, expected] of shown) expect(seen.equals(expected)).toBe(true);
        },
      ),
    );
  });

  it('reads no further than it is told, nor than the file goes', () => {
    const window = open(64);
    expect([window.size, window.limit]).toEqual([1000, 1000]);
    window.limitTo(100);
    expect(window.limit).toBe(100);
    expect([window.locate(90, 10) >= 0, window.locate(90, 11), window.locate(100, 0) >= 0]).toEqual([
      true,
      -1,
      true,
    ]);
    expect(window.locate(0, 100)).toBe(0);
    expect(window.bytes.length).toBeLessThanOrEqual(100);
    window.limitTo(5000);
    expect(window.limit).toBe(1000);
    window.close();
  });

  it('reads ahead by its chunk, and not twice what it holds', () => {
    const window = open(200);
    window.locate(0, 10);
    const held = window.bytes;
    expect(held.length).toBe(200);
    expect(window.locate(150, 50)).toBe(150);
    expect(window.bytes).toBe(held);
    window.locate(150, 51);
    expect(window.bytes).not.toBe(held);
    expect(window.locate(150, 0)).toBe(0);
    window.locate(0, 900);
    expect(window.bytes.length).toBe(900);
    window.close();
  });

  it('of a file that became shorter meanwhile is no stretch rather than wrong bytes', () => {
    const window = open(64);
    writeFileSync(join(dir, 'f'), bytes.subarray(0, 300));
    expect(window.locate(290, 20)).toBe(-1);
    expect(window.locate(900, 10)).toBe(-1);
    expect(window.locate(200, 100)).toBe(0);
    window.close();
  });

  it('on no file is the system’s error', () => {
    expect(() => new SegmentWindow(join(dir, 'none'))).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });
});

describe('the real file system', () => {
  const files: JournalFiles = systemJournalFiles;

  it('creates a file once: one that is there is never opened for writing', () => {
    const path = join(dir, 'new');
    files.close(files.create(path));
    expect(() => files.create(path)).toThrow(expect.objectContaining({ code: 'EEXIST' }));
    if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('writes the stretch it is given, at the place it is given', () => {
    const path = join(dir, 'new');
    const file = files.create(path);
    const bytes = Buffer.from('abcdefgh');
    expect(files.write(file, bytes, { start: 2, length: 3, position: 0 })).toBe(3);
    expect(files.write(file, bytes, { start: 6, length: 2, position: 5 })).toBe(2);
    files.close(file);
    expect(readFileSync(path, 'latin1')).toBe('cde\0\0gh');
    expect(files.size(path)).toBe(7);
  });

  it('syncs data and names, and says so when it cannot', async () => {
    const file = files.create(join(dir, 'new'));
    await files.dataSync(file);
    files.close(file);
    await files.syncDirectory(dir);
    await expect(files.dataSync(file)).rejects.toMatchObject({ code: 'EBADF' });
    if (process.platform !== 'win32')
      await expect(files.syncDirectory(join(dir, 'none'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('makes the folder with all above it, lists, removes now and later', async () => {
    const deep = join(dir, 'a', 'b');
    files.makeDirectory(deep);
    files.makeDirectory(deep);
    if (process.platform !== 'win32') expect(statSync(deep).mode & 0o777).toBe(0o700);
    for (const name of ['x', 'y']) files.close(files.create(join(deep, name)));
    expect(files.list(deep).sort()).toEqual(['x', 'y']);
    files.remove(join(deep, 'x'));
    await files.removeLater(join(deep, 'y'));
    expect(files.list(deep)).toEqual([]);
    await expect(files.removeLater(join(deep, 'y'))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
