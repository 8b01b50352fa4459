import { type LimitBench, limitConformance, type TestLedger } from '@tallygate/testkit/limit-conformance';
import type { Budget } from './budget.ts';
import { BudgetEngine } from './budget-engine.ts';
import { windowAt } from './budget-window.ts';

const memory: LimitBench = {
  name: 'one process, in memory (X-02)',
  skipped: null,
  async open(budgets, ledger) {
    const states = [load(budgets, ledger)];
    return {
      states,
      async restart() {
        states[0] = load(budgets, ledger);
      },
      settled: async () => undefined,
      lose: null,
      close: async () => undefined,
    };
  },
};

/** As a start does: the books are the ledger's sums. */
function load(budgets: readonly Budget[], ledger: TestLedger): BudgetEngine {
  const engine = new BudgetEngine();
  const nowMs = Date.now();
  for (const budget of budgets) {
    engine.add(budget, { nowMs, countsFromMs: Number.NEGATIVE_INFINITY });
    engine.setBefore(budget.id, nowMs, ledger.spentIn(budget, windowAt(nowMs, budget)));
  }
  return engine;
}

limitConformance(memory);
