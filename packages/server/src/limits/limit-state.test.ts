import { limitConformance } from '@tallygate/testkit/limit-conformance';
import type { LimitBench, TestClock, TestLedger } from '@tallygate/testkit/limit-play';
import type { Budget } from './budget.ts';
import { BudgetEngine } from './budget-engine.ts';
import { countedWindows } from './budget-window.ts';

const memory: LimitBench = {
  name: 'one process, in memory (X-02)',
  skipped: null,
  modelRuns: 500,
  async open(budgets, ledger, clock) {
    const states = [load(budgets, ledger, clock)];
    return {
      states,
      async restart() {
        states[0] = load(budgets, ledger, clock);
      },
      settled: async () => undefined,
      lose: null,
      close: async () => undefined,
    };
  },
};

/** As a start does: the books are the ledger's sums. */
function load(budgets: readonly Budget[], ledger: TestLedger, { nowMs }: TestClock): BudgetEngine {
  const engine = new BudgetEngine();
  for (const budget of budgets) {
    engine.add(budget, { nowMs, countsFromMs: Number.NEGATIVE_INFINITY });
    for (const window of countedWindows(nowMs, budget))
      engine.setBefore(budget.id, window.startMs, ledger.spentIn(budget, window));
  }
  return engine;
}

limitConformance(memory);
