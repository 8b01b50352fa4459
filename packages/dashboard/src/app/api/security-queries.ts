import type { AuditEntryView } from '@tallygate/contract/api/audit';
import type { CheckupView } from '@tallygate/contract/api/checkup';
import type { IncidentStatus } from '@tallygate/contract/api/incident';
import type { NetworkSettings, SecurityOverview } from '@tallygate/contract/api/security';
import type { SsoSettings } from '@tallygate/contract/api/sso';
import type { VaultView } from '@tallygate/contract/api/vault';
import type { WorkspaceView } from '@tallygate/contract/api/workspaces';
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

export const CHECKUP_QUERY = ['checkup'] as const;
export const checkupQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: CHECKUP_QUERY,
    queryFn: ({ signal }) => api.get<CheckupView>('/api/security/checkup', signal),
  });

export const VAULT_QUERY = ['vault'] as const;
const VAULT_EVERY_MS = 30_000;
/** While values are sealed anew, so that the bar moves. */
const VAULT_AT_WORK_EVERY_MS = 500;

export const vaultQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: VAULT_QUERY,
    queryFn: ({ signal }) => api.get<VaultView>('/api/vault', signal),
    refetchInterval: ({ state }) => (state.data?.job ? VAULT_AT_WORK_EVERY_MS : VAULT_EVERY_MS),
  });

export const ssoSettingsQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ['sso-settings'],
    queryFn: ({ signal }) => api.get<SsoSettings>('/api/security/sso', signal),
  });

export const networkSettingsQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ['network-settings'],
    queryFn: ({ signal }) => api.get<NetworkSettings>('/api/security/network', signal),
    staleTime: Number.POSITIVE_INFINITY, // they change with a restart
  });

export const WORKSPACES_QUERY = ['workspaces'] as const;
export const workspacesQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: WORKSPACES_QUERY,
    queryFn: ({ signal }) => api.get<{ workspaces: WorkspaceView[] }>('/api/workspaces', signal),
  });
