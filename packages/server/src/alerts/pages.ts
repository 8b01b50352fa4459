import type { AlertMetric, AnomalyMetric } from '@tallygate/contract/api/alerts';
import type { TrafficScope } from './traffic-scope.ts';

/** Charts of the Overview by what a rule measures; the rest is best seen request by request. */
const CHARTS: Readonly<Partial<Record<AlertMetric | AnomalyMetric, string>>> = {
  spend: 'spend',
  tokens: 'tokens',
  requests: 'requests',
  errors: 'errors',
  error_rate: 'errors',
  latency_p95: 'latency',
};
/** Receivers refuse long links (Discord takes 2,048 characters); a list that does not fit is left out, and shows more. */
const MAX_SEARCH = 1_500;

export const ACCOUNTS_PAGE = '/accounts';
export const SECURITY_PAGE = '/security';

export const budgetPage = (id: string): string => `/budgets?budget=${encodeURIComponent(id)}`;

/** What a rule has told; of every rule when it is about none. */
export const historyPage = (ruleId: string | null): string =>
  ruleId === null ? '/alerts/history' : `/alerts/history?rule=${encodeURIComponent(ruleId)}`;

/**
 * The traffic a rule watched, over the time it was measured. Users and tags are no filters of these pages, which then
 * show more than the rule looked at.
 */
export function trafficPage(
  metric: AlertMetric | AnomalyMetric,
  { environment, filter }: TrafficScope,
  { fromMs, toMs }: { fromMs: number; toMs: number },
): string {
  const chart = CHARTS[metric];
  const lists = {
    key: filter.apiKeyIds,
    model: filter.models,
    provider: filter.providers,
    account: filter.accountIds,
    project: filter.projectIds,
  };
  let search = `from=${new Date(fromMs).toISOString()}&to=${new Date(toMs).toISOString()}&environment=${environment}`;
  if (chart !== undefined) search += `&metric=${chart}`;
  for (const [name, values = []] of Object.entries(lists)) {
    const part = `&${name}=${values.map(encodeURIComponent).join(',')}`;
    if (values.length > 0 && search.length + part.length <= MAX_SEARCH) search += part;
  }
  return chart === undefined ? `/requests?${search}` : `/?${search}`;
}
