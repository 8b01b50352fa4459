import type { BudgetHistoryView, BudgetHoldsView, BudgetView } from '@tallygate/contract/api/budgets';
import type { LimitView } from '@tallygate/contract/api/limits';
import { queryOptions } from '@tanstack/react-query';
import type { ApiClient } from './client.ts';

/** What is held and counted changes with every request. */
const LIVE_MS = 5_000;

export const budgetsQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ['budgets'],
    queryFn: ({ signal }) => api.get<{ budgets: BudgetView[] }>('/api/budgets', signal),
    refetchInterval: LIVE_MS,
  });

export const budgetHistoryQuery = (api: ApiClient, id: string) =>
  queryOptions({
    queryKey: ['budgets', id, 'history'],
    queryFn: ({ signal }) =>
      api.get<BudgetHistoryView>(`/api/budgets/${encodeURIComponent(id)}/history`, signal),
    staleTime: 30_000,
  });

export const budgetHoldsQuery = (api: ApiClient, id: string) =>
  queryOptions({
    queryKey: ['budgets', id, 'holds'],
    queryFn: ({ signal }) =>
      api.get<BudgetHoldsView>(`/api/budgets/holds?budget=${encodeURIComponent(id)}`, signal),
    refetchInterval: LIVE_MS,
  });

export const limitsQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ['limits'],
    queryFn: ({ signal }) => api.get<{ limits: LimitView[] }>('/api/limits', signal),
    refetchInterval: LIVE_MS,
  });
