import type { AccountView, ProviderListView } from '@tallygate/contract/api/accounts';
import type { Me, SecondFactorStatus, SessionView, SetupStatus } from '@tallygate/contract/api/auth';
import type { ApiKeyView } from '@tallygate/contract/api/keys';
import type { OauthSettingsView } from '@tallygate/contract/api/oauth';
import type { PasskeyView } from '@tallygate/contract/api/passkeys';
import type { InvitationView, RoleList, UserView } from '@tallygate/contract/api/people';
import type { ProjectView } from '@tallygate/contract/api/projects';
import type { SsoStatus } from '@tallygate/contract/api/sso';
import type { SystemView } from '@tallygate/contract/api/system';
import type {
  BreakdownView,
  RequestDetailView,
  RequestView,
  TimeseriesView,
  TotalsView,
  UsageGroup,
} from '@tallygate/contract/api/usage';
import type { OwnWorkspace } from '@tallygate/contract/api/workspaces';
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query';
import { type Filters, pickFilters } from '../url/filters.ts';
import { stringifySearch } from '../url/search-params.ts';
import type { ResolvedRange } from '../url/time-range.ts';
import type { ApiClient } from './client.ts';

export interface Scope {
  range: ResolvedRange;
  filters: Filters;
}
export interface RequestPage {
  requests: RequestView[];
  nextCursor: string | null;
}
/** The first page is small, to be there at once; the next ones are as large as the API gives them. */
export const FIRST_PAGE = 100;
export const NEXT_PAGE = 500;

function scopeParams({ range, filters }: Scope): Record<string, unknown> {
  return {
    from: new Date(range.fromMs).toISOString(),
    to: new Date(range.toMs).toISOString(),
    ...pickFilters(filters),
  };
}

/** Who is signed in; fails with 401 when nobody is. */
export const meQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ['me'],
    queryFn: ({ signal }) => api.get<Me>('/api/auth/me', signal),
    staleTime: 60_000,
  });

/** Where they may look; most people have one workspace. */
export const ownWorkspacesQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ['own', 'workspaces'],
    queryFn: ({ signal }) => api.get<{ workspaces: OwnWorkspace[] }>('/api/auth/workspaces', signal),
    staleTime: 60_000,
  });

export const setupQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ['setup'],
    queryFn: ({ signal }) => api.get<SetupStatus>('/api/setup/status', signal),
    staleTime: 0,
  });

export const systemQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ['system'],
    queryFn: ({ signal }) => api.get<SystemView>('/api/system', signal),
    refetchInterval: 15_000,
  });

/**
 * Usage queries share the prefix `usage`, so that live traffic can refresh them together. The figures of the range
 * before stay on screen while the next ones load.
 */
function usageQuery<T>(api: ApiClient, path: string, params: Record<string, unknown>) {
  return queryOptions({
    queryKey: ['usage', path, params],
    queryFn: ({ signal }) => api.get<T>(`/api/usage/${path}${stringifySearch(params)}`, signal),
    placeholderData: keepPreviousData,
  });
}

export const totalsQuery = (api: ApiClient, scope: Scope) =>
  usageQuery<TotalsView>(api, 'totals', { ...scopeParams(scope), compare: 'previous' });

export const timeseriesQuery = (api: ApiClient, scope: Scope, group: UsageGroup | null) =>
  usageQuery<TimeseriesView>(api, 'timeseries', {
    ...scopeParams(scope),
    step: scope.range.step,
    ...(group === null ? {} : { group, top: 7 }),
  });

export const breakdownQuery = (api: ApiClient, scope: Scope, group: UsageGroup, limit: number) =>
  usageQuery<BreakdownView>(api, 'breakdown', { ...scopeParams(scope), group, limit });

/** Whether anything was ever seen: one row, whatever its age. */
export const anyRequestQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ['any-request'],
    queryFn: ({ signal }) => api.get<RequestPage>('/api/requests?limit=1', signal),
  });

/**
 * The list, newest first. A range that ends now has no upper end here: newer rows come over the stream.
 * `openedAt` makes each opening of the screen a list of its own, because an old one has missed what came since.
 */
export const requestsQuery = (api: ApiClient, scope: Scope, openedAt: number) => {
  const { to, ...open } = scopeParams(scope);
  const params = scope.range.preset === null ? { ...open, to } : open;
  return infiniteQueryOptions({
    queryKey: ['requests', params, openedAt],
    queryFn: ({ signal, pageParam }) =>
      api.get<RequestPage>(
        `/api/requests${stringifySearch({ ...params, limit: pageParam === undefined ? FIRST_PAGE : NEXT_PAGE, cursor: pageParam })}`,
        signal,
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    // Loaded rows do not change; comparing all of them again for every new page is time lost.
    structuralSharing: false,
    // Asking for every loaded page again on focus would be a storm.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 10_000,
  });
};

export const requestDetailQuery = (api: ApiClient, id: string) =>
  queryOptions({
    queryKey: ['request', id],
    queryFn: ({ signal }) => api.get<RequestDetailView>(`/api/requests/${encodeURIComponent(id)}`, signal),
  });

export const keysQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ['keys'],
    queryFn: ({ signal }) => api.get<{ keys: ApiKeyView[] }>('/api/keys', signal),
  });

/** Limits and windows move with the traffic, so the list is asked for again while it is looked at. */
const ACCOUNTS_EVERY_MS = 15_000;

export const accountsQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ['accounts'],
    queryFn: ({ signal }) => api.get<{ accounts: AccountView[] }>('/api/accounts', signal),
    refetchInterval: ACCOUNTS_EVERY_MS,
  });

export const oauthSettingsQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ['oauth-settings'],
    queryFn: ({ signal }) => api.get<OauthSettingsView>('/api/oauth/settings', signal),
  });

export const providersQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ['providers'],
    queryFn: ({ signal }) => api.get<ProviderListView>('/api/providers', signal),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const projectsQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ['projects'],
    queryFn: ({ signal }) => api.get<{ projects: ProjectView[] }>('/api/projects', signal),
  });

/** Queries about people share the prefix `people`: most changes touch more than one of them. */
const peopleQuery = <T>(api: ApiClient, path: string) =>
  queryOptions({ queryKey: ['people', path], queryFn: ({ signal }) => api.get<T>(path, signal) });

export const usersQuery = (api: ApiClient) => peopleQuery<{ users: UserView[] }>(api, '/api/users');
export const sessionsQuery = (api: ApiClient) =>
  peopleQuery<{ sessions: SessionView[] }>(api, '/api/sessions');
export const invitationsQuery = (api: ApiClient) =>
  peopleQuery<{ invitations: InvitationView[] }>(api, '/api/invitations');
export const rolesQuery = (api: ApiClient) => peopleQuery<RoleList>(api, '/api/roles');
export const secondFactorRuleQuery = (api: ApiClient) =>
  peopleQuery<{ roles: string[] }>(api, '/api/security/second-factor');

export const ownSecondFactorQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ['own', 'second-factor'],
    queryFn: ({ signal }) => api.get<SecondFactorStatus>('/api/auth/second-factor', signal),
  });

export const ownPasskeysQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ['own', 'passkeys'],
    queryFn: ({ signal }) => api.get<{ passkeys: PasskeyView[] }>('/api/auth/passkeys', signal),
  });

export const ownSsoQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ['own', 'sso'],
    queryFn: ({ signal }) => api.get<SsoStatus>('/api/auth/sso', signal),
  });

export const ownSessionsQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: ['own', 'sessions'],
    queryFn: ({ signal }) => api.get<{ sessions: SessionView[] }>('/api/auth/sessions', signal),
  });
