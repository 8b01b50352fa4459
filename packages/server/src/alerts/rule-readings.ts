import type { AlertRuleRow } from '../store/ports/alerts.ts';
import { readAnomalies } from './anomaly-rule.ts';
import { readBudgets } from './budget-rule.ts';
import { readForecasts } from './forecast-rule.ts';
import type { Reading } from './reading.ts';
import type { AlertSources, BudgetReading } from './sources.ts';
import { readAccounts, readSecurity } from './state-rules.ts';
import { trafficScopes } from './traffic-scope.ts';
import { readUsage } from './usage-rule.ts';

/** Budgets that a rule watches. One of an environment watches only those that are about that environment alone. */
async function watchedBudgets(
  sources: AlertSources,
  rule: Pick<AlertRuleRow, 'environment' | 'workspaceId'>,
  only: string | undefined,
): Promise<BudgetReading[]> {
  return (await sources.budgets(rule.workspaceId)).filter(
    ({ id, environment }) =>
      (only === undefined || id === only) && (rule.environment === null || environment === rule.environment),
  );
}

/** What a rule says right now, one reading for each of its subjects. */
export async function readRule(rule: AlertRuleRow, sources: AlertSources, nowMs: number): Promise<Reading[]> {
  const { condition } = rule;
  const scopes = async () => trafficScopes(rule, await sources.projects(rule.workspaceId));
  switch (condition.kind) {
    case 'usage':
      return readUsage(sources, condition, { scopes: await scopes(), nowMs });
    case 'anomaly':
      return readAnomalies(sources, condition, { scopes: await scopes(), nowMs });
    case 'budget':
      return readBudgets(condition, await watchedBudgets(sources, rule, condition.budget));
    case 'forecast':
      return readForecasts(sources, await watchedBudgets(sources, rule, condition.budget), nowMs);
    case 'account':
      return readAccounts(condition, await sources.accounts(rule.workspaceId));
    case 'security':
      return readSecurity(condition, await sources.findings(rule.workspaceId));
  }
}
