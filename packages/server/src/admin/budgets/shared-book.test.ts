import { eventually } from '@tallygate/testkit/eventually';
import { openTestStore, withMethods } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../kernel/clock.ts';
import { silentLogger } from '../../kernel/logger.ts';
import type { Budget } from '../../limits/budget.ts';
import { BudgetEngine } from '../../limits/budget-engine.ts';
import type { SharedLimitState } from '../../limits/limit-state.ts';
import type { BudgetRow } from '../../store/ports/budgets.ts';
import type { Store } from '../../store/store.ts';
import { BudgetBook } from './budget-book.ts';

const NOW = 1_800_000_000_000;
const ROW: BudgetRow = {
  ...{ id: 'b', workspaceId: 'w', name: 'B', scope: [], measure: 'usd', limit: 10, window: 'day' },
  ...{ windowHours: null, sliding: false, timeZone: 'UTC', mode: 'hard', unpriced: 'refuse' },
  ...{ onOutage: 'closed', provisionalNanoUsdPerMtok: null, createdAtMs: NOW - 40 },
};

/** Looks that a book takes at a new budget before it lets go of it, after the last request of before. */
const LAST_LOOKS = 15;

/** Shared books that note what they are told. */
class NotedState extends BudgetEngine implements SharedLimitState {
  readonly learnt: [id: string, nowMs: number][] = [];
  reads = 0;
  read: () => Promise<boolean> = () => Promise.resolve(true);

  learn(budget: Budget, nowMs: number): void {
    this.learnt.push([budget.id, nowMs]);
    this.add(budget, { nowMs, countsFromMs: budget.createdAtMs });
  }

  reread(): Promise<boolean> {
    this.reads += 1;
    return this.read();
  }
}

let store: Store;
/** Rows of the store, as another node may have put them in. */
let rows: BudgetRow[];
/** When the store tells its rows. */
let answer: Promise<void>;
let engine: NotedState;
let waits: number;
let book: BudgetBook;
beforeEach(async () => {
  store = await openTestStore();
  rows = [];
  answer = Promise.resolve();
  const budgets = withMethods(store.budgets, {
    listBudgets: async () => {
      const then = [...rows];
      await answer;
      return then;
    },
    insertBudget: async (row) => void rows.push(row),
    updateBudget: async ({ id }, change) => {
      rows = rows.map((row) => (row.id === id ? { ...row, ...change } : row));
      return true;
    },
    deleteBudget: async ({ id }) => {
      rows = rows.filter((row) => row.id !== id);
      return true;
    },
  });
  engine = new NotedState();
  waits = 0;
  const clock = { ...systemClock, now: () => NOW };
  const wait = async (): Promise<void> => {
    waits += 1;
    await new Promise(setImmediate);
  };
  book = new BudgetBook({ store: { budgets, usage: store.usage }, clock, logger: silentLogger, wait });
  book.share(engine);
});
afterEach(() => store.close());

const ended = () => eventually('the looking ends', () => waits === engine.reads && waits >= LAST_LOOKS);

/** Nobody waits any more, and nothing was read since. */
async function untilLetGo(): Promise<void> {
  const { reads } = engine;
  await eventually('nobody waits', async () => {
    const before = waits;
    await new Promise(setImmediate);
    return waits === before;
  });
  expect(engine.reads).toBe(reads);
}

describe('a new budget of several nodes (X-02, X-08)', () => {
  it('counts from when it was made on, here and on a node that learns of it, which does so once', async () => {
    book.watch({ runningFromBefore: () => false });
    await book.create(ROW);
    expect(engine.learnt).toEqual([]);
    rows.push({ ...ROW, id: 'other' });
    await book.follow();
    await book.follow();
    expect(engine.learnt).toEqual([['other', NOW]]);
    expect([engine.has('b'), engine.has('other')]).toEqual([true, true]);
  });

  it('is read again until nothing runs from before this node knew it, and some looks more', async () => {
    let running = 700;
    const asked = new Set<number>();
    book.watch({
      runningFromBefore(timeMs) {
        asked.add(timeMs);
        return running-- > 0;
      },
    });
    rows.push(ROW);
    await book.follow();
    await ended();
    expect(asked).toEqual(new Set([NOW + 1])); // not from when it was made
    expect(engine.reads).toBe(700 + LAST_LOOKS);
  });

  it('is read again as often as that fails, whether the books or the ledger are away', async () => {
    book.watch({ runningFromBefore: () => false });
    engine.read = async () => {
      if (engine.reads % 3 === 1) throw new Error('no ledger');
      return engine.reads % 3 !== 2;
    };
    await book.create(ROW);
    await ended();
    expect(engine.reads).toBe(3 * LAST_LOOKS);
  });

  it('made here while rows of before are on their way, stays in force', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    answer = promise;
    const following = book.follow();
    await book.create(ROW);
    resolve();
    await following;
    expect([engine.has('b'), engine.learnt]).toEqual([true, []]);
    rows = []; // another node removes it
    await book.follow();
    expect(engine.has('b')).toBe(false);
  });

  it('removed or changed here while rows of before are on their way, is neither learnt anew nor changed back', async () => {
    await book.create(ROW);
    await book.create({ ...ROW, id: 'c' });
    const { promise, resolve } = Promise.withResolvers<void>();
    answer = promise;
    const following = book.follow();
    await book.remove({ id: 'b', workspaceId: 'w' });
    await book.update({ id: 'c', workspaceId: 'w' }, { limit: 3 });
    resolve();
    await following;
    expect([engine.has('b'), engine.learnt]).toEqual([false, []]);
    expect(engine.status('c', NOW)?.budget.limit).toBe(3);
    await book.follow(); // by now the rows are those of after
    expect(engine.status('c', NOW)?.budget.limit).toBe(3);
  });

  it('is let go of when it is removed, and when the server stops', async () => {
    book.watch({ runningFromBefore: () => true });
    await book.create(ROW);
    await eventually('it is looked at', () => engine.reads > 3);
    await book.remove({ id: 'b', workspaceId: 'w' });
    await untilLetGo();
    await book.create({ ...ROW, id: 'c' });
    const reads = engine.reads;
    await eventually('it is looked at', () => engine.reads > reads + 3);
    book.watch(null);
    await untilLetGo();
  });
});
