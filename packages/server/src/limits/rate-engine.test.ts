import {
  admit,
  asking,
  engineWith,
  leaseOf,
  limit,
  MINUTE,
  refusalOf,
  tokens,
  unasked,
  usedOf,
} from '@tallygate/testkit/rate-asks';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_PARTITIONS, RateEngine } from './rate-engine.ts';
import type { RateLimit } from './rate-limit.ts';
import type { RateLease } from './rate-state.ts';
import { WINDOW_SLICES } from './sliding-window.ts';

describe('limits on requests (CF-13, CW-04)', () => {
  it('let the limit through, refuse the next and say when to come again; then it passes', () => {
    const engine = engineWith(limit('l'));
    for (let i = 0; i < 3; i += 1) leaseOf(admit(engine, { nowMs: i }));
    const refused = refusalOf(admit(engine, { nowMs: 10 }));
    const waitMs = refused?.retryAfterMs ?? 0;
    expect(waitMs).toBeGreaterThanOrEqual(MINUTE - 10);
    expect(waitMs).toBeLessThanOrEqual(MINUTE + MINUTE / WINDOW_SLICES);
    expect(refusalOf(admit(engine, { nowMs: 10 + waitMs - 1 }))).not.toBeNull();
    leaseOf(admit(engine, { nowMs: 10 + waitMs }));
  });

  it('0 lets nothing through, and says so', () => {
    expect(refusalOf(admit(engineWith(limit('l', { limit: 0 }))))?.retryAfterMs).toBeNull();
  });

  it('without a limit nothing is asked, and one that does not cover the request says nothing', () => {
    expect(admit(new RateEngine())).toBeNull();
    expect(admit(engineWith(limit('l', { scope: [{ kind: 'key', value: 'other' }] })))).toBeNull();
  });

  it('a batch costs its events; one larger than the limit waits for an empty window', () => {
    const engine = engineWith(limit('l', { limit: 10 }));
    leaseOf(admit(engine, { requests: 8 }));
    expect(refusalOf(admit(engine, { requests: 3 }))).not.toBeNull();
    leaseOf(admit(engine, { requests: 2 }));
    leaseOf(admit(engine, { requests: 25, nowMs: 2 * MINUTE }));
    expect(refusalOf(admit(engine, { nowMs: 2 * MINUTE }))).not.toBeNull();
  });

  it.each(['key', 'user', 'project', 'session', 'account'] as const)('count per %s', (per) => {
    const engine = engineWith(limit('l', { per, limit: 1 }));
    const field = {
      key: 'keyId',
      user: 'userId',
      project: 'projectId',
      session: 'sessionId',
      account: 'accountId',
    };
    leaseOf(admit(engine));
    expect(refusalOf(admit(engine))).not.toBeNull();
    leaseOf(admit(engine, { of: { [field[per]]: 'another' } }));
    if (per !== 'project') expect(admit(engine, { of: { [field[per]]: null } })).toBeNull();
  });

  it('count per address, asked for only then', () => {
    const engine = engineWith(limit('l', { per: 'address', limit: 1 }));
    leaseOf(admit(engine));
    leaseOf(admit(engine, { address: '192.0.2.2' }));
    expect(refusalOf(admit(engine))?.standings.map(({ partition }) => partition)).toEqual(['192.0.2.1']);
    const ask = { ...asking(), address: () => expect.fail('the address was asked for') };
    expect(engineWith(limit('m')).admit(ask, unasked)).not.toBeNull();
  });

  it('count requests of their own workspace; those that have none count everybody', () => {
    const engine = engineWith(
      limit('own', { limit: 1 }),
      limit('all', { workspaceId: null, limit: 2, per: 'key' }),
    );
    const of = { workspaceId: 'other' };
    leaseOf(admit(engine));
    leaseOf(admit(engine, { of }));
    expect(refusalOf(admit(engine, { of }))?.limit.id).toBe('all');
    expect(usedOf(engine, 'own')).toBe(1);
  });

  it('all parts of a scope have to match', () => {
    const engine = engineWith(
      limit('l', {
        limit: 1,
        scope: [
          { kind: 'project', value: 'p' },
          { kind: 'model', value: 'claude-*' },
          { kind: 'tag', value: 'nightly' },
        ],
      }),
    );
    expect(admit(engine)).toBeNull();
    expect(admit(engine, { of: { tags: ['nightly'], model: 'gpt-5' } })).toBeNull();
    expect(admit(engine, { of: { tags: ['nightly'], projectId: 'q' } })).toBeNull();
    leaseOf(admit(engine, { of: { tags: ['other', 'nightly'] } }));
    expect(refusalOf(admit(engine, { of: { tags: ['nightly'] } }))).not.toBeNull();
  });

  it('a burst lets so many come at once and refills at the pace of the limit', () => {
    const engine = engineWith(limit('l', { limit: 60, burst: 5 }));
    for (let i = 0; i < 5; i += 1) leaseOf(admit(engine));
    expect(refusalOf(admit(engine))?.retryAfterMs).toBe(1_000);
    leaseOf(admit(engine, { nowMs: 1_000 }));
    expect(refusalOf(admit(engine, { nowMs: 1_999 }))?.retryAfterMs).toBe(1);
  });

  it('one that another limit refuses counts nowhere, and one that is not sent is given back', () => {
    const engine = engineWith(limit('wide', { limit: 2 }), limit('narrow', { limit: 1 }));
    const lease = leaseOf(admit(engine));
    expect(refusalOf(admit(engine))?.limit.id).toBe('narrow');
    expect(usedOf(engine, 'wide')).toBe(1);
    lease.refund(0);
    lease.refund(0);
    expect([usedOf(engine, 'wide'), usedOf(engine, 'narrow'), engine.leases]).toEqual([0, 0, 0]);
    leaseOf(admit(engine));
    expect(refusalOf(admit(engine))?.limit.id).toBe('narrow'); // given back once, not twice
  });

  it('in no stretch as long as the window do more pass than the limit; the wait that is told is enough (property)', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6 }),
        fc.option(fc.integer({ min: 1, max: 6 })),
        fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 80 }),
        (most, burst, gaps) => {
          const engine = engineWith(
            limit('l', { limit: most, burst: burst === null ? null : Math.min(burst, most) }),
          );
          const passed: number[] = [];
          let nowMs = 1_000_000;
          for (const gap of gaps) {
            nowMs += gap;
            const decision = admit(engine, { nowMs });
            if (refusalOf(decision) === null) passed.push(nowMs);
            else {
              const waitMs = refusalOf(decision)?.retryAfterMs ?? 0;
              expect(waitMs).toBeGreaterThan(0);
              nowMs += waitMs;
              leaseOf(admit(engine, { nowMs }));
              passed.push(nowMs);
            }
          }
          for (const from of passed)
            expect(passed.filter((at) => at >= from && at < from + MINUTE).length).toBeLessThanOrEqual(most);
        },
      ),
    );
  });
});

describe('limits on tokens', () => {
  const perMinute = (change: Partial<RateLimit> = {}) =>
    limit('t', { measure: 'tokens', limit: 100, ...change });

  it('keep back the bound and put in its place what it came to', () => {
    const engine = engineWith(perMinute());
    const lease = leaseOf(admit(engine, {}, tokens(40, 50)));
    expect(refusalOf(admit(engine, {}, tokens(5, 6)))?.needed).toBe(11);
    lease.settle(1, { input: 10, output: 5 });
    lease.settle(1, { input: 90, output: 90 });
    expect(usedOf(engine, 't', 1)).toBe(15);
    lease.end(2);
    expect(usedOf(engine, 't', 2)).toBe(15);
    expect(usedOf(engine, 't', 3 * MINUTE)).toBe(0);
  });

  it('input and output count apart', () => {
    const engine = engineWith(perMinute({ measure: 'input_tokens' }), {
      ...perMinute({ measure: 'output_tokens' }),
      id: 'o',
    });
    leaseOf(admit(engine, {}, tokens(60, 30))).settle(0, { input: 6, output: 3 });
    expect([usedOf(engine, 't'), usedOf(engine, 'o')]).toEqual([6, 3]);
  });

  it('what a long answer holds does not leave the window before it ended', () => {
    const engine = engineWith(perMinute());
    const lease = leaseOf(admit(engine, {}, tokens(60)));
    expect(refusalOf(admit(engine, { nowMs: 5 * MINUTE }, tokens(60)))).not.toBeNull();
    lease.settle(5 * MINUTE, { input: 60, output: 0 });
    expect(refusalOf(admit(engine, { nowMs: 5.5 * MINUTE }, tokens(60)))).not.toBeNull();
    leaseOf(admit(engine, { nowMs: 7 * MINUTE }, tokens(60)));
  });

  it('a request whose bound is beyond the limit waits for an empty window instead of forever', () => {
    const engine = engineWith(perMinute());
    leaseOf(admit(engine, {}, tokens(1))).settle(0, { input: 1, output: 0 });
    expect(refusalOf(admit(engine, { nowMs: 1 }, tokens(500)))?.retryAfterMs).toBeGreaterThan(0);
    const lease = leaseOf(admit(engine, { nowMs: 2 * MINUTE }, tokens(500)));
    expect(refusalOf(admit(engine, { nowMs: 2 * MINUTE }, tokens(1)))).not.toBeNull();
    lease.settle(2 * MINUTE, { input: 120, output: 0 });
    expect(usedOf(engine, 't', 2 * MINUTE)).toBe(120);
  });

  it('a request that ends without saying what it came to counts as nothing, and is not kept back any more', () => {
    const engine = engineWith(perMinute());
    leaseOf(admit(engine, {}, tokens(100))).end(0);
    expect(usedOf(engine, 't')).toBe(0);
  });
});

describe('limits on what runs at once', () => {
  it('a slot is free when its request ends, once, on whatever way', () => {
    const engine = engineWith(limit('c', { measure: 'concurrent_requests', limit: 2, windowMs: null }));
    const [first, second] = [leaseOf(admit(engine)), leaseOf(admit(engine))];
    expect(refusalOf(admit(engine))?.retryAfterMs).toBe(1_000);
    first.settle(0, { input: 1, output: 1 });
    expect(refusalOf(admit(engine))).not.toBeNull();
    first.end(0);
    first.end(0);
    first.refund(0);
    const third = leaseOf(admit(engine));
    expect(refusalOf(admit(engine))).not.toBeNull();
    second.refund(0);
    third.end(0);
    expect([usedOf(engine, 'c'), engine.leases]).toEqual([0, 0]);
  });

  it('streams are counted by themselves', () => {
    const engine = engineWith(limit('c', { measure: 'concurrent_streams', limit: 1, windowMs: null }));
    leaseOf(admit(engine, { stream: true }));
    expect(admit(engine)).toBeNull();
    expect(refusalOf(admit(engine, { stream: true }))).not.toBeNull();
  });
});

describe('another account, another limit', () => {
  const limits = [
    limit('everywhere', { measure: 'concurrent_requests', windowMs: null, limit: 5 }),
    limit('slots', { measure: 'concurrent_requests', windowMs: null, limit: 1, per: 'account' }),
    limit('calls', { limit: 2, per: 'account' }),
  ];
  const to = (accountId: string) => asking({ of: { accountId } });

  it('is asked again on every hop; the attempt that failed has counted where it was', () => {
    const engine = engineWith(...limits);
    const lease = leaseOf(admit(engine));
    expect(engine.move(lease, to('b'), unasked)).not.toBeNull();
    const counts = (id: string) => engine.standings(id, 0, 9).fullest.map((one) => [one.partition, one.used]);
    expect([counts('slots'), counts('calls')]).toEqual([
      [['b', 1]],
      [
        ['a', 1],
        ['b', 1],
      ],
    ]);
    expect(usedOf(engine, 'everywhere')).toBe(1);
    lease.end(0);
    expect([usedOf(engine, 'slots'), usedOf(engine, 'everywhere')]).toEqual([0, 0]);
  });

  it('goes back where a budget has no room there, as if it had never moved', () => {
    const engine = engineWith(...limits);
    const lease = leaseOf(admit(engine));
    engine.move(lease, to('b'), unasked)?.();
    const counts = (id: string) => engine.standings(id, 0, 9).fullest.map((one) => [one.partition, one.used]);
    expect([counts('slots'), counts('calls')]).toEqual([[['a', 1]], [['a', 1]]]);
    lease.end(0);
    expect(counts('slots')).toEqual([]);
  });

  it('stays where it is when there is no room, and lets go of all it has in the end', () => {
    const engine = engineWith(...limits);
    const other = leaseOf(engine.admit(to('b'), unasked));
    const lease = leaseOf(admit(engine));
    expect(engine.move(lease, to('b'), unasked)).toBeNull();
    expect(usedOf(engine, 'slots')).toBe(2);
    expect(refusalOf(admit(engine))).not.toBeNull();
    lease.end(0);
    other.end(0);
    expect([usedOf(engine, 'slots'), usedOf(engine, 'everywhere'), engine.leases]).toEqual([0, 0, 0]);
  });
});

describe('the books', () => {
  it('hold whatever comes in whatever order: nothing below zero, nothing left over (property)', () => {
    const step = fc.record({
      act: fc.constantFrom('admit', 'settle', 'end', 'refund', 'move'),
      which: fc.nat(30),
      input: fc.nat(80),
      afterMs: fc.nat(30_000),
      account: fc.constantFrom('a', 'b'),
      stream: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const engine = engineWith(
          limit('calls', { limit: 8, per: 'account', burst: 4 }),
          limit('tokens', { measure: 'tokens', limit: 100 }),
          limit('slots', { measure: 'concurrent_requests', windowMs: null, limit: 3, per: 'account' }),
          limit('streams', { measure: 'concurrent_streams', windowMs: null, limit: 2 }),
        );
        const leases: RateLease[] = [];
        const running = new Set<RateLease>();
        let nowMs = 5;
        for (const { act, which, input, afterMs, account, stream } of steps) {
          nowMs += afterMs;
          const ask = asking({ nowMs, of: { accountId: account }, stream });
          const lease = leases[which % Math.max(1, leases.length)];
          if (act === 'admit') {
            const decision = engine.admit(ask, tokens(input));
            if (decision !== null && 'lease' in decision) {
              leases.push(decision.lease);
              running.add(decision.lease);
            }
          } else if (lease !== undefined && running.has(lease)) {
            if (act === 'settle') lease.settle(nowMs, { input, output: 0 });
            else if (act === 'move') {
              const undo = engine.move(lease, ask, tokens(input));
              if (which % 2 === 0) undo?.();
            } else {
              if (act === 'end') lease.end(nowMs);
              else lease.refund(nowMs);
              running.delete(lease);
            }
          }
          for (const id of ['calls', 'tokens', 'slots', 'streams'])
            for (const { held, used, limit: most } of engine.standings(id, nowMs, 9).fullest) {
              expect(held).toBeGreaterThanOrEqual(0);
              expect(used).toBeGreaterThanOrEqual(held);
              if (id === 'slots' || id === 'streams') expect(used).toBeLessThanOrEqual(most.limit);
            }
          expect(engine.leases).toBe(running.size);
        }
        for (const lease of running) lease.end(nowMs);
        for (const id of ['calls', 'tokens', 'slots', 'streams'])
          expect(usedOf(engine, id, nowMs + 2 * MINUTE)).toBe(0);
      }),
    );
  });

  it('go on over a change of other limits and of what is allowed; another rule begins anew', () => {
    const engine = engineWith(limit('l', { limit: 1, burst: 1 }), limit('gone'));
    const lease = leaseOf(admit(engine));
    engine.replaceAll([limit('l', { name: 'renamed', limit: 2, burst: 2 }), limit('new')]);
    expect([usedOf(engine, 'l'), usedOf(engine, 'gone'), usedOf(engine, 'new')]).toEqual([1, 0, 0]);
    leaseOf(admit(engine));
    expect(refusalOf(admit(engine))?.limit).toMatchObject({ name: 'renamed', limit: 2 });
    engine.replaceAll([limit('l', { per: 'key' })]);
    expect(usedOf(engine, 'l')).toBe(0);
    lease.end(0);
    engine.replaceAll([]);
    expect(engine.active).toBe(false);
  });

  it('are bounded: beyond the most counts newcomers share one, and idle ones make room', () => {
    const engine = engineWith(limit('l', { per: 'session', limit: 1 }));
    for (let i = 0; i < MAX_PARTITIONS; i += 1) admit(engine, { of: { sessionId: `s${i}` } });
    leaseOf(admit(engine, { of: { sessionId: 'late' } }));
    expect(refusalOf(admit(engine, { of: { sessionId: 'later' } }))?.standings[0]?.partition).toBe('*');
    expect(refusalOf(admit(engine, { of: { sessionId: 's0' } }))).not.toBeNull();
    leaseOf(admit(engine, { of: { sessionId: 'later' }, nowMs: 3 * MINUTE }));
    expect(engine.standings('l', 3 * MINUTE, 1).total).toBe(1);
  });
});
