import type {
  AlertEventView,
  AlertRuleView,
  ChannelView,
  DeliveryStatus,
  DeliveryView,
} from '@tallygate/contract/api/alerts';
import type { BudgetView } from '@tallygate/contract/api/budgets';
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { stringifySearch } from '../url/search-params.ts';
import type { ApiClient } from './client.ts';

const PAGE = 50;
/** What fires moves by itself, so it is asked for again while it is looked at. */
const EVERY_MS = 15_000;

export const alertRulesQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ['alerts', 'rules'],
    queryFn: ({ signal }) => api.get<{ rules: AlertRuleView[] }>('/api/alerts/rules', signal),
    refetchInterval: EVERY_MS,
  });

export const alertChannelsQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ['alerts', 'channels'],
    queryFn: ({ signal }) => api.get<{ channels: ChannelView[] }>('/api/alerts/channels', signal),
  });

/** Of one rule, or of all. */
export const alertEventsQuery = (api: ApiClient, rule?: string) =>
  infiniteQueryOptions({
    queryKey: ['alerts', 'events', rule],
    queryFn: ({ signal, pageParam }) =>
      api.get<{ events: AlertEventView[] }>(
        `/api/alerts/events${stringifySearch({ limit: PAGE, rule, before: pageParam })}`,
        signal,
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => (page.events.length < PAGE ? undefined : page.events.at(-1)?.at),
    refetchInterval: EVERY_MS,
  });

export const alertDeliveriesQuery = (api: ApiClient, status: DeliveryStatus | null) =>
  queryOptions({
    queryKey: ['alerts', 'deliveries', status],
    queryFn: ({ signal }) =>
      api.get<{ deliveries: DeliveryView[] }>(
        `/api/alerts/deliveries${stringifySearch({ limit: PAGE * 2, status: status ?? undefined })}`,
        signal,
      ),
    refetchInterval: EVERY_MS,
  });

export const budgetChoiceQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ['alerts', 'budgets'],
    queryFn: ({ signal }) => api.get<{ budgets: BudgetView[] }>('/api/budgets', signal),
  });
