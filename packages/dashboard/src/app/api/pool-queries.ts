import type { HealthView, PoolListView } from '@tallygate/contract/api/pools';
import type { RuleListView } from '@tallygate/contract/api/rules';
import { queryOptions } from '@tanstack/react-query';
import type { ApiClient } from './client.ts';

const POOLS_EVERY_MS = 30_000;
const DAY_MS = 86_400_000;

export const poolsQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ['pools'],
    queryFn: ({ signal }) => api.get<PoolListView>('/api/pools', signal),
    refetchInterval: POOLS_EVERY_MS,
  });

export const rulesQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ['rules'],
    queryFn: ({ signal }) => api.get<RuleListView>('/api/rules', signal),
  });

/** Hours of an account over the last days. */
export const healthQuery = (api: ApiClient, accountId: string, days: number) =>
  queryOptions({
    queryKey: ['account-health', accountId, days],
    queryFn: ({ signal }) => {
      const to = new Date(Date.now() + 3_600_000).toISOString();
      const from = new Date(Date.now() - days * DAY_MS).toISOString();
      const range = `from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}`;
      return api.get<HealthView>(`/api/accounts/${encodeURIComponent(accountId)}/health?${range}`, signal);
    },
    refetchInterval: POOLS_EVERY_MS,
  });
