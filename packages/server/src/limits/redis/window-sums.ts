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

  /** Puts in what the ledger says of the time before a budget; nothing happens while the books are away. */
  setBefore(account: BudgetAccount, { startMs }: TimeWindow, amount: number): void {
    const books = this.#deps.current();
    if (books === null) return; // read from the ledger when the window is first asked about
    // Younger books have the ledger's sum up to their own beginning: the one up to the budget's is less.
    if (account.countsFromMs < books.fromMs) return;
    this.#putBefore(books, account.budget, { startMs, amount, onlyIfNone: false }).catch(() => undefined);
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

  async #load(books: Books, account: BudgetAccount, window: WindowState): Promise<boolean> {
    const fromMs = countsFrom(account, books);
    const older = account.countsFromMs > books.fromMs ? [] : await this.#older(books, account);
    const put = await Promise.all(
      account
        .startsFor(window)
        .filter((startMs) => startMs < fromMs)
        .map((startMs) => this.#loadOne(books, account, { startMs, fromMs, older })),
    );
    return put.every(Boolean);
  }

  async #loadOne(
    books: Books,
    { budget }: BudgetAccount,
    { startMs, fromMs, older }: { startMs: number; fromMs: number; older: readonly LedgerRequest[] },
  ): Promise<boolean> {
    const endMs = Math.min(windowAt(startMs, budget).endMs, fromMs);
    const spent = await this.#deps.ledger.spentIn(budget, { startMs, endMs });
    let counted = 0;
    for (const { startedAtMs, spend } of older)
      if (startedAtMs >= startMs && startedAtMs < endMs) counted += spendOf(budget, spend);
    return this.#putBefore(books, budget, { startMs, amount: spent - counted, onlyIfNone: true });
  }

  /** Requests of the budget that started before the books and are counted one by one all the same. */
  async #older({ generation }: Books, account: BudgetAccount): Promise<LedgerRequest[]> {
    const { link, keys, ledger } = this.#deps;
    const ids = (await link.command('SMEMBERS', keys.older(generation))) as string[];
    const covers = budgetIndex([account]);
    const found: LedgerRequest[] = [];
    for (const part of chunks(ids, LEDGER_CHUNK))
      for (const request of await ledger.requests(part))
        if (covers.matching(request.scopes).length > 0) found.push(request);
    return found;
  }

  async #putBefore(
    { generation }: Books,
    budget: Budget,
    { startMs, amount, onlyIfNone }: { startMs: number; amount: number; onlyIfNone: boolean },
  ): Promise<boolean> {
    const { link, keys } = this.#deps;
    const key = keys.windows(generation) + windowName(budget.id, startMs);
    const forget = forgetAt(budget, windowAt(startMs, budget));
    const args = [generation, wholeText(amount), onlyIfNone ? '1' : '0', forget];
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
