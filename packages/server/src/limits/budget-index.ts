import { type Scoped, ScopeIndex } from './scope-index.ts';

/** Finds the budgets a request falls under without looking at the others. */
export function budgetIndex<T extends { readonly budget: Scoped }>(items: Iterable<T>): ScopeIndex<T> {
  return new ScopeIndex(items, ({ budget }) => budget);
}
