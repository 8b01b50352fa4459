import type { RequestSubject, Scope } from './scope.ts';
import { ScopeIndex } from './scope-index.ts';

interface Scoped {
  readonly budget: { workspaceId: string; scope: Scope };
}

/** Finds the budgets a request falls under without looking at the others. */
export class BudgetIndex<T extends Scoped> {
  readonly #index: ScopeIndex<{ workspaceId: string; scope: Scope; item: T }>;

  constructor(items: Iterable<T>) {
    this.#index = new ScopeIndex(
      [...items].map((item) => ({
        workspaceId: item.budget.workspaceId,
        scope: item.budget.scope,
        item,
      })),
    );
  }

  /** Every budget of the request's workspace that counts it, each once. */
  matching(subject: RequestSubject): T[] {
    return this.#index.matching(subject).map(({ item }) => item);
  }
}
