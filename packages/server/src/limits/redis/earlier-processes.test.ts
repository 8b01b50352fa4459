import { randomUUID } from 'node:crypto';
import { scopesOf, spendOfCost, TestLedger, testBudget } from '@tallygate/testkit/limit-play';
import { redisBench } from '@tallygate/testkit/redis-bench';
import { beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../kernel/logger.ts';
import { EarlierProcesses, type EarlierProcessesDeps } from './earlier-processes.ts';
import { RedisKeys } from './redis-keys.ts';

const redis = redisBench();
const BOOKS = { generation: 'g1', fromMs: 0 };
const [ME, BEFORE, OTHER] = ['node:now', 'node:before', 'other:p'];
const budget = testBudget('b');

let keys: RedisKeys;
let ledger: TestLedger;
beforeEach(async () => {
  keys = new RedisKeys(randomUUID());
  ledger = new TestLedger();
  if (!redis.skipped) await redis.command('HSET', keys.state, 'id', 'g1');
});

const processes = (change: Partial<EarlierProcessesDeps> = {}): EarlierProcesses =>
  new EarlierProcesses({
    ...{ link: redis.link(), keys, owner: ME, node: 'node', logger: silentLogger, ledger: ledger.asked() },
    ...{ leftBehind: false, unheldBefore: false },
    budget: (id) => (id === 'b' ? budget : null),
    ...change,
  });

const window = () => `${keys.windows('g1')}b:0`;
const sums = async () => (await redis.command('HMGET', window(), 'settled', 'held')) as (string | null)[];
const row = (id: string, cost: number) =>
  ledger.rows.set(id, { id, startedAtMs: 5, scopes: scopesOf('p'), spend: spendOfCost(cost) });

/** A process that holds something, as `JOIN` or `RESERVE` leave it. */
async function leave(owner: string, held: Readonly<Record<string, number>>): Promise<void> {
  await redis.command('SADD', keys.processes('g1', owner.split(':')[0] ?? ''), owner);
  await redis.command('ZADD', keys.nodes, 5, owner);
  for (const [id, amount] of Object.entries(held)) {
    await redis.command('HSET', keys.holds('g1', owner), id, `5||b:0=${amount}`);
    await redis.command('HINCRBY', window(), 'held', amount);
  }
}

describe.skipIf(redis.skipped)('what earlier processes of a node left in the books (X-02, X-08)', () => {
  it('becomes what their rows say; what has no row was never sent, and nothing is owed for it', async () => {
    await leave(BEFORE, { sent: 40, never: 30 });
    await leave(OTHER, { theirs: 7 });
    row('sent', 12);
    row('unrelated', 500);
    await processes().welcome(BOOKS);
    expect(await sums()).toEqual(['12', '7']);
    expect(await redis.command('EXISTS', keys.holds('g1', BEFORE))).toBe(0);
    expect(await redis.command('SMEMBERS', keys.processes('g1', 'node'))).toEqual([ME]);
    // It is not waited for, nor charged, any more; those of other nodes are.
    expect(await redis.command('ZRANGE', keys.nodes, 0, -1)).toEqual([OTHER]);
  });

  it('once, also by two processes that find the same; its own holds are not touched', async () => {
    await leave(BEFORE, { sent: 40 });
    row('sent', 12);
    await Promise.all([processes().welcome(BOOKS), processes({ owner: 'node:twin' }).welcome(BOOKS)]);
    await leave(ME, { mine: 9 });
    row('mine', 1);
    await processes().welcome(BOOKS);
    expect(await sums()).toEqual(['12', '9']);
  });

  it('corrects what was charged for them when they seemed dead', async () => {
    await leave(BEFORE, {});
    await redis.command('HSET', keys.expired('g1', BEFORE), 'sent', '5||b:0=40', 'never', '5||b:0=20');
    await redis.command('HSET', window(), 'settled', 60);
    row('sent', 12);
    await processes().welcome(BOOKS);
    await processes().welcome(BOOKS);
    expect((await sums())[0]).toBe('12');
  });

  it('gives back what a budget held that is gone, though nobody knows what it would have counted', async () => {
    await leave(BEFORE, {});
    await redis.command('HSET', keys.holds('g1', BEFORE), 'sent', '5||b:0=40,gone:0=3');
    await redis.command('HINCRBY', window(), 'held', 40);
    await redis.command('HSET', `${keys.windows('g1')}gone:0`, 'held', 3);
    row('sent', 12);
    await processes().welcome(BOOKS);
    expect(await sums()).toEqual(['12', '0']);
    expect(await redis.command('HGETALL', `${keys.windows('g1')}gone:0`)).toEqual(['held', '0']);
  });

  it('is settled in parts where it is much, every one of it', async () => {
    const held = Object.fromEntries(Array.from({ length: 450 }, (_, i) => [`r${i}`, 2]));
    await leave(BEFORE, held);
    for (const id of Object.keys(held)) row(id, 3);
    const parts: number[] = [];
    const asked = ledger.asked();
    const counted = {
      ...asked,
      requests: (ids: readonly string[]) => {
        parts.push(ids.length);
        return asked.requests(ids);
      },
    };
    await processes({ ledger: counted }).welcome(BOOKS);
    expect(await sums()).toEqual(['1350', '0']);
    expect(parts).toEqual([200, 200, 50]);
  });

  it('of books that nobody uses any more nothing stays; those in use, and others than these, do', async () => {
    const others = new RedisKeys(randomUUID());
    const kept = [window(), keys.state, keys.nodes, others.windows('g0')];
    await redis.command('HSET', window(), 'held', 1);
    await redis.command('ZADD', keys.nodes, 5, OTHER);
    await redis.command('HSET', others.windows('g0'), 'held', 1);
    const old = [keys.holds('g0', OTHER), keys.batches('g0'), `${keys.windows('g0')}b:0`, keys.joined('g0')];
    for (const key of old) await redis.command('SET', key, 'x');
    await processes().welcome(BOOKS);
    expect(await redis.command('EXISTS', ...old)).toBe(0);
    expect(await redis.command('EXISTS', ...kept)).toBe(kept.length);
  });

  it('books are begun anew after a crash when they do not know the process that crashed', async () => {
    const fresh = processes();
    const crashed = processes({ leftBehind: true });
    expect([await fresh.mustBeginAnew('g1'), await crashed.mustBeginAnew('g1')]).toEqual([false, true]);
    // Once: those that are made now are new.
    expect(await crashed.mustBeginAnew('g2')).toBe(false);
    await leave(BEFORE, { sent: 40 });
    expect(await processes({ leftBehind: true }).mustBeginAnew('g1')).toBe(false);
  });

  it('and when it had let requests through that no books know, whatever they know of it', async () => {
    await leave(BEFORE, { sent: 40 });
    const unheld = processes({ unheldBefore: true });
    expect([await unheld.mustBeginAnew('g1'), await unheld.mustBeginAnew('g2')]).toEqual([true, false]);
  });
});
