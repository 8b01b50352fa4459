import type { HealthView, PoolWeekView } from '@tallygate/contract/api/pools';
import { formatNanoUsd } from '@tallygate/contract/money';
import type { AccountHourRow } from '../../store/ports/pool.ts';
import { toIso } from '../instant.ts';

/** Hours added up. */
export function sumHours(rows: readonly AccountHourRow[]): PoolWeekView {
  const sum = { attempts: 0, served: 0, limited: 0, refused: 0, failed: 0 };
  let [sessionsMoved, cacheLostTokens, loss] = [0, 0, 0n];
  for (const row of rows) {
    sum.attempts += row.attempts;
    sum.served += row.served;
    sum.limited += row.limited;
    sum.refused += row.refused;
    sum.failed += row.failed;
    sessionsMoved += row.sessionsMoved;
    cacheLostTokens += row.cacheLostTokens;
    loss += row.cacheLossNanoUsd;
  }
  return { ...sum, sessionsMoved, cacheLostTokens, cacheLossUsd: formatNanoUsd(loss) };
}

/** One entry an hour, oldest first. */
export function healthHours(rows: readonly AccountHourRow[]): HealthView['hours'] {
  const byHour = Map.groupBy(rows, (row) => row.bucketMs);
  return [...byHour].map(([bucketMs, hour]) => ({ at: toIso(bucketMs), ...sumHours(hour) }));
}
