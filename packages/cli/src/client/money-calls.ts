import * as budgets from '@tallygate/contract/api/budgets';
import * as limits from '@tallygate/contract/api/limits';
import { z } from 'zod';
import type { AdminRequest } from './transport.ts';

type Body<S extends z.ZodType> = z.input<S>;
type Call = <T>(request: AdminRequest, schema: z.ZodType<T>) => Promise<T>;

/** Budgets, typed. */
export interface BudgetCalls {
  list(): Promise<z.infer<typeof budgets.budgetListResponse>>;
  create(body: Body<typeof budgets.budgetCreateRequest>): Promise<budgets.BudgetView>;
  update(id: string, body: Body<typeof budgets.budgetUpdateRequest>): Promise<budgets.BudgetView>;
  holds(id?: string): Promise<budgets.BudgetHoldsView>;
  history(id: string): Promise<budgets.BudgetHistoryView>;
  remove(id: string): Promise<void>;
}

/** Limits, typed. */
export interface LimitCalls {
  list(): Promise<z.infer<typeof limits.limitListResponse>>;
  create(body: Body<typeof limits.limitCreateRequest>): Promise<limits.LimitView>;
  update(id: string, body: Body<typeof limits.limitUpdateRequest>): Promise<limits.LimitView>;
  remove(id: string): Promise<void>;
}

const remove = async (call: Call, path: string): Promise<void> =>
  void (await call({ method: 'DELETE', path }, z.unknown()));

export function budgetCalls(call: Call): BudgetCalls {
  const one = (id: string): string => `/api/budgets/${encodeURIComponent(id)}`;
  return {
    list: () => call({ method: 'GET', path: '/api/budgets' }, budgets.budgetListResponse),
    create: (body) => call({ method: 'POST', path: '/api/budgets', body }, budgets.budgetResponse),
    update: (id, body) => call({ method: 'PATCH', path: one(id), body }, budgets.budgetResponse),
    holds: (id) =>
      call(
        { method: 'GET', path: '/api/budgets/holds', ...(id === undefined ? {} : { query: { budget: id } }) },
        budgets.budgetHoldsResponse,
      ),
    history: (id) => call({ method: 'GET', path: `${one(id)}/history` }, budgets.budgetHistoryResponse),
    remove: (id) => remove(call, one(id)),
  };
}

export function limitCalls(call: Call): LimitCalls {
  const one = (id: string): string => `/api/limits/${encodeURIComponent(id)}`;
  return {
    list: () => call({ method: 'GET', path: '/api/limits' }, limits.limitListResponse),
    create: (body) => call({ method: 'POST', path: '/api/limits', body }, limits.limitResponse),
    update: (id, body) => call({ method: 'PATCH', path: one(id), body }, limits.limitResponse),
    remove: (id) => remove(call, one(id)),
  };
}
