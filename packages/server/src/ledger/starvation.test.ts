import { handClock } from '@tallygate/testkit/journal-world';
import { describe, expect, it } from 'vitest';
import { StarvationWatch } from './starvation.ts';

function watched(tells = true) {
  const clock = handClock();
  let waitedMs = 1_000_000;
  const watch = new StarvationWatch({
    nowMs: () => clock.monotonicMs(),
    waitedMs: () => (tells ? waitedMs : null),
  });
  const after = (ms: number, inLineMs: number): boolean | null => {
    clock.forward(ms);
    waitedMs += inLineMs;
    return watch.changed();
  };
  return after;
}

describe('starvation of a thread', () => {
  it('is more than half of the time in line for a core', () => {
    expect(watched()(1000, 500)).toBeNull();
    expect(watched()(1000, 501)).toBe(true);
  });

  it('is told once, and its end once', () => {
    const after = watched();
    expect([after(1000, 900), after(1000, 900), after(1000, 100), after(1000, 100)]).toEqual([
      ...[true, null],
      ...[false, null],
    ]);
  });

  it('is not judged by a moment: short stretches add up', () => {
    const after = watched();
    expect([after(50, 50), after(49, 49)]).toEqual([null, null]);
    expect(after(1, 1)).toBe(true);
  });

  it('looks at the last stretch alone', () => {
    const after = watched();
    expect(after(60_000, 0)).toBeNull();
    expect(after(100, 60)).toBe(true);
  });

  it('is unknown, so none, where the system does not tell', () => {
    expect(watched(false)(1000, 1000)).toBeNull();
  });
});
