import { limit, MINUTE } from '@tallygate/testkit/rate-asks';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BurstBucket, rateOf } from './burst-bucket.ts';
import { RateCounter } from './rate-counter.ts';
import { CounterLease, takePart, tokensFor } from './rate-lease.ts';
import { dependsOnAccount } from './rate-limit.ts';

const NOON = Date.UTC(2026, 10, 22, 12);
/** A twentieth of the minute, after which what left has left. */
const LEFT = MINUTE * 1.05;
const counter = (change: Parameters<typeof limit>[1] = {}) => new RateCounter(limit('l', change), 'k');

describe('one count of a limit (CF-13)', () => {
  it('has room for the limit to the unit, and tells how long the next one waits', () => {
    const count = counter({ limit: 3 });
    for (let i = 0; i < 3; i++) {
      expect(count.msUntilRoom(NOON, 1)).toBe(0);
      count.count(NOON, 1);
    }
    expect(count.used(NOON)).toBe(3);
    const waitMs = count.msUntilRoom(NOON, 1) ?? 0;
    expect(waitMs).toBe(LEFT);
    expect(count.msUntilRoom(NOON + waitMs - 1, 1)).toBe(1);
    expect(count.msUntilRoom(NOON + waitMs, 1)).toBe(0);
  });

  it('a limit of zero never has room; what is larger than the whole limit waits for an empty window', () => {
    expect(counter({ limit: 0 }).msUntilRoom(NOON, 1)).toBeNull();
    const count = counter({ limit: 5 });
    expect(count.msUntilRoom(NOON, 500)).toBe(0);
    count.count(NOON, 1);
    expect(count.msUntilRoom(NOON, 500)).toBe(LEFT);
    expect(count.msUntilRoom(NOON + LEFT, 500)).toBe(0);
  });

  it('waits for what runs by asking again in a second, for it is not known when that ends', () => {
    const running = counter({ windowMs: null, measure: 'concurrent_requests', limit: 1 });
    running.hold(NOON, 1);
    expect(running.msUntilRoom(NOON, 1)).toBe(1000);
    const held = counter({ measure: 'tokens', limit: 10 });
    held.count(NOON, 2);
    held.hold(NOON, 8);
    // Two leave by themselves, which is not enough for five.
    expect(held.msUntilRoom(NOON, 5)).toBe(1000);
    expect(held.msUntilRoom(NOON, 2)).toBe(LEFT);
    held.settle(NOON, 8, 0);
    expect(held.msUntilRoom(NOON, 8)).toBe(0);
  });

  it('a hold is replaced by what it came to, more or less, and by nothing at all', () => {
    const count = counter({ measure: 'tokens', limit: 100 });
    count.hold(NOON, 40);
    expect([count.used(NOON), count.held]).toEqual([40, 40]);
    count.settle(NOON, 40, 55);
    expect([count.used(NOON), count.held]).toEqual([55, 0]);
    count.hold(NOON, 10);
    count.settle(NOON, 10, 0);
    expect([count.used(NOON), count.held]).toEqual([55, 0]);
  });

  it('what is taken back does not count, in the window and in the burst', () => {
    const count = counter({ limit: 60, burst: 2 });
    const slice = count.count(NOON, 2);
    expect(count.msUntilRoom(NOON, 1)).toBe(1000);
    count.takeBack(NOON, slice, 2);
    expect([count.used(NOON), count.msUntilRoom(NOON, 2)]).toEqual([0, 0]);
  });

  it('a burst waits by its own pace, the window by its own, and the longer of both is told', () => {
    const count = counter({ limit: 60, burst: 5 });
    count.count(NOON, 5);
    expect(count.msUntilRoom(NOON, 1)).toBe(1000);
    expect(count.msUntilRoom(NOON, 3)).toBe(3000);
    for (let second = 1; second <= 55; second++) count.count(NOON + second * 1000, 1);
    // The window holds sixty now: the first five leave after a minute.
    expect(count.msUntilRoom(NOON + 55_000, 1)).toBe(LEFT - 55_000);
  });

  it('is idle only when neither window, nor hold, nor burst has anything', () => {
    const count = counter({ limit: 60, burst: 5, measure: 'tokens' });
    expect(count.idle(NOON)).toBe(true);
    count.hold(NOON, 1);
    expect(count.idle(NOON)).toBe(false);
    count.settle(NOON, 1, 0);
    expect(count.idle(NOON)).toBe(true);
    count.hold(NOON, 3);
    count.settle(NOON, 3, 2);
    expect(count.idle(NOON)).toBe(false);
    expect(count.idle(NOON + LEFT)).toBe(true);
    const plain = counter({ limit: 3 });
    plain.count(NOON, 1);
    expect([plain.idle(NOON), plain.idle(NOON + LEFT)]).toEqual([false, true]);
  });

  it('goes on over a change of its name, keeps its burst where that stays, and begins a new one where it does not', () => {
    const count = counter({ limit: 60, burst: 2 });
    count.count(NOON, 2);
    count.change(limit('l', { limit: 60, burst: 2, name: 'renamed' }));
    expect(count.limit.name).toBe('renamed');
    expect(count.msUntilRoom(NOON, 1)).toBe(1000);
    count.change(limit('l', { limit: 60, burst: 3 }));
    expect(count.msUntilRoom(NOON, 3)).toBe(0);
    expect(count.used(NOON)).toBe(2);
    count.change(limit('l', { limit: 2, burst: null }));
    expect(count.msUntilRoom(NOON, 1)).toBe(LEFT);
  });

  it('stands as it is: used, held, left and never less than nothing, and when all of it has left', () => {
    const count = counter({ measure: 'tokens', limit: 10 });
    expect(count.standing(NOON)).toMatchObject({
      partition: 'k',
      used: 0,
      held: 0,
      left: 10,
      msUntilEmpty: 0,
    });
    count.count(NOON, 4);
    count.hold(NOON, 3);
    expect(count.standing(NOON)).toMatchObject({ used: 7, held: 3, left: 3, msUntilEmpty: LEFT });
    count.hold(NOON, 9);
    expect(count.standing(NOON)).toMatchObject({ used: 16, held: 12, left: 0 });
    const running = counter({ windowMs: null, measure: 'concurrent_requests', limit: 2 });
    running.hold(NOON, 1);
    expect(running.standing(NOON)).toMatchObject({ used: 1, held: 1, left: 1, msUntilEmpty: 0 });
  });
});

describe('a burst', () => {
  it('is refilled by the fraction in lowest terms', () => {
    expect(rateOf(60, 60_000)).toEqual({ units: 1, perMs: 1000 });
    expect(rateOf(90, 60_000)).toEqual({ units: 3, perMs: 2000 });
    expect(rateOf(7, 60_000)).toEqual({ units: 7, perMs: 60_000 });
    expect(rateOf(120_000, 60_000)).toEqual({ units: 2, perMs: 1 });
  });

  it('is empty at the millisecond in which the last of it was refilled, fractions of one aside', () => {
    const bucket = new BurstBucket(10, 7, 60_000);
    bucket.add(NOON, 1);
    const ms = Math.ceil(60_000 / 7);
    expect([bucket.empty(NOON), bucket.empty(NOON + ms - 1), bucket.empty(NOON + ms - 0.5)]).toEqual([
      false,
      false,
      false,
    ]);
    expect(bucket.empty(NOON + ms)).toBe(true);
  });

  it('does not fill by a clock that goes back, nor below nothing by what is given back', () => {
    const bucket = new BurstBucket(2, 60, 60_000);
    bucket.add(NOON, 2);
    expect(bucket.msUntilRoom(NOON - 10_000, 1)).toBe(1000);
    bucket.add(NOON, -50);
    expect(bucket.empty(NOON)).toBe(true);
    bucket.add(NOON, 2);
    expect(bucket.msUntilRoom(NOON, 1)).toBe(1000);
  });

  it('lets what is larger than itself through when it is empty, and then holds all of it', () => {
    const bucket = new BurstBucket(2, 60, 60_000);
    expect(bucket.msUntilRoom(NOON, 30)).toBe(0);
    bucket.add(NOON, 30);
    expect(bucket.msUntilRoom(NOON, 1)).toBe(29_000);
    expect(bucket.msUntilRoom(NOON + 29_000, 1)).toBe(0);
  });

  it('agrees with the same sum in fractions', () => {
    const step = fc.tuple(fc.nat(5000), fc.integer({ min: 1, max: 4 }));
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 600 }),
        fc.array(step),
        (burst, most, steps) => {
          const bucket = new BurstBucket(burst, most, MINUTE);
          let [level, now] = [0n, 0];
          for (const [afterMs, amount] of steps) {
            now += afterMs;
            // Level in units times the window: exact.
            level -= BigInt(afterMs) * BigInt(most);
            if (level < 0n) level = 0n;
            const wanted = BigInt(Math.min(amount, burst)) * BigInt(MINUTE);
            const over = level + wanted - BigInt(burst) * BigInt(MINUTE);
            const waitMs = over <= 0n ? 0n : (over + BigInt(most) - 1n) / BigInt(most);
            expect(bucket.msUntilRoom(now, amount)).toBe(Number(waitMs));
            bucket.add(now, amount);
            level += BigInt(amount) * BigInt(MINUTE);
          }
        },
      ),
    );
  });
});

describe('what counts have of one request', () => {
  const TOKENS = { input: 30, output: 12 };
  const count = (measure: 'requests' | 'tokens' | 'input_tokens' | 'output_tokens' | 'concurrent_requests') =>
    counter({ measure, limit: 100, windowMs: measure === 'concurrent_requests' ? null : MINUTE });
  const leaseOn = (...counters: RateCounter[]) => {
    let ended = 0;
    const parts = counters.map((one) => takePart(one, one.limit.measure.endsWith('tokens') ? 50 : 1, NOON));
    return { lease: new CounterLease(parts, () => void ended++), ended: () => ended };
  };

  it('is the tokens of its direction', () => {
    expect(
      ['tokens', 'input_tokens', 'output_tokens', 'requests', 'concurrent_requests'].map((one) =>
        tokensFor(one, TOKENS),
      ),
    ).toEqual([42, 30, 12, null, null]);
  });

  it('requests count at once and stay; slots are free at the end; tokens become what they came to', () => {
    const counters = [
      count('requests'),
      count('concurrent_requests'),
      count('tokens'),
      count('output_tokens'),
    ];
    const { lease, ended } = leaseOn(...counters);
    const used = () => counters.map((one) => one.used(NOON));
    expect(used()).toEqual([1, 1, 50, 50]);
    lease.settle(NOON, TOKENS);
    expect(used()).toEqual([1, 1, 42, 12]);
    lease.settle(NOON, { input: 1, output: 1 });
    expect(used()).toEqual([1, 1, 42, 12]);
    lease.end(NOON);
    lease.end(NOON);
    lease.refund(NOON);
    expect([used(), ended()]).toEqual([[1, 0, 42, 12], 1]);
  });

  it('an answer that was cut counts at least what was kept back', () => {
    const [more, less] = [count('input_tokens'), count('output_tokens')];
    leaseOn(more, less).lease.settle(NOON, { input: 70, output: 12 }, { atLeastHeld: true });
    expect([more.used(NOON), less.used(NOON)]).toEqual([70, 50]);
  });

  it('one that ends without a word counts no tokens, one that was not sent counts nowhere', () => {
    const counters = [count('requests'), count('concurrent_requests'), count('tokens')];
    leaseOn(...counters).lease.end(NOON);
    expect(counters.map((one) => one.used(NOON))).toEqual([1, 0, 0]);
    const refunded = [count('requests'), count('concurrent_requests'), count('tokens')];
    const { lease, ended } = leaseOn(...refunded);
    lease.refund(NOON);
    lease.settle(NOON, TOKENS);
    expect([refunded.map((one) => one.used(NOON)), ended()]).toEqual([[0, 0, 0], 1]);
  });

  it('leaves an account: its slots are free there, its attempts have counted, and it can go back', () => {
    const here = new RateCounter(
      limit('slots', { per: 'account', windowMs: null, measure: 'concurrent_requests' }),
      'a',
    );
    const calls = new RateCounter(limit('calls', { per: 'account' }), 'a');
    const everywhere = count('concurrent_requests');
    const { lease } = leaseOn(here, calls, everywhere);
    const left = lease.leaveAccount(NOON);
    expect([here.used(NOON), calls.used(NOON), everywhere.used(NOON)]).toEqual([0, 1, 1]);
    const there = new RateCounter(
      limit('slots', { per: 'account', windowMs: null, measure: 'concurrent_requests' }),
      'b',
    );
    const joined = [takePart(there, 1, NOON)];
    lease.join(joined);
    expect(lease.standings(NOON).map(({ partition }) => partition)).toEqual(['k', 'b']);
    lease.goBack(NOON, joined, left);
    expect([here.used(NOON), there.used(NOON), calls.used(NOON)]).toEqual([1, 0, 1]);
    lease.end(NOON);
    lease.goBack(NOON, joined, left);
    expect([here.used(NOON), everywhere.used(NOON), calls.used(NOON)]).toEqual([0, 0, 1]);
  });

  it('depends on the account where the count or the scope names accounts or providers', () => {
    const scoped = (kind: 'account' | 'provider' | 'key') => limit('l', { scope: [{ kind, value: 'x' }] });
    expect(
      [
        scoped('account'),
        scoped('provider'),
        scoped('key'),
        limit('l', { per: 'account' }),
        limit('l', { per: 'key' }),
      ].map(dependsOnAccount),
    ).toEqual([true, true, false, true, false]);
  });
});
