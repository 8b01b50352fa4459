import { ManualTimers } from '@tallygate/testkit/manual-timers';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createIdSource } from '../kernel/ids.ts';
import { silentLogger } from '../kernel/logger.ts';
import type { Store } from '../store/store.ts';
import type { Job, Turn } from './job.ts';
import { JobRunner } from './job-runner.ts';
import { LeasedTurns } from './leased-turns.ts';
import { retentionJob } from './retention.ts';
import { soleTurns } from './sole-turns.ts';

const START_MS = Date.UTC(2026, 10, 26);
const PERIOD_MS = 10_000;
const TIMING = { termMs: 9_000, beatMs: 3_000, marginMs: 1_000 };

let store: Store;
let timers: ManualTimers;
beforeEach(async () => {
  store = await openTestStore();
  timers = new ManualTimers(START_MS);
});
afterEach(() => store.close());

/** A process of its own as far as jobs go: its own timers stop with it. */
function processOf(node: string, options: { skewMs?: number; job?: Partial<Job> } = {}) {
  const own = new ManualTimers(START_MS);
  const clock = own.clock(options.skewMs);
  const runs: { node: string; atMs: number }[] = [];
  const job: Job = {
    name: 'tidy',
    everyMs: PERIOD_MS,
    run: async () => void runs.push({ node, atMs: own.ms }),
    ...options.job,
  };
  const parts = { clock, logger: silentLogger, after: own.after };
  const turns = new LeasedTurns({
    ...parts,
    leases: store.leases,
    newId: createIdSource(clock),
    timing: TIMING,
  });
  const runner = new JobRunner({ ...parts, jobs: [job], turns, record: store.jobs, node });
  return { runner, turns, runs, time: own };
}

/** All of them live through the same time, in small steps. */
async function pass(ms: number, ...processes: { time: ManualTimers }[]): Promise<void> {
  for (let past = 0; past < ms; past += 500) for (const { time } of processes) await time.advance(500);
}

describe('jobs of several processes (X-08)', () => {
  it('each period has one run, by one of them', async () => {
    const both = [processOf('a'), processOf('b')] as const;
    for (const { runner } of both) runner.start();
    await pass(60_000, ...both);
    const [a, b] = both;
    expect(a.runs.length + b.runs.length).toBe(7); // at once, then six periods
    expect([a.runner.hasTurn, b.runner.hasTurn]).toContain(false);
    const [job] = await store.jobs.listJobs();
    expect(job).toMatchObject({ runs: 7, failed: false, endedAtMs: START_MS + 60_000 });
    for (const { runner } of both) await runner.stop();
  });

  it('a process that dies is followed after its term, and the period is neither lost nor doubled', async () => {
    const [a, b] = [processOf('a'), processOf('b')];
    a.runner.start();
    await a.time.advance(0);
    b.runner.start();
    await pass(12_000, a, b);
    expect([a.runs.length, b.runs.length]).toEqual([2, 0]);
    await pass(30_000, b); // a is gone
    expect(b.runner.hasTurn).toBe(true);
    expect(b.runs.length).toBeGreaterThanOrEqual(2);
    const periods = [...a.runs, ...b.runs].map(({ atMs }) => atMs).sort((x, y) => x - y);
    const gaps = periods.slice(1).map((atMs, i) => atMs - (periods[i] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(PERIOD_MS - 1_000);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(PERIOD_MS + TIMING.termMs + TIMING.beatMs);
    await b.runner.stop();
  });

  it('one that ends passes its turn on at once', async () => {
    const [a, b] = [processOf('a'), processOf('b')];
    a.runner.start();
    await a.time.advance(0);
    b.runner.start();
    await pass(1_000, a, b);
    await a.runner.stop();
    expect(a.time.waiting).toBe(0);
    await pass(TIMING.beatMs, b);
    expect(b.runner.hasTurn).toBe(true);
    await b.runner.stop();
  });

  it('one that was stopped in the middle of a job has lost its turn when it goes on, and writes nothing', async () => {
    const middle = Promise.withResolvers<void>();
    const wrote: boolean[] = [];
    const run = async ({ fence }: Turn): Promise<void> => {
      await middle.promise;
      if (fence === null) throw new Error('no fence');
      wrote.push(await store.jobs.endJob(fence, { name: 'tidy', run: 1, nowMs: a.time.ms, failed: false }));
    };
    const a = processOf('a', { job: { run } });
    const b = processOf('b');
    a.runner.start();
    await a.time.advance(0);
    b.runner.start();
    await pass(30_000, b);
    expect(b.runs.length).toBeGreaterThan(0);
    a.time.skip(30_000); // it was stopped
    expect(a.runner.hasTurn).toBe(false);
    middle.resolve();
    await a.time.advance(0);
    expect(wrote).toEqual([false]);
    expect((await store.jobs.listJobs())[0]).toMatchObject({ node: 'b' });
    for (const one of [a, b]) await one.runner.stop();
  });

  it('a clock that is ahead takes the turn early, and still no two of them write', async () => {
    const [a, b] = [processOf('a'), processOf('b', { skewMs: 20_000 })];
    a.runner.start();
    await a.time.advance(0);
    const before = a.turns.current()?.fence;
    b.runner.start();
    await pass(500, b);
    expect(b.runner.hasTurn).toBe(true);
    if (before === null || before === undefined) throw new Error('a had no turn');
    expect(
      await store.jobs.beginJob(before, {
        ...{ name: 'tidy', node: 'a', nowMs: START_MS, nextMs: START_MS, early: true },
      }),
    ).toBeNull();
    for (const one of [a, b]) await one.runner.stop();
  });

  it('while the store is away the turn ends by the clock, and comes back with it', async () => {
    const away = { now: false };
    const leases = new Proxy(store.leases, {
      get: (target, name) =>
        away.now ? async () => Promise.reject(new Error('away')) : Reflect.get(target, name),
    });
    const clock = timers.clock();
    const parts = { clock, logger: silentLogger, after: timers.after, timing: TIMING };
    const turns = new LeasedTurns({ ...parts, leases, newId: createIdSource(clock) });
    let gained = 0;
    turns.start(() => void gained++);
    await timers.advance(3_000);
    away.now = true;
    await timers.advance(6_000);
    expect(turns.current()).not.toBeNull();
    await timers.advance(2_500);
    expect(turns.current()).toBeNull();
    away.now = false;
    await timers.advance(3_000);
    expect(turns.current()).not.toBeNull();
    await turns.stop();
    expect(gained).toBeGreaterThan(0);
  });
});

describe('jobs of one process', () => {
  const sole = (job: Job) =>
    new JobRunner({
      ...{ jobs: [job], turns: soleTurns(), record: store.jobs, node: 'n' },
      ...{ clock: timers.clock(), logger: silentLogger, after: timers.after },
    });

  it('runs at once, every period, and when woken; nothing is written of it', async () => {
    let runs = 0;
    const runner = sole({ name: 'j', everyMs: 1_000, run: async () => void runs++ });
    runner.wake('j');
    await timers.advance(0);
    expect(runs).toBe(0); // not started
    runner.start();
    await timers.advance(2_000);
    expect(runs).toBe(3);
    runner.wake('j');
    await timers.advance(1);
    expect(runs).toBe(4);
    expect(await store.jobs.listJobs()).toEqual([]);
    expect(() => runner.wake('other')).toThrow('no job other');
    await runner.stop();
    runner.wake('j');
    await timers.advance(5_000);
    expect(runs).toBe(4);
  });

  it('never beside itself: woken while it runs it runs once more, and stopping waits for it', async () => {
    const gates: (() => void)[] = [];
    let beside = 0;
    let most = 0;
    const run = async (): Promise<void> => {
      most = Math.max(most, ++beside);
      await new Promise<void>((resolve) => gates.push(resolve));
      beside--;
    };
    const runner = sole({ name: 'j', everyMs: 1_000, run });
    runner.start();
    await timers.advance(0);
    for (let i = 0; i < 3; i++) runner.wake('j');
    gates.shift()?.();
    await timers.advance(0);
    expect([gates.length, most]).toEqual([1, 1]);
    let stopped = false;
    const stopping = runner.stop().then(() => {
      stopped = true;
    });
    await timers.advance(0);
    expect(stopped).toBe(false);
    gates.shift()?.();
    await stopping;
    expect([gates.length, most]).toEqual([0, 1]);
  });

  it('one that fails is tried in its next period', async () => {
    let runs = 0;
    const runner = sole({
      name: 'j',
      everyMs: 1_000,
      async run() {
        if (++runs === 1) throw new Error('once');
      },
    });
    runner.start();
    await timers.advance(1_000);
    expect(runs).toBe(2);
    await runner.stop();
  });
});

describe('retention', () => {
  it('removes sessions and links that have ended, and leaves the others', async () => {
    const clock = timers.clock();
    const workspace = { id: 'ws', slug: 'w', name: 'w', allowedAddresses: [], createdAtMs: 1 };
    await store.config.ensureWorkspace(workspace);
    const user = { id: 'u', username: 'ada', passwordHash: 'x', createdAtMs: 1, disabledAtMs: null };
    await store.identity.insertFirstUser(user, { workspaceId: 'ws', role: 'owner' });
    for (const [idHash, expiresAtMs] of [
      ['ended', START_MS],
      ['live', START_MS + 1],
    ] as const)
      await store.identity.insertSession({
        ...{ idHash, userId: 'u', csrfHash: 'c', createdAtMs: 1, lastSeenAtMs: 1, expiresAtMs },
        ...{ address: null, userAgent: null, secondFactorTries: null, method: null, workspaceId: null },
      });
    await retentionJob({ store, clock }).run({ fence: null });
    expect(await store.identity.findSession('ended')).toBeNull();
    expect(await store.identity.findSession('live')).not.toBeNull();
  });
});
