import type { BudgetAccount } from '../budget-account.ts';
import type { RedisBooksDeps } from './books-deps.ts';
import { readWindowName } from './hold-text.ts';
import { RedisUnavailable } from './redis-link.ts';
import type { WindowSums } from './window-sums.ts';

export interface RereadingDeps extends Pick<RedisBooksDeps, 'ledger' | 'logger'> {
  sums: WindowSums;
  account(id: string): BudgetAccount | null;
}

/**
 * Windows whose sum of the ledger has to be read again: a request that was let through unasked has ended, which is
 * older than the books. Whether an earlier reading had its row nobody can tell; a later one has it, and has it once.
 */
export class Rereading {
  readonly #deps: RereadingDeps;
  #waiting = new Set<string>();
  #running: Promise<void> | null = null;

  constructor(deps: RereadingDeps) {
    this.#deps = deps;
  }

  /** Windows that still have to be read again. */
  get size(): number {
    return this.#waiting.size;
  }

  add(windows: readonly string[]): void {
    for (const name of windows) this.#waiting.add(name);
    this.run();
  }

  /** Reads what waits; what cannot be read now waits for the next call. */
  run(): void {
    if (this.#running !== null || this.#waiting.size === 0) return;
    this.#running = this.#readAll()
      .catch((error: unknown) => {
        if (error instanceof RedisUnavailable) return;
        this.#deps.logger.warn('what a budget has spent could not be read again for the shared books', {
          error,
        });
      })
      .finally(() => {
        this.#running = null;
      });
  }

  async #readAll(): Promise<void> {
    const { ledger, sums, account: accountOf } = this.#deps;
    const names = [...this.#waiting];
    if (!(await ledger.caughtUp())) return;
    for (const name of names) {
      // Before it is read: an end that comes meanwhile asks for another reading.
      this.#waiting.delete(name);
      const { budgetId, windowStartMs } = readWindowName(name);
      const account = accountOf(budgetId);
      if (account === null) continue;
      let done = false;
      try {
        done = await sums.reread(account, windowStartMs);
      } finally {
        if (!done) this.#waiting.add(name);
      }
    }
  }
}
