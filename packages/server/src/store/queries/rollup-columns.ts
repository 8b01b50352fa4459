import { TOKEN_BUCKETS } from '@tallygate/contract/usage';
import { encodeBins } from '../../accounting/latency-histogram.ts';
import { MEASURES, type RollupCell, type RollupStep } from '../../accounting/rollup.ts';
import type { RollupAddition } from '../dialect.ts';
import { snake, type TokenColumn, tokenColumn } from '../tables/column-names.ts';

type PlainMeasureColumn =
  | 'events'
  | 'requests'
  | 'errors'
  | 'unpriced_requests'
  | 'unpriced_tokens'
  | 'estimated_requests'
  | 'interrupted_requests'
  | 'weighted_tokens';
export type MeasureColumn = PlainMeasureColumn | TokenColumn;

const BUCKETS: readonly string[] = TOKEN_BUCKETS;
/** Columns of `MEASURES`, by position, in rollup tables. */
export const MEASURE_COLUMNS: readonly MeasureColumn[] = MEASURES.map((measure) =>
  BUCKETS.includes(measure)
    ? tokenColumn(measure as (typeof TOKEN_BUCKETS)[number])
    : (snake(measure) as PlainMeasureColumn),
);

/** Every additive column of a rollup table: the measures, then the cost. */
export const ROLLUP_SUM_COLUMNS: readonly (MeasureColumn | 'cost_nano_usd')[] = [
  ...MEASURE_COLUMNS,
  'cost_nano_usd',
];

export const ROLLUP_TABLES = { hour: 'rollup_hour', day: 'rollup_day' } as const satisfies Record<
  RollupStep,
  string
>;

/** A cell as it goes to the bulk writer. */
export function rollupAddition(cell: RollupCell, seriesId: number): RollupAddition {
  return {
    seriesId,
    bucketMs: cell.bucketMs,
    measures: cell.measures,
    costNanoUsd: cell.costNanoUsd,
    latencyBins: encodeBins(cell.latencyBins),
    ttftBins: encodeBins(cell.ttftBins),
  };
}
