import type { requestsQuery } from '@tallygate/contract/api/usage';
import type { z } from 'zod';
import { visibleProject } from '../../identity/principal.ts';
import type { StoredEvent, UsageFilter } from '../../store/store.ts';
import type { Names } from '../names.ts';
import type { Caller } from '../route.ts';

/** The filters of a query, whatever else it has. */
export type FilterQuery = Pick<
  z.output<typeof requestsQuery>,
  'project' | 'key' | 'model' | 'provider' | 'account' | 'status' | 'tag'
>;
export type FilterPart = Omit<UsageFilter, 'fromMs' | 'toMs'>;

/** An id that no project has: the filter of someone who asks for projects they may not see matches nothing. */
const NO_PROJECT = '-';

/**
 * Turns a query into the store's filter. Projects may be named by slug or id. Someone bound to one project gets
 * that project and nothing else, whatever they ask for.
 */
export function toFilter(query: FilterQuery, names: Names, { principal, workspaceId }: Caller): FilterPart {
  const projectIds = projectsOf(
    query.project?.map((text) => names.projectId(text)),
    visibleProject(principal),
  );
  return {
    workspaceId,
    ...(projectIds === undefined ? {} : { projectIds }),
    ...(query.key === undefined ? {} : { apiKeyIds: query.key }),
    ...(query.model === undefined ? {} : { models: query.model }),
    ...(query.provider === undefined ? {} : { providers: query.provider }),
    ...(query.account === undefined ? {} : { accountIds: query.account }),
    ...(query.status === undefined ? {} : { statuses: query.status }),
    ...(query.tag === undefined ? {} : { tags: query.tag }),
  };
}

function projectsOf(asked: string[] | undefined, bound: string | null): string[] | undefined {
  if (bound === null) return asked;
  return asked === undefined || asked.includes(bound) ? [bound] : [NO_PROJECT];
}

const among = (list: readonly string[] | undefined, value: string | null): boolean =>
  list === undefined || (value !== null && list.includes(value));

/** True when the row passes the filter: the same question the store answers, for rows already in hand. */
export function matchesFilter(event: StoredEvent, filter: FilterPart): boolean {
  return (
    (filter.workspaceId === null || filter.workspaceId === event.workspaceId) &&
    among(filter.projectIds, event.projectId) &&
    among(filter.apiKeyIds, event.apiKeyId) &&
    among(filter.models, event.modelServed) &&
    among(filter.providers, event.provider) &&
    among(filter.accountIds, event.accountId) &&
    among(filter.statuses, event.status) &&
    (filter.tags === undefined || filter.tags.some((tag) => event.tags.includes(tag)))
  );
}
