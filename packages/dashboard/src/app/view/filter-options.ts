import { REQUEST_STATUSES } from '@tallygate/contract/usage';
import { useQuery } from '@tanstack/react-query';
import { useApi } from '../api/api-context.tsx';
import { accountsQuery, breakdownQuery, keysQuery, projectsQuery, type Scope } from '../api/queries.ts';
import type { FilterName } from '../url/filters.ts';

export interface FilterOption {
  value: string;
  label: string;
}
export type FilterOptions = Record<FilterName, FilterOption[]>;

export const FILTER_LABELS: Record<FilterName, string> = {
  model: 'Model',
  project: 'Project',
  key: 'Key',
  provider: 'Provider',
  account: 'Account',
  status: 'Status',
};
export const STATUS_LABELS: Record<(typeof REQUEST_STATUSES)[number], string> = {
  ok: 'OK',
  client_error: 'Client error',
  upstream_error: 'Upstream error',
  timeout: 'Timeout',
  aborted: 'Aborted',
  rejected: 'Rejected',
  interrupted: 'Interrupted',
};
const STATUS_OPTIONS = REQUEST_STATUSES.map((value) => ({ value, label: STATUS_LABELS[value] }));

/** What each filter can be set to: names from the lists, models and providers from the traffic of the range. */
export function useFilterOptions(scope: Scope): FilterOptions {
  const api = useApi();
  const unfiltered = { range: scope.range, filters: {} };
  const projects = useQuery(projectsQuery(api));
  const keys = useQuery(keysQuery(api));
  const accounts = useQuery(accountsQuery(api));
  const models = useQuery(breakdownQuery(api, unfiltered, 'model', 100));
  const providers = useQuery(breakdownQuery(api, unfiltered, 'provider', 100));
  const fromRows = (rows: { key: string; label: string }[] | undefined): FilterOption[] =>
    (rows ?? []).filter((row) => row.key !== '').map((row) => ({ value: row.key, label: row.label }));
  return {
    model: fromRows(models.data?.rows),
    provider: fromRows(providers.data?.rows),
    project: (projects.data?.projects ?? []).map((item) => ({ value: item.id, label: item.name })),
    key: (keys.data?.keys ?? []).map((item) => ({ value: item.id, label: item.name })),
    account: (accounts.data?.accounts ?? []).map((item) => ({ value: item.id, label: item.name })),
    status: STATUS_OPTIONS,
  };
}
