import type { requestsQuery } from '@tallygate/contract/api/usage';
import type { z } from 'zod';
import { visibleProject } from '../../identity/principal.ts';
import type { RequestPageQuery, StoredEvent, UsageFilter } from '../../store/store.ts';
import type { AdminDeps } from '../admin-deps.ts';
import type { Names } from '../names.ts';
import type { Caller } from '../route.ts';

/** The filters of a query, whatever else it has. */
export type FilterQuery = Pick<
  z.output<typeof requestsQuery>,
  'project' | 'environment' | 'key' | 'model' | 'provider' | 'account' | 'status' | 'tag'
>;
export type FilterPart = Omit<UsageFilter, 'fromMs' | 'toMs'> & Pick<RequestPageQuery, 'sessionIds'>;

/** An id that no project has: the filter of someone who asks for projects they may not see matches nothing. */
const NO_PROJECT = '-';

/**
 * Turns a query into the store's filter. Projects may be named by slug or id; environments stand for the projects
 * they have at the moment (TW-20). Someone bound to one project gets
 * that project and nothing else, whatever they ask for.
 */
export function toFilter(query: FilterQuery, names: Names, { principal, workspaceId }: Caller): FilterPart {
  const named = query.project?.map((text) => names.projectId(text));
  const asked = query.environment === undefined ? named : within(names.projectsIn(query.environment), named);
  const projectIds = projectsOf(asked, visibleProject(principal));
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

/** The projects of the environments, of those named when some are; an empty list would filter nothing. */
function within(inEnvironments: readonly string[], named: readonly string[] | undefined): string[] {
  const both = inEnvironments.filter((id) => named === undefined || named.includes(id));
  return both.length === 0 ? [NO_PROJECT] : both;
}

function projectsOf(asked: string[] | undefined, bound: string | null): string[] | undefined {
  if (bound === null) return asked;
  return asked === undefined || asked.includes(bound) ? [bound] : [NO_PROJECT];
}

/** The sessions of a query as rows name them. */
export function sessionsOf(
  { session }: { session?: readonly string[] | undefined },
  { userHash }: Pick<AdminDeps, 'userHash'>,
): Pick<FilterPart, 'sessionIds'> {
  if (session === undefined) return {};
  return { sessionIds: session.map((id) => userHash?.sought(id) ?? id) };
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
    among(filter.sessionIds, event.sessionId) &&
    (filter.tags === undefined || filter.tags.some((tag) => event.tags.includes(tag)))
  );
}
