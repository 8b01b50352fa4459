import type { WindowState } from '../account-windows.ts';
import type { Budget } from '../budget.ts';
import { type BudgetAccount, spendOf } from '../budget-account.ts';
import { budgetIndex } from '../budget-index.ts';
import { type TimeWindow, windowAt } from '../budget-window.ts';
import { READ_WINDOWS, SET_BEFORE } from './book-scripts.ts';
import type { LedgerReads, LedgerRequest, RedisBooksDeps } from './books-deps.ts';
import { chunks } from './chunks.ts';
import { wholeText, windowName } from './hold-text.ts';
import type { Books } from './membership.ts';
import { forgetAt } from './question.ts';
import type { RedisKeys } from './redis-keys.ts';
import { type RedisLink, RedisUnavailable } from './redis-link.ts';

/** Reading the ledger's sum may take longer than a decision, but not for ever. */
const LOAD_MS = 2_000;
/** No request waits for a sum that is read again. */
const REREAD_MS = 60_000;
const LEDGER_CHUNK = 200;
/** Each conflict is with somebody else's reading, or with the end of a request that passed unasked. */
const MAX_READINGS = 20;
/**
 * Spend of a budget's first moments is summed by the ledger, but for the requests that were asked about: a node that
 * learns of the budget within this time lets nothing through that nobody counts. As long as clocks may differ.
 */
export const KNOWN_WITHIN_MS = 30_000;

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

/** What one window holds; the ledger's sum is null where it has to be read. */
interface Found {
  startMs: number;
  before: number | null;
  settled: number;
  held: number;
  version: string;
}

interface Standing {
  epoch: string;
  windows: Found[];
}

/** From when on requests of a budget are counted one by one; earlier ones are the ledger's to sum, unless it is told. */
export function summedUntil({ createdAtMs }: Pick<Budget, 'createdAtMs'>, fromMs: number): number {
  return Math.max(fromMs, createdAtMs + KNOWN_WITHIN_MS);
}

/** What windows hold in the shared books, and what the ledger has to say of the time before those. */
export class WindowSums {
  readonly #deps: WindowSumsDeps;
  readonly #loading = new Map<string, Promise<boolean>>();

  constructor(deps: WindowSumsDeps) {
    this.#deps = deps;
  }

  /** Reads the ledger's sums of what counts with a window into the books; once, however many requests wait for them. */
  load(filed: Filed): Promise<boolean> {
    const books = this.#deps.current();
    if (books === null) return Promise.resolve(false);
    const name = `${books.generation} ${windowName(filed.account.budget.id, filed.window.startMs)}`;
    const running = this.#loading.get(name);
    if (running) return running;
    const loading = within(LOAD_MS, this.#put(books, filed, false))
      .catch((error: unknown) => {
        this.#deps.logger.warn('what a budget has spent could not be read for the shared books', { error });
        return false;
      })
      .finally(() => this.#loading.delete(name));
    this.#loading.set(name, loading);
    return loading;
  }

  /** Reads them again. Resolves false while the books are away; rejects when the ledger cannot be read. */
  async reread(filed: Filed): Promise<boolean> {
    const books = this.#deps.current();
    if (books === null) return false;
    try {
      return await within(REREAD_MS, this.#put(books, filed, true));
    } catch (error) {
      if (error instanceof RedisUnavailable) return false;
      throw error;
    }
  }

  async #put(books: Books, filed: Filed, anew: boolean): Promise<boolean> {
    for (let tries = 0; tries < MAX_READINGS; tries++) {
      const said = await this.#putOnce(books, filed, anew);
      if (said !== 'again') return said === 'ok';
    }
    return false;
  }

  async #putOnce(books: Books, { account, window }: Filed, anew: boolean): Promise<string> {
    const { budget } = account;
    const untilMs = summedUntil(budget, books.fromMs);
    const starts = account.startsFor(window).filter((startMs) => startMs < untilMs);
    const standing = await this.#standing(books, budget, starts);
    if (standing === null) return 'stale';
    const wanted = standing.windows.filter(({ before }) => anew || before === null);
    const ranges = wanted.map(({ startMs }) => ({
      startMs,
      endMs: Math.min(windowAt(startMs, budget).endMs, untilMs),
    }));
    const sums = await this.#sumsOf(books, account, ranges);
    const said = await Promise.all(
      wanted.map(({ startMs, version }, index) => {
        const key = this.#key(books, budget, startMs);
        const forget = forgetAt(budget, windowAt(startMs, budget));
        const args = [books.generation, wholeText(sums[index] ?? 0), forget, standing.epoch, version];
        return this.#deps.link.run(SET_BEFORE, [this.#deps.keys.state, key], args);
      }),
    );
    return String(said.find((one) => one !== 'ok') ?? 'ok');
  }

  /**
   * What the ledger says of stretches of time, less what is counted one by one. Who is asked about is named before it
   * starts: names that are read after the ledger's moment has begun leave none out whose row is in its sums.
   */
  #sumsOf(books: Books, account: BudgetAccount, ranges: readonly TimeWindow[]): Promise<number[]> {
    if (ranges.length === 0) return Promise.resolve([]);
    const { budget } = account;
    return this.#deps.ledger.atOneMoment(async (reads) => {
      const sums: number[] = [];
      for (const range of ranges) sums.push(await reads.spentIn(budget, range));
      const older = await this.#older(books, account, reads);
      return ranges.map(({ startMs, endMs }, index) => {
        let sum = sums[index] ?? 0;
        for (const { startedAtMs, spend } of older)
          if (startedAtMs >= startMs && startedAtMs < endMs) sum -= spendOf(budget, spend);
        return sum;
      });
    });
  }

  /** Requests of the budget that the ledger has to leave out. */
  async #older({ generation }: Books, account: BudgetAccount, reads: LedgerReads): Promise<LedgerRequest[]> {
    const { link, keys } = this.#deps;
    const ids = (await link.command('SMEMBERS', keys.older(generation) + account.budget.id)) as string[];
    const covers = budgetIndex([account]);
    const found: LedgerRequest[] = [];
    for (const part of chunks(ids, LEDGER_CHUNK))
      for (const request of await reads.requests(part))
        if (covers.matching(request.scopes).length > 0) found.push(request);
    return found;
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
    const { budget } = account;
    const untilMs = summedUntil(budget, books.fromMs);
    const standing = await this.#standing(books, budget, account.startsFor(window));
    if (standing === null) return null;
    const sum = { used: 0, held: 0 };
    for (const { startMs, before, settled, held } of standing.windows) {
      if (before === null && startMs < untilMs) return null;
      sum.used += (before ?? 0) + settled;
      sum.held += held;
    }
    return sum;
  }

  #key({ generation }: Books, { id }: Budget, startMs: number): string {
    return this.#deps.keys.windows(generation) + windowName(id, startMs);
  }

  /** Null when these books are not in force any more. */
  async #standing(books: Books, budget: Budget, starts: readonly number[]): Promise<Standing | null> {
    const { link, keys } = this.#deps;
    const names = starts.map((startMs) => this.#key(books, budget, startMs));
    const answer = await link.run(READ_WINDOWS, [keys.state, ...names], [books.generation]);
    const [epoch = 'stale', ...numbers] = answer as string[];
    if (epoch === 'stale') return null;
    const windows = chunks(numbers, 4).map(([before = '', settled, held, version = '0'], index) => ({
      ...{ startMs: starts[index] ?? 0, before: before === '' ? null : Number(before) },
      ...{ settled: Number(settled), held: Number(held), version },
    }));
    return { epoch, windows };
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
