import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { handClock } from '@tallygate/testkit/journal-world';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { comparePositions } from '../journal/position.ts';
import { OpenRequests } from './open-requests.ts';
import { createQuarantine } from './quarantine.ts';

const at = (segment: number, offset = 28) => ({ segment, offset });

describe('requests that are opened and not settled', () => {
  it('are listed oldest first, by where they were opened', () => {
    const open = new OpenRequests();
    open.open('a', at(1));
    open.open('b', at(2));
    open.open('c', at(2, 90));
    expect(open.positions()).toEqual([at(1), at(2), at(2, 90)]);
    open.settle('b');
    open.settle('never opened');
    expect([open.size, open.positions()]).toEqual([2, [at(1), at(2, 90)]]);
    open.clear();
    expect([open.size, open.positions()]).toEqual([0, []]);
  });

  it('stay where they were first opened when they are read again', () => {
    const open = new OpenRequests();
    open.open('a', at(1));
    open.open('b', at(2));
    open.open('a', at(3));
    expect(open.positions()).toEqual([at(1), at(2)]);
    expect(open.size).toBe(2);
  });

  it('hold back the segment of the oldest of them, and nothing when none is open', () => {
    const open = new OpenRequests();
    expect(open.lowestSegment(9)).toBe(9);
    open.open('a', at(4));
    open.open('b', at(7));
    expect(open.lowestSegment(9)).toBe(4);
    expect(open.lowestSegment(3)).toBe(3);
    open.settle('a');
    expect(open.lowestSegment(9)).toBe(7);
    open.settle('b');
    expect(open.lowestSegment(9)).toBe(9);
  });

  it('at random: never lets go of a segment in which something open was opened', () => {
    const step = fc.record({
      id: fc.constantFrom('a', 'b', 'c', 'd'),
      settle: fc.boolean(),
      next: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const open = new OpenRequests();
        const model = new Map<string, number>();
        let segment = 1;
        for (const { id, settle, next } of steps) {
          if (next) segment++;
          if (settle) {
            open.settle(id);
            model.delete(id);
          } else {
            open.open(id, at(segment));
            if (!model.has(id)) model.set(id, segment);
          }
          expect(open.lowestSegment(segment)).toBe(Math.min(segment, ...model.values()));
          expect(open.size).toBe(model.size);
          const order = open.positions();
          expect(order).toEqual(order.toSorted(comparePositions));
        }
      }),
    );
  });
});

describe('what is set aside', () => {
  it('is one line each with when and why, for the owner only, and is added to', () => {
    const dir = mkdtempSync(join(tmpdir(), 'quarantine-'));
    try {
      const clock = handClock();
      const from = clock.now();
      const quarantine = createQuarantine(dir, clock);
      const hostile = 'line\nbreak "quote" \u2028 \0 界';
      quarantine.keep(hostile, '22021');
      clock.forward(5);
      createQuarantine(dir, clock).keep('', 'undecodable');
      const path = join(dir, 'quarantine.jsonl');
      const lines = readFileSync(path, 'utf8').split('\n');
      expect(lines.slice(0, -1).map((line) => JSON.parse(line) as unknown)).toEqual([
        { atMs: from, reason: '22021', entry: hostile },
        { atMs: from + 5, reason: 'undecodable', entry: '' },
      ]);
      expect(lines.at(-1)).toBe('');
      if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  it('is never taken for kept when the file cannot be written', () => {
    const quarantine = createQuarantine(join(tmpdir(), 'no-such-folder-of-a-journal'), handClock());
    expect(() => quarantine.keep('entry', 'reason')).toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });
});
