import type { UsageGroup } from '@tallygate/contract/api/usage';
import { type RawBuilder, sql } from 'kysely';
import { type Grain, grainFor, type SeriesDimension } from '../../accounting/rollup.ts';
import type { UsageFilter } from '../store.ts';
import { snake } from '../tables/column-names.ts';

const GROUP_DIMENSIONS = {
  project: 'projectId',
  key: 'apiKeyId',
  model: 'modelServed',
  provider: 'provider',
  account: 'accountId',
  status: 'status',
  source: 'source',
} as const satisfies Record<UsageGroup, SeriesDimension>;

export interface DimensionCondition {
  dimension: SeriesDimension | 'workspaceId';
  /** Null stands for rows that have none. */
  values: readonly (string | null)[];
}

/** The conditions of a filter; an empty list of values filters nothing. */
export function conditionsOf(filter: Omit<UsageFilter, 'fromMs' | 'toMs'>): DimensionCondition[] {
  const { workspaceId } = filter;
  const all: [DimensionCondition['dimension'], readonly string[] | undefined][] = [
    ['workspaceId', workspaceId === null ? undefined : [workspaceId]],
    ['apiKeyId', filter.apiKeyIds],
    ['projectId', filter.projectIds],
    ['userId', filter.userIds],
    ['accountId', filter.accountIds],
    ['modelServed', filter.models],
    ['provider', filter.providers],
    ['status', filter.statuses],
  ];
  return all.flatMap(([dimension, values]) =>
    values === undefined || values.length === 0 ? [] : [{ dimension, values }],
  );
}

/** Those that leave part of a workspace out: every grain knows the workspace, and most installations have one. */
export function narrowing(conditions: readonly DimensionCondition[]): readonly DimensionCondition[] {
  return conditions.filter(({ dimension }) => dimension !== 'workspaceId');
}

/** Coarsest grain that can answer the conditions and the grouping. */
export function grainOf(conditions: readonly DimensionCondition[], group: UsageGroup | null): Grain {
  const dimensions = conditions.flatMap(({ dimension }) => (dimension === 'workspaceId' ? [] : [dimension]));
  return grainFor(group === null ? dimensions : [...dimensions, GROUP_DIMENSIONS[group]]);
}

/** Column of a dimension in `usage_series as s`. */
export function seriesColumn(dimension: DimensionCondition['dimension']): RawBuilder<unknown> {
  return sql.ref(`s.${snake(dimension)}`);
}

/** What to group by; SQL null without a group. */
export function groupExpression(group: UsageGroup | null): RawBuilder<unknown> {
  return group === null ? sql`null` : seriesColumn(GROUP_DIMENSIONS[group]);
}

/** The condition that a row is in one of the groups. */
export function inGroups(group: UsageGroup, keys: readonly (string | null)[]): DimensionCondition {
  return { dimension: GROUP_DIMENSIONS[group], values: keys };
}

/** Condition on `usage_series as s`. */
export function seriesCondition(
  grain: Grain,
  conditions: readonly DimensionCondition[],
): RawBuilder<unknown> {
  const parts = conditions.map(({ dimension, values }) => oneOf(seriesColumn(dimension), values));
  return sql.join([sql`s.grain = ${sql.lit(grain)}`, ...parts], sql` and `);
}

function oneOf(column: RawBuilder<unknown>, values: readonly (string | null)[]): RawBuilder<unknown> {
  const texts = values.filter((value) => value !== null);
  const known = texts.length === 1 ? sql`${column} = ${texts[0]}` : sql`${column} in (${sql.join(texts)})`;
  if (texts.length === values.length) return known;
  return texts.length === 0 ? sql`${column} is null` : sql`(${known} or ${column} is null)`;
}
