import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@tallygate/testkit/eventually';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { emptyTally, runSeries, type Series } from './campaign.ts';
import { ChaosWorld } from './chaos-world.ts';
import { sqliteDatabase } from './databases.ts';
import { createDice, type Dice } from './dice.ts';
import { drawPlan, type Plan } from './plan.ts';

/** A start takes about a second of processor time, several when tests share the machine. */
const TIMEOUT_MS = 300_000;
const SAME_REQUEST_MS = 1_000;
const seed = Date.now() >>> 0;

/** All six rounds in two places, each policy in both. `npm run chaos` goes on for two hundred. */
const SERIES: Series[] = [
  { store: 'sqlite', fsync: 'process', rounds: 3, seed },
  { store: 'postgres', fsync: 'disk', rounds: 3, seed: seed + 1 },
];

describe('stopping the server under load', () => {
  let world: ChaosWorld;
  beforeEach(async () => {
    world = await ChaosWorld.open({ database: sqliteDatabase(), fsync: 'process', dice: createDice(seed) });
  }, TIMEOUT_MS);
  afterEach(() => world.stop());

  /** Streams that go on for a while, among the usual mixture. */
  const withLongStreams = (dice: Dice, session: string): Plan => {
    const plan = drawPlan(dice, session);
    if (!dice.chance(0.3)) return plan;
    return { ...plan, stream: true, behaviour: 'paced', httpStatus: 200, pauseMs: 40, leavesAfterMs: null };
  };

  it(
    'SIGTERM: no new requests, those under way end as if nothing happened, exit 0, nothing interrupted (CF-17)',
    async () => {
      const load = world.load({ draw: withLongStreams });
      await load.until(60, 10_000);
      expect(load.underWay).toBeGreaterThan(0);
      // A supervisor tells every process of the group, and the launcher passes on what it got: that is one request.
      process.kill(world.gate.pid, 'SIGTERM');
      await eventually('it has heard', () => world.gate.output().includes('Stopping'), 10_000);
      const code = await world.gate.terminate();
      const records = await load.finish();
      expect(code).toBe(0);
      await world.gate.restart();
      const verdict = await world.verdict(records, { killed: false });
      expect(verdict.violations).toEqual([]);
      expect(verdict.interrupted).toBe(0);
      expect(verdict.complete).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );

  it(
    'a second SIGTERM ends it at once, not with exit 0, and the next start settles what was under way (CF-17)',
    async () => {
      const load = world.load({
        draw: (dice, session) => ({ ...withLongStreams(dice, session), pauseMs: 400 }),
      });
      await load.until(20, 10_000);
      process.kill(world.gate.pid, 'SIGTERM');
      await load.untilTurnedAway(10_000);
      await sleep(SAME_REQUEST_MS); // sooner than this the second is the first once more
      expect(load.underWay).toBeGreaterThan(0);
      load.aboutToKill();
      const code = await world.gate.terminate();
      const records = await load.finish();
      expect(code).toBe(1);
      await world.gate.restart();
      const verdict = await world.verdict(records, { killed: true });
      expect(verdict.violations).toEqual([]);
      expect(verdict.interrupted).toBeGreaterThan(0);
      expect(await world.lastCheck()).toEqual([]);
    },
    TIMEOUT_MS,
  );
});

describe.each(SERIES)('kill -9 of the server under load: $store, fsync $fsync (CF-17)', (series) => {
  it(
    `every request is in the ledger exactly once, and sums equal rows (seed ${series.seed}) (TW-21)`,
    async (context) => {
      const tally = emptyTally();
      if (!(await runSeries(series, tally))) return context.skip('no PostgreSQL here');
      expect(tally.violations).toEqual([]);
      expect(tally.rounds).toBe(series.rounds);
      expect(tally.complete).toBeGreaterThan(0);
      expect(tally.interrupted).toBeGreaterThan(0);
    },
    TIMEOUT_MS,
  );
});
