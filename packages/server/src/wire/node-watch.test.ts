import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@tallygate/testkit/eventually';
import { openTestStore, withMethods } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../kernel/clock.ts';
import { silentLogger } from '../kernel/logger.ts';
import type { CountsIn } from '../store/ports/nodes.ts';
import type { Store } from '../store/store.ts';
import { countsApart, NodeWatch } from './node-watch.ts';
import { StartError } from './start-error.ts';

/** Nobody is taken for dead because the machine of the tests was busy for a moment. */
const TIMING = { beatMs: 20, lifeMs: 10_000, patienceMs: 800 };

describe('which nodes count apart (X-08)', () => {
  it.each<[CountsIn, CountsIn[], boolean]>([
    ['self', [], false],
    ['shared', ['shared', 'shared', 'nothing'], false],
    ['self', ['nothing'], false],
    ['self', ['self'], true],
    ['self', ['shared'], true],
    ['shared', ['self'], true],
    ['shared', ['shared', 'self'], true],
    ['nothing', ['self', 'shared'], false],
  ])('%s beside %j: %s', (own, others, apart) => {
    expect(
      countsApart(
        own,
        others.map((countsIn) => ({ countsIn })),
      ),
    ).toBe(apart);
  });
});

describe('a node among others (X-08)', () => {
  let store: Store;
  const watches: NodeWatch[] = [];
  beforeEach(async () => {
    store = await openTestStore();
  });
  afterEach(async () => {
    for (const watch of watches.splice(0)) await watch.stop();
    await store.close();
  });

  let processes = 0;
  function node(
    id: string,
    countsIn: CountsIn,
    options: { eachForItself?: boolean; nodes?: Store['nodes']; errors?: string[]; lifeMs?: number } = {},
  ): NodeWatch {
    const { eachForItself = false, nodes = store.nodes, errors = [], lifeMs = TIMING.lifeMs } = options;
    const watch = new NodeWatch({
      self: { id, process: `p${processes++}`, roles: 'gateway', version: '1' },
      ...{ nodes, countsIn, eachForItself, timing: { ...TIMING, lifeMs }, clock: systemClock },
      logger: { ...silentLogger, error: (message: string) => void errors.push(message) },
      wait: (ms) => sleep(ms),
    });
    watches.push(watch);
    return watch;
  }
  const live = async () => (await store.nodes.listNodes()).map(({ id }) => id).sort();

  it('two that count for themselves: the second does not start, says what to do, and disturbs nobody', async () => {
    const first = node('a', 'self');
    await first.join();
    const second = node('b', 'self');
    await expect(second.join()).rejects.toThrow(/REDIS_URL on every node/);
    await expect(node('c', 'shared').join()).rejects.toThrow(StartError);
    expect(await live()).toEqual(['a']);
    expect([first.conflict, first.limitsHold, first.unreadyReason()]).toEqual([null, true, null]);
  });

  it('nodes that share their books, and those that count nothing, start beside each other', async () => {
    for (const [id, countsIn] of [
      ['a', 'shared'],
      ['b', 'shared'],
      ['c', 'nothing'],
    ] as const) {
      const watch = node(id, countsIn);
      await watch.join();
      expect(watch.warnings()).toEqual([]);
    }
    expect(await live()).toEqual(['a', 'b', 'c']);
  });

  it('a start waits for a node that died without saying so', async () => {
    await store.nodes.beat({
      ...{ id: 'dead', process: 'x', roles: 'gateway', countsIn: 'self', version: '1' },
      ...{ startedAtMs: 1, lifeMs: 200 },
    });
    const watch = node('b', 'self');
    await watch.join();
    expect(watch.limitsHold).toBe(true);
  });

  it('two that start at the same moment never both run', async () => {
    for (let round = 0; round < 5; round++) {
      const both = [node(`a${round}`, 'self'), node(`b${round}`, 'self')];
      const joined = await Promise.allSettled(both.map((watch) => watch.join()));
      expect(joined.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1);
      for (const watch of both) await watch.stop();
    }
  });

  it('one that finds another beside it later does not keep its limits, says so once, and goes on when it is gone', async () => {
    const errors: string[] = [];
    const watch = node('a', 'self', { errors });
    await watch.join();
    const beat = { process: 'x', roles: 'gateway', countsIn: 'self', version: '1', startedAtMs: 1 } as const;
    // It was cut off from the database when this one looked.
    await store.nodes.beat({ ...beat, id: 'b', lifeMs: 1_500 });
    await eventually('it notices', () => !watch.limitsHold);
    expect(watch.warnings().map(({ code }) => code)).toEqual(['nodes_apart']);
    expect(watch.unreadyReason()).toContain('REDIS_URL');
    await eventually('the other is gone', () => watch.limitsHold);
    expect([watch.warnings(), errors.length]).toEqual([[], 1]);
  });

  it('where the operator wants it so, each counts for itself and the banner stays', async () => {
    await node('a', 'self').join();
    const watch = node('b', 'self', { eachForItself: true });
    await watch.join();
    expect([watch.limitsHold, watch.unreadyReason()]).toEqual([true, null]);
    expect(watch.warnings().map(({ code }) => code)).toEqual(['limits_per_node']);
  });

  it('a restart takes its own place at once; two processes on copies of one data directory are told', async () => {
    const before = node('a', 'self');
    await before.join();
    const after = node('a', 'self');
    await after.join(); // as after a kill: the row of the process before is still there
    expect(after.conflict).toBeNull();
    await eventually('both have noticed', () => before.conflict === 'copy' && after.conflict === 'copy');
    expect(after.warnings().map(({ code }) => code)).toEqual(['copied_data_dir']);
    expect(after.unreadyReason()).toContain('copy of the data directory');
  });

  it('while the store is away it keeps what it knows', async () => {
    const away = { now: false };
    const nodes = withMethods(store.nodes, {
      beat: (beat) => (away.now ? Promise.reject(new Error('away')) : store.nodes.beat(beat)),
    });
    const watch = node('a', 'self', { nodes, lifeMs: 400 });
    await watch.join();
    away.now = true;
    await eventually('its place is gone', async () => (await live()).length === 0);
    expect(watch.limitsHold).toBe(true);
    away.now = false;
    await eventually('it is back', async () => (await live()).length === 1);
  });
});
