import type { WindowState } from '../account-windows.ts';
import type { Budget } from '../budget.ts';
import { type BudgetAccount, spendOf } from '../budget-account.ts';
import { budgetIndex } from '../budget-index.ts';
import { type TimeWindow, windowAt } from '../budget-window.ts';
import { SET_BEFORE } from './book-scripts.ts';
import type { LedgerRequest, RedisBooksDeps } from './books-deps.ts';
import { chunks } from './chunks.ts';
import { wholeText, windowName } from './hold-text.ts';
import type { Books } from './membership.ts';
import { forgetAt } from './question.ts';
import type { RedisKeys } from './redis-keys.ts';
import { type RedisLink, RedisUnavailable } from './redis-link.ts';

/** Reading the ledger's sum may take longer than a decision, but not for ever. */
const LOAD_MS = 2_000;
const LEDGER_CHUNK = 200;
/** Commits come many times a second; a sum takes less than the time between two. */
const MAX_READINGS = 20;

export interface WindowSumsDeps extends Pick<RedisBooksDeps, 'ledger' | 'logger'> {
  link: RedisLink;
  keys: RedisKeys;
  /** The books, when they can be asked. */
  current(): Books | null;
}

/** A budget and where something of it is filed. */
interface Filed {
  account: BudgetAccount;
  window: WindowState;
}

/** From when on requests of a budget are counted one by one; earlier ones are summed by the ledger. */
export function countsFrom(account: BudgetAccount, books: Books): number {
  return Math.max(books.fromMs, account.countsFromMs);
}

/** What windows hold in the shared books, and what the ledger has to say of the time before those. */
export class WindowSums {
  readonly #deps: WindowSumsDeps;
  readonly #loading = new Map<string, Promise<boolean>>();

  constructor(deps: WindowSumsDeps) {
    this.#deps = deps;
  }

  /** Puts in what the ledger says of a window; nothing happens while the books are away. */
  setBefore(account: BudgetAccount, { startMs }: TimeWindow, amount: number): void {
    const books = this.#deps.current();
    if (books === null) return; // read from the ledger when the window is first asked about
    // Where the books are younger than the budget, the ledger sums more than what is older than the budget.
    const putting =
      account.countsFromMs < books.fromMs
        ? this.reread(account, startMs)
        : this.#putBefore(books, account.budget, { startMs, amount });
    putting.catch(() => undefined);
  }

  /** Reads the ledger's sum of one window again. Resolves false when that could not be done now. */
  reread(account: BudgetAccount, startMs: number): Promise<boolean> {
    const books = this.#deps.current();
    return books === null ? Promise.resolve(false) : within(LOAD_MS, this.#read(books, account, [startMs]));
  }

  /** Reads the ledger's sums of what counts with a window into the books; once, however many requests wait for them. */
  load({ account, window }: Filed): Promise<boolean> {
    const books = this.#deps.current();
    if (books === null) return Promise.resolve(false);
    const name = `${books.generation} ${windowName(account.budget.id, window.startMs)}`;
    const running = this.#loading.get(name);
    if (running) return running;
    const loading = within(LOAD_MS, this.#load(books, account, window))
      .catch((error: unknown) => {
        this.#deps.logger.warn('what a budget has spent could not be read for the shared books', { error });
        return false;
      })
      .finally(() => this.#loading.delete(name));
    this.#loading.set(name, loading);
    return loading;
  }

  #load(books: Books, account: BudgetAccount, window: WindowState): Promise<boolean> {
    return this.#read(books, account, account.startsFor(window));
  }

  /** Sums of the windows with these starts, less what is counted one by one. */
  async #read(books: Books, account: BudgetAccount, startsMs: readonly number[]): Promise<boolean> {
    const fromMs = countsFrom(account, books);
    const ranges = startsMs
      .filter((startMs) => startMs < fromMs)
      .map((startMs) => ({ startMs, endMs: Math.min(windowAt(startMs, account.budget).endMs, fromMs) }));
    const { sums, position } = await this.#sumsAt(account.budget, ranges);
    const older = account.countsFromMs > books.fromMs ? [] : await this.#older(books, account);
    const put = await Promise.all(
      ranges.map(({ startMs, endMs }, index) => {
        let amount = sums[index] ?? 0;
        for (const request of older)
          if (request.startedAtMs >= startMs && request.startedAtMs < endMs && request.position <= position)
            amount -= spendOf(account.budget, request.spend);
        return this.#putBefore(books, account.budget, { startMs, amount });
      }),
    );
    return put.every(Boolean);
  }

  /**
   * Sums, and how far the ledger was when they were made: a row that comes in between must be in both or in neither.
   * Where it never stands still the earlier position is told: then a row may count twice, and none is left out.
   */
  async #sumsAt(
    budget: Budget,
    ranges: readonly TimeWindow[],
  ): Promise<{ sums: number[]; position: number }> {
    const { ledger } = this.#deps;
    for (let tries = 1; ; tries++) {
      const position = await ledger.position();
      const sums = await Promise.all(ranges.map((range) => ledger.spentIn(budget, range)));
      if (tries === MAX_READINGS || (await ledger.position()) === position) return { sums, position };
    }
  }

  /** Requests of the budget that started before the books and are counted one by one all the same. */
  async #older({ generation }: Books, account: BudgetAccount): Promise<LedgerRequest[]> {
    const { link, keys, ledger } = this.#deps;
    const ids = (await link.command('SDIFF', keys.older(generation), keys.summed(generation))) as string[];
    const covers = budgetIndex([account]);
    const found: LedgerRequest[] = [];
    for (const part of chunks(ids, LEDGER_CHUNK))
      for (const request of await ledger.requests(part))
        if (request.startedAtMs >= account.countsFromMs && covers.matching(request.scopes).length > 0)
          found.push(request);
    return found;
  }

  async #putBefore(
    { generation }: Books,
    budget: Budget,
    { startMs, amount }: { startMs: number; amount: number },
  ): Promise<boolean> {
    const { link, keys } = this.#deps;
    const key = keys.windows(generation) + windowName(budget.id, startMs);
    const forget = forgetAt(budget, windowAt(startMs, budget));
    const args = [generation, wholeText(amount), forget];
    return (await link.run(SET_BEFORE, [keys.state, key], args)) === 'ok';
  }

  /** What counts with windows, used and held; null for each that cannot be told now. */
  async read(all: readonly Filed[]): Promise<({ used: number; held: number } | null)[]> {
    const books = this.#deps.current();
    if (books === null) return all.map(() => null);
    return Promise.all(all.map((filed) => this.#readOne(books, filed)));
  }

  async #readOne(books: Books, filed: Filed): Promise<{ used: number; held: number } | null> {
    try {
      let sums = await this.#sums(books, filed);
      if (sums === null && (await this.load(filed))) sums = await this.#sums(books, filed);
      return sums;
    } catch (error) {
      if (error instanceof RedisUnavailable) return null;
      throw error;
    }
  }

  /** Null while a sum of the ledger is missing. */
  async #sums(books: Books, { account, window }: Filed): Promise<{ used: number; held: number } | null> {
    const { link, keys } = this.#deps;
    const prefix = keys.windows(books.generation);
    const fromMs = countsFrom(account, books);
    const sum = { used: 0, held: 0 };
    const fields = await Promise.all(
      account.startsFor(window).map(async (startMs) => {
        const key = prefix + windowName(account.budget.id, startMs);
        return { startMs, found: await link.command('HMGET', key, 'before', 'settled', 'held') };
      }),
    );
    for (const { startMs, found } of fields) {
      const [before, settled, held] = found as (string | null)[];
      if (before === null && startMs < fromMs) return null;
      sum.used += Number(before ?? 0) + Number(settled ?? 0);
      sum.held += Number(held ?? 0);
    }
    return sum;
  }
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
