import type { AuditEntryView } from '@tallygate/contract/api/audit';
import type { IncidentStatus } from '@tallygate/contract/api/incident';
import type { SecurityOverview } from '@tallygate/contract/api/security';
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import type { AuditSearch } from '../url/audit-search.ts';
import { stringifySearch } from '../url/search-params.ts';
import type { ApiClient } from './client.ts';

export interface AuditPage {
  entries: AuditEntryView[];
  nextCursor: string | null;
}
const PAGE = 200;

export const auditQuery = (api: ApiClient, { entry: _open, ...filters }: AuditSearch) =>
  infiniteQueryOptions({
    queryKey: ['audit', filters],
    queryFn: ({ signal, pageParam }) =>
      api.get<AuditPage>(
        `/api/audit${stringifySearch({ ...filters, limit: PAGE, cursor: pageParam })}`,
        signal,
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  });

/** One entry by its number, for an address that was sent to somebody. */
export const auditEntryQuery = (api: ApiClient, seq: number) =>
  queryOptions({
    queryKey: ['audit-entry', seq],
    queryFn: async ({ signal }) => {
      const page = await api.get<AuditPage>(`/api/audit?limit=1&cursor=${seq + 1}`, signal);
      return page.entries.find((entry) => entry.seq === seq) ?? null;
    },
    staleTime: Number.POSITIVE_INFINITY, // an entry never changes
  });

export const securityQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ['security'],
    queryFn: ({ signal }) => api.get<SecurityOverview>('/api/security/overview', signal),
    refetchInterval: 30_000,
  });

export const incidentQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ['incident'],
    queryFn: ({ signal }) => api.get<IncidentStatus>('/api/incident', signal),
    refetchInterval: 15_000,
  });
