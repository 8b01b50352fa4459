import { describe, expect, it } from 'vitest';
import type { RateClass } from '../admin/route.ts';
import type { AppError } from '../kernel/errors.ts';
import { createRateLimit } from './rate-limit.ts';

function world() {
  const clock = { ms: 1_000_000, now: () => 0, monotonicMs: () => clock.ms };
  const rates = createRateLimit(clock);
  /** Seconds to wait; 0 when the call passed. */
  const take = (rateClass: RateClass, caller = 'a'): number => {
    try {
      rates.take(rateClass, caller);
      return 0;
    } catch (error) {
      expect((error as AppError).code).toBe('rate_limited');
      return (error as AppError).retryAfterSeconds ?? -1;
    }
  };
  const passing = (rateClass: RateClass, caller?: string): number => {
    let count = 0;
    while (count < 1_000 && take(rateClass, caller) === 0) count += 1;
    return count;
  };
  return { clock, take, passing };
}

describe('calls of one caller', () => {
  it.each<[RateClass, number, number]>([
    ['read', 600, 1],
    ['write', 200, 1],
    ['sign-in', 60, 1],
    ['heavy', 20, 2],
    ['report', 30, 5],
  ])('of class %s pass %i at once, then one is told to wait %i s', (rateClass, burst, waitSeconds) => {
    const { passing, take } = world();
    expect(passing(rateClass)).toBe(burst);
    expect(take(rateClass)).toBe(waitSeconds);
  });

  it('that are refused cost nothing: after the wait one passes', () => {
    const { clock, passing, take } = world();
    passing('sign-in');
    for (let i = 0; i < 100; i++) take('sign-in');
    clock.ms += 999;
    expect(take('sign-in')).toBe(1);
    clock.ms += 1;
    expect([take('sign-in'), take('sign-in')]).toEqual([0, 1]);
  });

  it('never save up more than a burst', () => {
    const { clock, passing } = world();
    passing('sign-in');
    clock.ms += 3_600_000;
    expect(passing('sign-in')).toBe(60);
  });

  it('of one class and caller say nothing of another', () => {
    const { passing, take } = world();
    passing('sign-in');
    expect([take('sign-in', 'b'), take('write'), take('none')]).toEqual([0, 0, 0]);
    expect(world().passing('none')).toBe(1_000);
  });

  it('are remembered while they come: others, however many, push out only who is silent', () => {
    const { passing, take } = world();
    passing('sign-in', 'busy');
    for (let i = 0; i < 9_990; i++) take('read', `caller${i}`);
    expect(take('sign-in', 'busy')).toBe(1);
    for (let i = 0; i < 9_990; i++) take('read', `other${i}`);
    expect(take('sign-in', 'busy')).toBe(1); // asked in between, so it was not the oldest
    for (let i = 0; i < 10_000; i++) take('read', `more${i}`);
    expect(take('sign-in', 'busy')).toBe(0); // and forgotten in the end, so that memory is bounded
  });
});
