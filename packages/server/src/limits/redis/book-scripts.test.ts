import { randomUUID } from 'node:crypto';
import { redisBench } from '@tallygate/testkit/redis-bench';
import { beforeEach, describe, expect, it } from 'vitest';
import { EXPIRE, JOIN, READ_WINDOWS, RESOLVE, SET_BEFORE, SETTLE } from './book-scripts.ts';
import { RedisKeys } from './redis-keys.ts';

const redis = redisBench();
const [G, OWNER, WINDOW] = ['g1', 'n:p', 'b:1000'];

let keys: RedisKeys;
beforeEach(async () => {
  keys = new RedisKeys(randomUUID());
  if (!redis.skipped) await redis.command('HSET', keys.state, 'id', G, 'open', '0');
});

const { run } = redis;
const window = () => keys.windows(G) + WINDOW;

interface Join {
  number?: string;
  fresh?: boolean;
  last?: boolean;
  generation?: string;
}

const join = (
  holds: readonly string[],
  { number = '0', fresh = false, last = true, generation = G }: Join = {},
) =>
  run(
    JOIN,
    [keys.state, keys.holds(G, OWNER), keys.batches(G), keys.joined(G)],
    [
      ...[generation, OWNER, number, keys.windows(G), keys.older(G)],
      ...[fresh ? '1' : '0', last ? '1' : '0', ...holds],
    ],
  );

/** An end: the request, and what it came to where something is owed. */
const end = (id: string, amount: number | null, older = true): string[] =>
  amount === null ? [id, '0'] : [id, '1', WINDOW, String(amount), '0', older ? '1' : '0'];

const settle = (number: number, ...ends: string[][]) =>
  run(
    SETTLE,
    [keys.state, keys.holds(G, OWNER), keys.expired(G, OWNER), keys.batches(G)],
    [G, OWNER, String(number), keys.windows(G), keys.older(G), ...ends.flat()],
  );

const sums = () => run(READ_WINDOWS, [keys.state, window()], [G]);
const put = (amount: number, epoch: string, version: string) =>
  run(SET_BEFORE, [keys.state, window()], [G, String(amount), '0', epoch, version]);

describe.skipIf(redis.skipped)('the scripts of shared books (X-02, X-08)', () => {
  it('a batch counts once, whatever is sent again, and one that does not follow is told', async () => {
    await join([]);
    expect(await settle(1, end('a', 5), end('b', 7))).toBe('ok');
    expect(await settle(1, end('a', 5), end('b', 7))).toBe('ok');
    expect(await settle(3, end('c', 1))).toBe('gap');
    expect(await sums()).toEqual(['0', '', '12', '0', '2']);
  });

  it('a process that never joined is told so, and books that are gone are', async () => {
    expect(await settle(1, end('a', 5))).toBe('gap');
    await redis.command('HSET', keys.state, 'id', 'g2');
    expect(await settle(1, end('a', 5))).toBe('stale');
    expect(await join(['r', `1||${WINDOW}=5`])).toBe('stale');
    expect(await put(5, '0', '0')).toBe('stale');
    expect(await sums()).toEqual(['stale']);
  });

  it('names that are told again are held once, and give back what they held', async () => {
    const holds = ['r', `1||${WINDOW}=40`, 's', `1||${WINDOW}=2`];
    await join(holds, { last: false });
    await join(holds, { last: false });
    await join([]);
    expect(await sums()).toEqual(['0', '', '0', '42', '0']);
    await settle(1, end('r', null), end('s', 1));
    expect(await sums()).toEqual(['0', '', '1', '0', '0']);
  });

  it('a sum stands when what ends was named, and is read anew when it was not', async () => {
    await join(['named', `1||${WINDOW}=9`]);
    expect(await put(100, '0', '0')).toBe('ok');
    await settle(1, end('named', 4), end('younger', 3, false));
    expect(await sums()).toEqual(['0', '100', '7', '0', '1']);
    await settle(2, end('unnamed', 2));
    expect(await sums()).toEqual(['0', '', '9', '0', '2']);
    // The ledger's sum of then leaves it out: its name is known now.
    expect(await put(96, '0', '1')).toBe('again'); // read before
    expect(await put(98, '0', '2')).toBe('ok');
    expect(((await redis.command('SMEMBERS', `${keys.older(G)}b`)) as string[]).sort()).toEqual([
      'named',
      'unnamed',
    ]);
    expect(await sums()).toEqual(['0', '98', '9', '0', '3']);
  });

  it('one that passed without an answer takes the sum out, though its question had named it when that came', async () => {
    await join(['late', `1||${WINDOW}=9`]);
    await put(100, '0', '0');
    await settle(1, ['late', '1', WINDOW, '4', '0', '2']);
    expect(await sums()).toEqual(['0', '', '4', '0', '2']);
  });

  it('of two readings at once one is done again', async () => {
    await join([]);
    expect(await put(10, '0', '0')).toBe('ok');
    expect(await put(8, '0', '0')).toBe('again');
    expect(await sums()).toEqual(['0', '10', '0', '0', '1']);
  });

  it('who joins open books has every sum read anew, unless it brings nothing', async () => {
    await join([]);
    await put(10, '0', '0');
    await redis.command('HSET', keys.state, 'open', '1');
    await join([], { fresh: true });
    expect(await sums()).toEqual(['0', '10', '0', '0', '1']);
    await join(['r', `1||${WINDOW}=3`], { last: false });
    expect(await sums()).toEqual(['0', '10', '0', '3', '1']);
    await join([]);
    expect(await sums()).toEqual(['1', '', '0', '3', '1']);
    expect(await put(10, '0', '1')).toBe('again'); // began before it joined
    expect(await put(12, '1', '1')).toBe('ok');
    expect(await sums()).toEqual(['1', '12', '0', '3', '2']);
  });

  it('what is charged for a silent node is corrected by its end, or by its row, and by one of them only', async () => {
    await join(['r', `1||${WINDOW}=40`, 's', `1||${WINDOW}=20`]);
    const expire = () =>
      run(
        EXPIRE,
        [keys.nodes, keys.holds(G, OWNER), keys.expired(G, OWNER)],
        [OWNER, keys.windows(G), '60000'],
      );
    expect(await expire()).toBe(0); // nothing is known of its lease
    await redis.command('ZADD', keys.nodes, Date.now(), OWNER);
    expect(await expire()).toBe(0); // it is not silent for long
    await redis.command('ZADD', keys.nodes, 1, OWNER);
    expect(await expire()).toBe(2);
    expect(await sums()).toEqual(['0', '', '60', '0', '0']);
    await settle(1, end('r', 4));
    expect(await sums()).toEqual(['0', '', '24', '0', '0']);
    const resolve = () =>
      run(
        RESOLVE,
        [keys.state, keys.holds(G, OWNER), keys.expired(G, OWNER)],
        [G, keys.windows(G), ...end('r', 4), ...end('s', 5)],
      );
    await resolve();
    await resolve();
    expect(await sums()).toEqual(['0', '', '9', '0', '0']);
  });
});
