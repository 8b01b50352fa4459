import type { UsageGroup } from '@tallygate/contract/api/usage';
import { type RawBuilder, sql } from 'kysely';
import { type Grain, grainFor, type SeriesDimension } from '../../accounting/rollup.ts';
import { snake } from '../schema.ts';
import type { UsageFilter } from '../store.ts';

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
  dimension: SeriesDimension;
  values: readonly string[];
}

/** The conditions of a filter; an empty list of values filters nothing. */
export function conditionsOf(filter: Omit<UsageFilter, 'fromMs' | 'toMs'>): DimensionCondition[] {
  const all: [SeriesDimension, readonly string[] | undefined][] = [
    ['apiKeyId', filter.apiKeyIds],
    ['projectId', filter.projectIds],
    ['accountId', filter.accountIds],
    ['modelServed', filter.models],
    ['provider', filter.providers],
    ['status', filter.statuses],
  ];
  return all.flatMap(([dimension, values]) =>
    values === undefined || values.length === 0 ? [] : [{ dimension, values }],
  );
}

/** Coarsest grain that can answer the conditions and the grouping. */
export function grainOf(conditions: readonly DimensionCondition[], group: UsageGroup | null): Grain {
  const dimensions = conditions.map((condition) => condition.dimension);
  return grainFor(group === null ? dimensions : [...dimensions, GROUP_DIMENSIONS[group]]);
}

/** Column of a dimension in `usage_series as s`. */
export function seriesColumn(dimension: SeriesDimension): RawBuilder<unknown> {
  return sql.ref(`s.${snake(dimension)}`);
}

/**
 * What to group by; SQL null without a group. With `apart`, the groups in it are told apart by their position as
 * text, and all others are null.
 */
export function groupExpression(
  group: UsageGroup | null,
  apart: readonly (string | null)[] | null,
): RawBuilder<unknown> {
  if (group === null || apart?.length === 0) return sql`null`;
  const column = seriesColumn(GROUP_DIMENSIONS[group]);
  if (apart === null) return column;
  const cases = apart.map((key, index) => {
    const position = sql.lit(String(index));
    return key === null
      ? sql`when ${column} is null then ${position}`
      : sql`when ${column} = ${key} then ${position}`;
  });
  return sql`case ${sql.join(cases, sql` `)} end`;
}

/** Condition on `usage_series as s`. */
export function seriesCondition(
  grain: Grain,
  conditions: readonly DimensionCondition[],
): RawBuilder<unknown> {
  const parts = conditions.map(({ dimension, values }) =>
    values.length === 1
      ? sql`${seriesColumn(dimension)} = ${values[0]}`
      : sql`${seriesColumn(dimension)} in (${sql.join(values)})`,
  );
  return sql.join([sql`s.grain = ${sql.lit(grain)}`, ...parts], sql` and `);
}
