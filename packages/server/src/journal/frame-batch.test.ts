import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FRAME_HEAD_BYTES, intactFrame } from './frame.ts';
import { FrameBatch } from './frame-batch.ts';
import { ENTRY_OPENED, ENTRY_SETTLED } from './journal.ts';

const nobody = (): void => undefined;
const size = (payload: string): number => FRAME_HEAD_BYTES + Buffer.byteLength(payload);
const ROOMY = 1e9;

function batchOf(...payloads: string[]): FrameBatch {
  const batch = new FrameBatch();
  for (const payload of payloads) batch.add(ENTRY_SETTLED, payload, nobody);
  return batch;
}

/** Where each entry ends in the batch's buffer. */
function endsOf(payloads: readonly string[]): number[] {
  let end = 0;
  return payloads.map((payload) => {
    end += size(payload);
    return end;
  });
}

describe('gathering entries', () => {
  it('lays them out back to back, each sealed for its place in the file', () => {
    const payloads = ['one', 'zwölf', '', '界'.repeat(100)];
    const batch = batchOf(...payloads);
    const end = batch.seal({ segment: 3, offset: 500 }, ROOMY, false);
    expect(end).toBe(endsOf(payloads).at(-1));
    let at = 0;
    for (const payload of payloads) {
      expect(intactFrame(batch.bytes, { segment: 3, offset: 500 + at, at })).toBe(true);
      expect(batch.bytes.toString('utf8', at + FRAME_HEAD_BYTES, at + size(payload))).toBe(payload);
      at += size(payload);
    }
  });

  it('can be sealed again for another place, when the first write failed', () => {
    const batch = batchOf('a', 'b');
    batch.seal({ segment: 1, offset: 28 }, ROOMY, false);
    batch.seal({ segment: 2, offset: 28 }, ROOMY, false);
    expect(intactFrame(batch.bytes, { segment: 1, offset: 28, at: 0 })).toBe(false);
    expect(intactFrame(batch.bytes, { segment: 2, offset: 28, at: 0 })).toBe(true);
  });

  it('keeps the type of each', () => {
    const batch = new FrameBatch();
    batch.add(ENTRY_OPENED, 'x', nobody);
    batch.add(ENTRY_SETTLED, 'x', nobody);
    expect([batch.bytes[8], batch.bytes[size('x') + 8]]).toEqual([ENTRY_OPENED, ENTRY_SETTLED]);
  });

  it('grows beyond what it started with, and loses nothing of what it held', () => {
    const payloads = Array.from({ length: 300 }, (_, i) => `${i}:${'ä'.repeat(i * 7)}`);
    const batch = batchOf(...payloads);
    batch.seal({ segment: 1, offset: 0 }, ROOMY, false);
    let at = 0;
    for (const payload of payloads) {
      expect(intactFrame(batch.bytes, { segment: 1, offset: at, at })).toBe(true);
      at += size(payload);
    }
    expect(batch.waitingBytes).toBe(at);
  });

  it('has room for text that needs three bytes for each unit', () => {
    const payload = '界'.repeat(64 * 1024);
    const batch = batchOf('x', payload, 'y');
    batch.seal({ segment: 1, offset: 0 }, ROOMY, false);
    expect(batch.bytes.toString('utf8', size('x') + FRAME_HEAD_BYTES, size('x') + size(payload))).toBe(
      payload,
    );
    expect(
      intactFrame(batch.bytes, {
        segment: 1,
        offset: size('x') + size(payload),
        at: size('x') + size(payload),
      }),
    ).toBe(true);
  });
});

describe('what fits the segment', () => {
  const payloads = ['aaaa', 'bbbb', 'cccc'];
  const [first = 0, second = 0, third = 0] = endsOf(payloads);
  const seal = (room: number, atLeastOne = false) =>
    batchOf(...payloads).seal({ segment: 1, offset: 28 }, room, atLeastOne);

  it('is whole entries, to the last byte of the room and not one further', () => {
    expect([seal(third), seal(third - 1), seal(second), seal(second - 1), seal(first)]).toEqual([
      third,
      second,
      second,
      first,
      first,
    ]);
    expect([seal(first - 1), seal(0), seal(-5)]).toEqual([0, 0, 0]);
  });

  it('is at least one in an empty segment, and never two for that', () => {
    expect([seal(first - 1, true), seal(0, true), seal(-5, true)]).toEqual([first, first, first]);
    expect([seal(second - 1, true), seal(second, true)]).toEqual([first, second]);
  });

  it('is counted from the first entry that is not yet safe', () => {
    const batch = batchOf(...payloads);
    batch.takeSafe(first);
    expect(batch.start).toBe(first);
    expect(batch.seal({ segment: 2, offset: 28 }, second - first, false)).toBe(second);
    expect(batch.seal({ segment: 2, offset: 28 }, third - first, false)).toBe(third);
    expect(batch.seal({ segment: 2, offset: 28 }, 0, true)).toBe(second);
    expect(intactFrame(batch.bytes, { segment: 2, offset: 28, at: first })).toBe(true);
  });
});

describe('what became safe', () => {
  it('is called back once, in order, and no longer waits', () => {
    const heard: string[] = [];
    const batch = new FrameBatch();
    const payloads = ['a', 'bb', 'ccc'];
    for (const payload of payloads) batch.add(ENTRY_SETTLED, payload, () => heard.push(payload));
    const [first = 0, , third = 0] = endsOf(payloads);
    expect(batch.takeSafe(first - 1)).toEqual([]);
    for (const onSafe of batch.takeSafe(first)) onSafe(null);
    expect([heard.join(), batch.waitingEntries, batch.waitingBytes]).toEqual(['a', 2, third - first]);
    expect(batch.takeSafe(first)).toEqual([]);
    for (const onSafe of batch.takeSafe(third)) onSafe(null);
    expect([heard.join(), batch.waitingEntries, batch.waitingBytes]).toEqual(['a,bb,ccc', 0, 0]);
  });

  it('is cut at the last whole entry when a write ended in the middle of one', () => {
    const batch = batchOf('aaaa', 'bbbb', 'cccc');
    const [first = 0, second = 0, third = 0] = endsOf(['aaaa', 'bbbb', 'cccc']);
    expect(
      [0, first - 1, first, second - 1, second, third, third + 9].map((n) => batch.wholeEntriesUpTo(n)),
    ).toEqual([0, 0, first, first, second, third, third]);
    batch.takeSafe(first);
    expect([first, second - 1, second].map((n) => batch.wholeEntriesUpTo(n))).toEqual([first, first, second]);
  });

  it('when it is emptied, says whom to tell that theirs never did', () => {
    const lost: string[] = [];
    const batch = new FrameBatch();
    for (const name of ['a', 'b', 'c']) batch.add(ENTRY_SETTLED, name, () => lost.push(name));
    batch.takeSafe(size('a'));
    for (const onSafe of batch.clear()) onSafe(new Error('lost'));
    expect(lost).toEqual(['b', 'c']);
    expect([batch.waitingEntries, batch.waitingBytes, batch.start]).toEqual([0, 0, 0]);
    expect(batch.clear()).toEqual([]);
    batch.add(ENTRY_SETTLED, 'again', nobody);
    expect(batch.seal({ segment: 1, offset: 0 }, ROOMY, false)).toBe(size('again'));
    expect(batch.bytes.toString('utf8', FRAME_HEAD_BYTES, size('again'))).toBe('again');
  });

  it('gives back a buffer that grew large, and keeps one that did not', () => {
    const small = batchOf('x'.repeat(200_000));
    const kept = small.bytes;
    small.clear();
    expect(small.bytes).toBe(kept);
    const large = batchOf('x'.repeat(600_000));
    expect(large.bytes.length).toBeGreaterThan(1024 * 1024);
    large.clear();
    expect(large.bytes.length).toBe(64 * 1024);
  });

  it('at random: sealed, written in part, called safe and emptied, each entry is told exactly one thing', () => {
    const act = fc.oneof(
      fc.record({ add: fc.string({ maxLength: 40 }) }),
      fc.record({ write: fc.nat(200), room: fc.nat(200) }),
      fc.constant({ clear: true as const }),
    );
    fc.assert(
      fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
        const batch = new FrameBatch();
        const told = new Map<number, string>();
        let made = 0;
        const tell = (number: number) => (error: Error | null) => {
          expect(told.has(number)).toBe(false);
          told.set(number, error === null ? 'safe' : 'lost');
        };
        for (const step of acts) {
          if ('add' in step) batch.add(ENTRY_SETTLED, step.add, tell(made++));
          else if ('clear' in step) for (const onSafe of batch.clear()) onSafe(new Error('lost'));
          else {
            const end = batch.seal({ segment: 1, offset: 0 }, step.room, false);
            const written = Math.min(end, batch.start + step.write);
            const whole = batch.wholeEntriesUpTo(written);
            expect(whole).toBeLessThanOrEqual(written);
            for (const onSafe of batch.takeSafe(whole)) onSafe(null);
            expect(batch.start).toBe(whole);
          }
          expect(batch.waitingEntries).toBe(made - told.size);
        }
        for (const onSafe of batch.clear()) onSafe(new Error('lost'));
        expect(told.size).toBe(made);
        expect([...told.keys()]).toEqual([...told.keys()].sort((a, b) => a - b));
      }),
    );
  });
});
