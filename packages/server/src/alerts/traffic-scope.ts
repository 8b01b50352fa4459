import { ENVIRONMENTS, type Environment } from '@tallygate/contract/api/projects';
import type { AlertRuleRow } from '../store/ports/alerts.ts';
import type { UsageFilter } from '../store/store.ts';
import type { ProjectReading } from './sources.ts';

export type TrafficFilter = Omit<UsageFilter, 'fromMs' | 'toMs'>;

/** The traffic of one environment that a rule watches. */
export interface TrafficScope {
  environment: Environment;
  filter: TrafficFilter;
}

/**
 * Cuts what a rule watches into environments, each by itself: figures of two are never added up (TW-20). Projects are
 * those of the rule's own workspace, always named, so that nothing else can slip in.
 */
export function trafficScopes(
  rule: Pick<AlertRuleRow, 'workspaceId' | 'environment' | 'filter'>,
  projects: readonly ProjectReading[],
): TrafficScope[] {
  const { projects: named, keys, users, models, providers, accounts, tags } = rule.filter;
  const watched = rule.environment === null ? ENVIRONMENTS : [rule.environment];
  return watched.flatMap((environment) => {
    const projectIds = projects
      .filter((project) => project.workspaceId === rule.workspaceId && project.environment === environment)
      .map(({ id }) => id)
      .filter((id) => named === undefined || named.includes(id));
    if (projectIds.length === 0) return [];
    const filter = {
      workspaceId: rule.workspaceId,
      projectIds,
      ...(keys === undefined ? {} : { apiKeyIds: keys }),
      ...(users === undefined ? {} : { userIds: users }),
      ...(models === undefined ? {} : { models }),
      ...(providers === undefined ? {} : { providers }),
      ...(accounts === undefined ? {} : { accountIds: accounts }),
      ...(tags === undefined ? {} : { tags }),
    };
    return [{ environment, filter }];
  });
}
