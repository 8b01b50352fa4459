import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SlidingWindow, WINDOW_SLICES } from './sliding-window.ts';

const WINDOW_MS = 60_000;
const SLICE_MS = WINDOW_MS / WINDOW_SLICES;
const NOON = Date.UTC(2026, 10, 22, 12);

describe('amounts of the last minute (CF-13)', () => {
  it('count for the whole minute and leave within a twentieth of it', () => {
    for (const offset of [0, 1, SLICE_MS / 2, SLICE_MS - 1]) {
      const window = new SlidingWindow(WINDOW_MS);
      window.add(NOON + offset, 5);
      expect(window.total(NOON + offset + WINDOW_MS - 1)).toBe(5);
      expect(window.total(NOON + offset + WINDOW_MS)).toBe(5);
      // The slice it was added in is over one window later: that is when it leaves.
      expect(window.total(NOON + WINDOW_MS + SLICE_MS - 1)).toBe(5);
      expect(window.total(NOON + WINDOW_MS + SLICE_MS)).toBe(0);
    }
  });

  it('are all gone after a long silence, and none of an old round comes back', () => {
    const window = new SlidingWindow(WINDOW_MS);
    for (let slice = 0; slice <= WINDOW_SLICES; slice++) window.add(NOON + slice * SLICE_MS, 1);
    expect(window.total(NOON + WINDOW_MS)).toBe(WINDOW_SLICES + 1);
    expect(window.total(NOON + 100 * WINDOW_MS)).toBe(0);
    window.add(NOON + 100 * WINDOW_MS, 2);
    expect(window.total(NOON + 100 * WINDOW_MS)).toBe(2);
  });

  it('added by a clock that went back count with the newest: nothing is free early', () => {
    const window = new SlidingWindow(WINDOW_MS);
    window.add(NOON, 1);
    window.add(NOON - 30 * WINDOW_MS, 4);
    expect(window.total(NOON + WINDOW_MS)).toBe(5);
    expect(window.total(NOON + WINDOW_MS + SLICE_MS)).toBe(0);
  });

  it('are taken back where they were added, and only while they still count', () => {
    const window = new SlidingWindow(WINDOW_MS);
    const old = window.add(NOON, 7);
    window.add(NOON + WINDOW_MS / 2, 2);
    window.takeBack(old, 7);
    expect(window.total(NOON + WINDOW_MS / 2)).toBe(2);
    // One that has left is not taken out of what came after it into the same place.
    const gone = window.add(NOON + WINDOW_MS / 2, 3);
    const later = NOON + WINDOW_MS / 2 + WINDOW_MS + SLICE_MS;
    window.add(later, 9);
    window.takeBack(gone, 3);
    expect(window.total(later)).toBe(9);
    // The oldest that still counts is.
    const last = window.add(later, 1);
    window.total(later + WINDOW_MS);
    window.takeBack(last, 1);
    expect(window.total(later + WINDOW_MS)).toBe(9);
  });

  it('are told when they leave: so much, not one millisecond before, and the window where there is not so much', () => {
    const window = new SlidingWindow(WINDOW_MS);
    window.add(NOON, 3);
    window.add(NOON + 2 * SLICE_MS, 4);
    const now = NOON + 2 * SLICE_MS;
    expect(window.msUntilFree(now, 1)).toBe(WINDOW_MS - SLICE_MS);
    expect(window.msUntilFree(now, 3)).toBe(WINDOW_MS - SLICE_MS);
    expect(window.msUntilFree(now, 4)).toBe(WINDOW_MS + SLICE_MS);
    expect(window.msUntilFree(now, 7)).toBe(WINDOW_MS + SLICE_MS);
    expect(window.msUntilFree(now, 8)).toBe(WINDOW_MS);
  });

  it('at random: between what the last minute held and what the last twenty-one twentieths did', () => {
    const step = fc.tuple(fc.nat(2 * SLICE_MS), fc.nat(9), fc.boolean());
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 80 }),
        fc.constantFrom(1, 7, 1000, 60_000, 86_400_000),
        (steps, windowMs) => {
          const window = new SlidingWindow(windowMs);
          const added: { atMs: number; amount: number; slice: number }[] = [];
          let now = NOON;
          const within = (ms: number) =>
            added.reduce((sum, one) => sum + (one.atMs > now - ms ? one.amount : 0), 0);
          for (const [afterMs, amount, takeBack] of steps) {
            now += Math.ceil((afterMs * windowMs) / WINDOW_MS);
            const last = added.at(-1);
            if (takeBack && last) {
              window.takeBack(last.slice, last.amount);
              added.pop();
            } else added.push({ atMs: now, amount, slice: window.add(now, amount) });
            const total = window.total(now);
            expect(total).toBeGreaterThanOrEqual(within(windowMs));
            expect(total).toBeLessThanOrEqual(within(windowMs * (1 + 1 / WINDOW_SLICES) + 1));
            if (total === 0) continue;
            const waitMs = Math.ceil(window.msUntilFree(now, 1));
            expect(waitMs).toBeLessThanOrEqual(windowMs * (1 + 1 / WINDOW_SLICES) + 1);
          }
          expect(window.total(now + 2 * windowMs)).toBe(0);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('after the wait that was told, at least so much has left', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(3 * SLICE_MS), fc.integer({ min: 1, max: 9 })), {
          minLength: 1,
          maxLength: 20,
        }),
        fc.integer({ min: 1, max: 60 }),
        (steps, wanted) => {
          const make = () => {
            const window = new SlidingWindow(WINDOW_MS);
            let now = NOON;
            for (const [afterMs, amount] of steps) {
              now += afterMs;
              window.add(now, amount);
            }
            return { window, now };
          };
          const { window, now } = make();
          const total = window.total(now);
          const waitMs = window.msUntilFree(now, wanted);
          if (wanted > total) {
            expect(waitMs).toBe(WINDOW_MS);
            return;
          }
          expect(total - window.total(now + waitMs)).toBeGreaterThanOrEqual(wanted);
          const early = make();
          expect(total - early.window.total(now + waitMs - 1)).toBeLessThan(wanted);
        },
      ),
      { numRuns: 300 },
    );
  });
});
