import { randomUUID } from 'node:crypto';
import { redisBench } from '@tallygate/testkit/redis-bench';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ADMIT_RATE } from './decision-scripts.ts';
import { END_RATE, READ_RATE, RENEW_RATE } from './rate-scripts.ts';

const redis = redisBench();

/** So long that no slice ends while a test runs. */
const SLICE_MS = 1_000_000_000;
const SLICES = 20;
const KEPT_MS = 600_000;
const LEASE_MS = 60_000;
const NO_BUCKET = [0, 0, 0] as const;
/** One unit every thousand seconds, two at once. */
const BUCKET = [1, 1_000_000, 2_000_000] as const;

type Keys = readonly [count: string, leases: string, index: string];
const place = (): Keys => {
  const root = `{t}:${randomUUID()}`;
  return [root, `${root}:leases`, `${root}:index`];
};

interface Count {
  keys: Keys;
  kind: 'r' | 't' | 'c';
  amount?: number;
  limit: number;
  sliceMs?: number;
  bucket?: readonly [units: number, perMs: number, capacity: number];
}

async function admit(lease: string, counts: readonly Count[], forced = false) {
  const args = counts.flatMap(({ kind, amount = 1, limit, sliceMs = SLICE_MS, bucket = NO_BUCKET }) => [
    ...[kind, amount, limit, sliceMs, ...bucket, KEPT_MS, 'whose'],
  ]);
  const answer = await redis.run(
    ADMIT_RATE,
    counts.flatMap(({ keys }) => keys),
    [lease, LEASE_MS, forced ? 1 : 0, ...args],
  );
  const [verdict, which, wait, ...numbers] = answer as string[];
  return { verdict, which, waitMs: Number(wait), numbers: numbers.map(Number) };
}

interface End {
  actual?: number;
  takenBack?: boolean;
  inSlice?: number;
}

const end = (
  lease: string,
  { keys, kind, amount = 1, sliceMs = SLICE_MS, bucket = NO_BUCKET }: Count,
  { actual = 0, takenBack = false, inSlice = 0 }: End = {},
) =>
  redis.run(END_RATE, keys.slice(0, 2), [
    ...[lease, kind, amount, actual, takenBack ? 1 : 0, inSlice, sliceMs, bucket[0], bucket[1]],
  ]);

async function read({ keys, kind, sliceMs = SLICE_MS }: Count) {
  const [settled, held, leftInMs] = (await redis.run(READ_RATE, keys.slice(0, 2), [
    kind,
    sliceMs,
  ])) as string[];
  return { settled: Number(settled), held: Number(held), leftInMs: Number(leftInMs) };
}

async function nowMs(): Promise<number> {
  const [seconds, micros] = (await redis.command('TIME')) as string[];
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
}

/** Puts amounts into slices, told by how many slices before the newest. @returns the number of the newest */
async function fill({ keys: [key] }: Count, amounts: Readonly<Record<number, number>>): Promise<number> {
  const newest = Math.floor((await nowMs()) / SLICE_MS);
  for (const [ago, amount] of Object.entries(amounts))
    await redis.command('HSET', key, newest - Number(ago), amount);
  return newest;
}

/** What a wait was reckoned from is the moment of the script, between two looks at the clock. */
async function expectWaitUntil(atMs: number, ask: () => Promise<number>): Promise<void> {
  const before = await nowMs();
  const waitMs = await ask();
  expect(waitMs).toBeLessThanOrEqual(atMs - before);
  expect(waitMs).toBeGreaterThanOrEqual(atMs - (await nowMs()));
}

/** As if the process had been silent for longer than its lease. */
const lapse = ({ keys, amount = 1 }: Count, lease: string) =>
  redis.command('ZADD', keys[1], 'XX', 1, `${lease}=${amount}`);

describe.skipIf(redis.skipped)('the counts that nodes share, script by script (CW-04, CF-13, X-08)', () => {
  it('an amount counts as long as its slice is in the window, and is forgotten with it', async () => {
    const count: Count = { keys: place(), kind: 'r', limit: 10 };
    const newest = await fill(count, { 21: 50, 20: 5, 0: 2 });
    await expectWaitUntil((newest + SLICES + 1) * SLICE_MS, async () => {
      const { leftInMs, ...rest } = await read(count);
      expect(rest).toEqual({ settled: 7, held: 0 });
      return leftInMs;
    });
    const kept = (await redis.command('HKEYS', count.keys[0])) as string[];
    expect(kept.sort()).toEqual([String(newest - 20), String(newest)]);
  });

  it('who is refused is told when the slice leaves that makes room, not sooner and not later', async () => {
    const count: Count = { keys: place(), kind: 'r', limit: 10, amount: 3 };
    const newest = await fill(count, { 20: 2, 10: 3, 0: 5 });
    await expectWaitUntil((newest - 10 + SLICES + 1) * SLICE_MS, async () => {
      const { verdict, which, waitMs, numbers } = await admit('x', [count]);
      expect([verdict, which, numbers[0]]).toEqual(['no', '0', 10]);
      return waitMs;
    });
  });

  it('what is larger than the limit waits for an empty window and takes all of it; 0 lets nothing through', async () => {
    const tokens: Count = { keys: place(), kind: 't', limit: 10, amount: 25 };
    expect((await admit('first', [{ ...tokens, amount: 1 }])).verdict).toBe('ok');
    // What runs may end at any time: it is asked again in a moment.
    expect(await admit('large', [tokens])).toMatchObject({ verdict: 'no', waitMs: 1_000 });
    await end('first', { ...tokens, amount: 1 });
    expect((await admit('large', [tokens])).verdict).toBe('ok');
    expect(await read(tokens)).toMatchObject({ settled: 0, held: 25 });
    expect(await admit('x', [{ ...tokens, keys: place(), limit: 0 }])).toMatchObject({
      ...{ verdict: 'no', waitMs: -1 },
    });
  });

  it('who runs at once is told to ask again in a second, and leaves its slot when it ends', async () => {
    const slots: Count = { keys: place(), kind: 'c', limit: 2, sliceMs: 0 };
    await admit('a', [slots]);
    await admit('b', [slots]);
    expect(await admit('c', [slots])).toMatchObject({ verdict: 'no', waitMs: 1_000 });
    await end('a', slots);
    await end('a', slots);
    expect(await read(slots)).toEqual({ settled: 0, held: 1, leftInMs: 0 });
  });

  it('a request that one count refuses leaves no trace in any other; a forced one passes them all', async () => {
    const wide: Count = { keys: place(), kind: 't', limit: 100, amount: 30 };
    const often: Count = { keys: place(), kind: 'r', limit: 100, bucket: BUCKET };
    const narrow: Count = { keys: place(), kind: 'c', limit: 1, sliceMs: 0 };
    await admit('holder', [narrow]);
    expect(await admit('x', [wide, often, narrow])).toMatchObject({ verdict: 'no', which: '2' });
    expect(await redis.command('EXISTS', ...wide.keys, ...often.keys)).toBe(0);
    expect((await admit('x', [wide, often, narrow], true)).verdict).toBe('ok');
    expect(await Promise.all([read(wide), read(often), read(narrow)])).toMatchObject([
      { held: 30 },
      { settled: 1 },
      { held: 2 },
    ]);
  });

  it('nothing stays in Redis for ever, and a limit knows whose counts it has', async () => {
    const counts: Count[] = [
      { keys: place(), kind: 't', limit: 9, amount: 2 },
      { keys: place(), kind: 'c', limit: 9, sliceMs: 0 },
      { keys: place(), kind: 'r', limit: 9, bucket: BUCKET },
    ];
    await admit('x', counts);
    for (const { keys } of counts)
      for (const key of keys)
        if ((await redis.command('EXISTS', key)) === 1)
          expect(await redis.command('PTTL', key)).toBeGreaterThan(KEPT_MS - 60_000);
    expect(await redis.command('ZRANGE', counts[1]?.keys[2] ?? '', 0, -1)).toEqual(['whose']);
  });

  it('a request that is taken back leaves the slice it was counted in, and no slice owes anything', async () => {
    const count: Count = { keys: place(), kind: 'r', limit: 100, amount: 4 };
    const newest = await fill(count, { 3: 4, 0: 3 });
    await end('x', count, { inSlice: newest - 3 }); // sent: it stays counted
    expect((await read(count)).settled).toBe(7);
    await end('x', count, { takenBack: true, inSlice: newest - 3 });
    expect((await read(count)).settled).toBe(3);
    await end('x', count, { takenBack: true, inSlice: newest }); // there is less than it would give back
    await end('x', count, { takenBack: true, inSlice: newest - 21 }); // that has left
    expect((await read(count)).settled).toBe(3);
  });

  it('a burst passes at once, the next waits for its unit, and what was not used is given back', async () => {
    const count: Count = { keys: place(), kind: 't', limit: 1_000, bucket: BUCKET, amount: 2 };
    await admit('a', [count]);
    const first = Number(await redis.command('HGET', count.keys[0], 'at'));
    await expectWaitUntil(first + 2_000_000, async () => (await admit('b', [count])).waitMs);
    await end('a', count, { actual: 1 });
    await expectWaitUntil(first + 1_000_000, async () => (await admit('b', [count])).waitMs);
    expect((await admit('c', [{ ...count, amount: 1 }])).verdict).toBe('ok');
  });

  it('a bucket drains with time, is never emptier than empty, and lets the largest through when it is', async () => {
    const count: Count = { keys: place(), kind: 't', limit: 1_000, bucket: BUCKET, amount: 9 };
    const [key] = count.keys;
    const at = (await nowMs()) - 1_999_000;
    await redis.command('HSET', key, 'level', 2_000_000, 'at', at);
    // More than the bucket holds waits for an empty one.
    await expectWaitUntil(at + 2_000_000, async () => (await admit('a', [count])).waitMs);
    await redis.command('HSET', key, 'level', 2_000_000, 'at', at - 1_000_000);
    expect((await admit('a', [count])).verdict).toBe('ok');
    expect(await redis.command('HGET', key, 'level')).toBe('9000000');
    await redis.command('HSET', key, 'level', 5);
    await end('a', count, { actual: 0 });
    expect(await redis.command('HGET', key, 'level')).toBe('0');
  });

  it('renewing keeps what runs, and brings nothing back that has ended', async () => {
    const slots: Count = { keys: place(), kind: 'c', limit: 9, sliceMs: 0 };
    const [key, leases] = slots.keys;
    for (const lease of ['runs', 'ended']) await admit(lease, [slots]);
    await end('ended', slots);
    await lapse(slots, 'runs');
    const before = await nowMs();
    await redis.run(
      RENEW_RATE,
      [key, leases, key, leases],
      [LEASE_MS, 'runs=1', KEPT_MS, 'ended=1', 7_000_000],
    );
    expect(await redis.command('ZRANGE', leases, 0, -1)).toEqual(['runs=1']);
    expect(Number(await redis.command('ZSCORE', leases, 'runs=1'))).toBeGreaterThanOrEqual(before + LEASE_MS);
    expect(await redis.command('PTTL', leases)).toBeGreaterThan(6_000_000);
  });

  it('what was held is given back once: by its end, or when its process is silent, whichever comes first (property)', async () => {
    const step = fc.record({
      do: fc.constantFrom('admit', 'admit', 'end', 'lapse'),
      ...{ count: fc.nat(1), pick: fc.nat(9), amount: fc.integer({ min: 1, max: 40 }) },
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        const counts: Count[] = [
          { keys: place(), kind: 't', limit: 100 },
          { keys: place(), kind: 'c', limit: 3, sliceMs: 0 },
        ];
        const plain = counts.map(() => ({ settled: 0, open: new Map<string, number>(), all: [] as Count[] }));
        for (const { do: what, count: which, pick, amount: wanted } of steps) {
          const [base, model] = [counts[which], plain[which]];
          if (base === undefined || model === undefined) throw new Error('no such count');
          const tokens = base.kind === 't';
          const amount = tokens ? wanted : 1;
          const held = (): number => [...model.open.values()].reduce((sum, one) => sum + one, 0);
          if (what === 'admit') {
            const count = { ...base, amount };
            const { verdict } = await admit(`l${model.all.length}`, [count]);
            expect(verdict).toBe(model.settled + held() + amount <= base.limit ? 'ok' : 'no');
            if (verdict !== 'ok') continue;
            model.open.set(`l${model.all.length}`, amount);
            model.all.push(count);
          } else {
            const index = pick % Math.max(1, model.all.length);
            const [lease, count] = [`l${index}`, model.all[index]];
            if (count === undefined) continue;
            const kept = model.open.get(lease);
            if (what === 'lapse') await lapse(count, lease);
            else await end(lease, count, { actual: tokens ? pick : 0 });
            if (kept !== undefined && tokens) model.settled += what === 'lapse' ? kept : pick;
            model.open.delete(lease);
          }
          expect(await read(base)).toMatchObject({ settled: model.settled, held: held() });
        }
      }),
      { numRuns: 30, endOnFailure: true },
    );
  });
});
