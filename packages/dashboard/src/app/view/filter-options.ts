import { useQuery } from '@tanstack/react-query';
import { useApi } from '../api/api-context.tsx';
import { accountsQuery, breakdownQuery, keysQuery, projectsQuery, type Scope } from '../api/queries.ts';
import { useMay } from '../api/use-may.ts';
import { ENVIRONMENT_LABELS } from '../url/environment.ts';
import type { FilterName } from '../url/filters.ts';
import { STATUS_LABELS } from '../url/request-status.ts';

export interface FilterOption {
  value: string;
  label: string;
}
export type FilterOptions = Record<FilterName, FilterOption[]>;

export const FILTER_LABELS: Record<FilterName, string> = {
  environment: 'Environment',
  model: 'Model',
  project: 'Project',
  key: 'Key',
  provider: 'Provider',
  account: 'Account',
  status: 'Status',
};
const named = (items: readonly { id: string; name: string }[]): FilterOption[] =>
  items.map(({ id, name }) => ({ value: id, label: name }));
const optionsOf = (labels: Record<string, string>): FilterOption[] =>
  Object.entries(labels).map(([value, label]) => ({ value, label }));
const ENVIRONMENT_OPTIONS = optionsOf(ENVIRONMENT_LABELS);
const STATUS_OPTIONS = optionsOf(STATUS_LABELS);

/** What each filter can be set to: names from the lists, models and providers from the traffic of the range. */
export function useFilterOptions(scope: Scope): FilterOptions {
  const api = useApi();
  const unfiltered = { range: scope.range, filters: {} };
  const may = useMay();
  const projects = useQuery({ ...projectsQuery(api), enabled: may('projects.manage') });
  const keys = useQuery({ ...keysQuery(api), enabled: may('keys.manage') });
  const accounts = useQuery({ ...accountsQuery(api), enabled: may('accounts.manage') });
  // Whoever may not list them knows those of the traffic, whose figures they may see.
  const seen = (group: 'project' | 'key' | 'account', listed: boolean) => ({
    ...breakdownQuery(api, unfiltered, group, 100),
    enabled: !listed,
  });
  const seenProjects = useQuery(seen('project', may('projects.manage')));
  const seenKeys = useQuery(seen('key', may('keys.manage')));
  const seenAccounts = useQuery(seen('account', may('accounts.manage')));
  const models = useQuery(breakdownQuery(api, unfiltered, 'model', 100));
  const providers = useQuery(breakdownQuery(api, unfiltered, 'provider', 100));
  const fromRows = (rows: { key: string; label: string }[] | undefined): FilterOption[] =>
    (rows ?? []).filter((row) => row.key !== '').map((row) => ({ value: row.key, label: row.label }));
  return {
    model: fromRows(models.data?.rows),
    provider: fromRows(providers.data?.rows),
    project: projects.data ? named(projects.data.projects) : fromRows(seenProjects.data?.rows),
    key: keys.data ? named(keys.data.keys) : fromRows(seenKeys.data?.rows),
    account: accounts.data ? named(accounts.data.accounts) : fromRows(seenAccounts.data?.rows),
    environment: ENVIRONMENT_OPTIONS,
    status: STATUS_OPTIONS,
  };
}
