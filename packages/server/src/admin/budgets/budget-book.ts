import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { Budget } from '../../limits/budget.ts';
import { BudgetEngine } from '../../limits/budget-engine.ts';
import { countedWindows, type TimeWindow } from '../../limits/budget-window.ts';
import type { LimitState, SharedLimitState } from '../../limits/limit-state.ts';
import type { Scope } from '../../limits/scope.ts';
import type { BudgetRow } from '../../store/ports/budgets.ts';
import type { LedgerSnapshot, OwnedRef, Store } from '../../store/store.ts';
import { readSpent } from './budget-spend.ts';

/** What the book asks about requests on their way; a command line without a server has none. */
export interface Traffic {
  /** True while a request that started before this time is on its way. */
  runningFromBefore(timeMs: number): boolean;
}

export interface BudgetBookDeps {
  store: Pick<Store, 'budgets' | 'usage'>;
  clock: Clock;
  logger: Logger;
  /** Resolves after this long, and keeps no process alive. */
  wait(ms: number): Promise<void>;
}

const HOUR_MS = 3_600_000;
const LOOK_AGAIN_MS = 2_000;
/** Long enough for a body that was being sent to arrive, and for what settled to reach the store. */
const LOOKS_AFTER_LAST = 15;
/** A clock that was ahead may have left rows beyond now. */
const FUTURE_MS = 2 * 86_400_000;

export function toBudget({ name: _name, scope, windowHours, ...row }: BudgetRow): Budget {
  const windowMs = windowHours === null ? null : windowHours * HOUR_MS;
  return { ...row, scope: scope as Scope, windowMs };
}

/** Keeps the budgets of the store and of the engine alike, and the engine's books in step with the ledger. */
export class BudgetBook {
  #engine: LimitState = new BudgetEngine();
  /** The same, where nodes share it. */
  #shared: SharedLimitState | null = null;
  /** On their way into the store: nobody else can know them yet. */
  readonly #creating = new Set<string>();
  /** Changed here while rows are on their way: those may be older. */
  #changed: Set<string> | null = null;
  readonly #deps: BudgetBookDeps;
  #traffic: Traffic | null = null;

  constructor(deps: BudgetBookDeps) {
    this.#deps = deps;
  }

  get engine(): LimitState {
    return this.#engine;
  }

  /** Keeps the books where other nodes see them, too. To be called before they are loaded. */
  share(engine: SharedLimitState): void {
    this.#engine = engine;
    this.#shared = engine;
  }

  /** Tells the book where requests run; with null, that none run any more. */
  watch(traffic: Traffic | null): void {
    this.#traffic = traffic;
  }

  /**
   * Rebuilds the books from the ledger. To be awaited before anything is served, and after recovery: then the store
   * holds every row of earlier processes, and none that the engine will count itself.
   */
  async load(): Promise<void> {
    for (const row of await this.#deps.store.budgets.listBudgets(null)) {
      const budget = toBudget(row);
      const nowMs = this.#deps.clock.now();
      if (this.#shared !== null) {
        this.engine.add(budget, { nowMs, countsFromMs: budget.createdAtMs });
        continue; // what is spent is in the shared books, or read into them from the ledger when somebody asks
      }
      const times = { nowMs, countsFromMs: Number.POSITIVE_INFINITY };
      const read = await this.#spentBefore(budget, times);
      this.engine.add(budget, { nowMs, countsFromMs: Number.NEGATIVE_INFINITY });
      for (const { startMs, spent } of read) this.engine.setBefore(budget.id, startMs, spent);
    }
  }

  /** Takes over what other nodes changed; one call at a time. */
  async follow(): Promise<void> {
    const changed = new Set<string>();
    this.#changed = changed;
    const rows = await this.#deps.store.budgets.listBudgets(null);
    this.#changed = null;
    const nowMs = this.#deps.clock.now();
    for (const row of rows) {
      const budget = toBudget(row);
      if (changed.has(budget.id)) continue;
      if (this.engine.has(budget.id)) this.engine.update(budget.id, budget);
      else this.#learn(budget, nowMs);
    }
    this.engine.keepOnly(new Set([...rows.map(({ id }) => id), ...this.#creating, ...changed]));
  }

  #learn(budget: Budget, nowMs: number): void {
    if (this.#shared === null)
      return this.engine.add(budget, { nowMs, countsFromMs: budget.createdAtMs + 1 });
    this.#shared.learn(budget, nowMs);
    this.#followOwn(this.#shared, budget, nowMs);
  }

  /** Stores a budget and begins to count; what its window has spent so far counts too. */
  async create(row: BudgetRow): Promise<void> {
    const { clock, store } = this.#deps;
    const budget = toBudget(row);
    const nowMs = clock.now();
    // A request of this very millisecond may be past its reservation already: the ledger sums those.
    const countsFromMs = this.#shared === null ? nowMs + 1 : budget.createdAtMs;
    this.engine.add(budget, { nowMs, countsFromMs });
    this.#creating.add(budget.id);
    try {
      await store.budgets.insertBudget(row);
      this.#changed?.add(budget.id);
      if (this.#shared === null) await this.#readBefore(budget, { nowMs, countsFromMs });
    } catch (error) {
      this.engine.remove(budget.id);
      throw error;
    } finally {
      this.#creating.delete(budget.id);
    }
    if (this.#shared !== null) return this.#followOwn(this.#shared, budget, nowMs);
    this.#followOlder(budget, { nowMs, countsFromMs }).catch((error: unknown) =>
      this.#tellUnread(budget, error),
    );
  }

  #tellUnread({ id }: Budget, error: unknown): void {
    const reason = `budget ${id}`;
    this.#deps.logger.warn('what a new budget had spent before could not be read', { reason, error });
  }

  async update(
    ref: OwnedRef,
    change: Partial<
      Pick<BudgetRow, 'name' | 'limit' | 'mode' | 'unpriced' | 'onOutage' | 'provisionalNanoUsdPerMtok'>
    >,
  ): Promise<boolean> {
    if (!(await this.#deps.store.budgets.updateBudget(ref, change))) return false;
    this.#changed?.add(ref.id);
    const { name: _name, ...decisive } = change;
    this.engine.update(ref.id, decisive);
    return true;
  }

  async remove(ref: OwnedRef): Promise<boolean> {
    const removed = await this.#deps.store.budgets.deleteBudget(ref);
    if (!removed) return false;
    this.#changed?.add(ref.id);
    this.engine.remove(ref.id);
    return true;
  }

  /** What the ledger says of a budget's scope over a stretch of time, in the budget's measure. */
  async spentIn(
    budget: Budget,
    { startMs, endMs }: TimeWindow,
    reads: LedgerSnapshot = this.#deps.store,
  ): Promise<number> {
    const toMs = Math.min(endMs, this.#deps.clock.now() + FUTURE_MS);
    if (startMs >= toMs) return 0;
    return readSpent(reads, budget, { fromMs: startMs, toMs });
  }

  /** Requests that were on their way when the budget was made end later: the sum is read until it has them all. */
  async #followOlder(budget: Budget, times: { nowMs: number; countsFromMs: number }): Promise<void> {
    for (let looks = 0; looks < LOOKS_AFTER_LAST; ) {
      await this.#deps.wait(LOOK_AGAIN_MS);
      if (this.#traffic === null || !this.engine.has(budget.id)) return;
      if (!this.#traffic.runningFromBefore(times.countsFromMs)) looks += 1;
      await this.#readBefore(budget, times);
    }
    this.engine.countAll(budget.id); // also of a clock that is set back from now on
  }

  /**
   * Where nodes share the books each looks after its own: until nothing runs here from before it knew the budget, and what
   * ended last is in the ledger and read from there. A reading that fails is made up for by a later one.
   */
  #followOwn(shared: SharedLimitState, budget: Budget, knownAtMs: number): void {
    const follow = async (): Promise<void> => {
      let isTold = false;
      for (let looks = 0; looks < LOOKS_AFTER_LAST; ) {
        await this.#deps.wait(LOOK_AGAIN_MS);
        if (this.#traffic === null || !shared.has(budget.id)) return;
        const isOver = !this.#traffic.runningFromBefore(knownAtMs + 1);
        const isRead = await shared.reread(budget.id, this.#deps.clock.now()).catch((error: unknown) => {
          if (!isTold) this.#tellUnread(budget, error);
          isTold = true;
          return false;
        });
        if (isOver && isRead) looks += 1;
      }
    };
    follow().catch((error: unknown) => this.#tellUnread(budget, error));
  }

  async #readBefore(budget: Budget, times: { nowMs: number; countsFromMs: number }): Promise<void> {
    for (const { startMs, spent } of await this.#spentBefore(budget, times))
      this.engine.setBefore(budget.id, startMs, spent);
  }

  /** What each window that counts now has from requests older than the account. */
  #spentBefore(
    budget: Budget,
    { nowMs, countsFromMs }: { nowMs: number; countsFromMs: number },
  ): Promise<{ startMs: number; spent: number }[]> {
    const windows = countedWindows(nowMs, budget).map(async ({ startMs, endMs }) => {
      const range = { startMs, endMs: Math.min(endMs, countsFromMs) };
      return { startMs, spent: await this.spentIn(budget, range) };
    });
    return Promise.all(windows);
  }
}
