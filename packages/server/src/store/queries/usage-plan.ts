import { DAY_MS, HOUR_MS, type RollupStep } from '../../accounting/rollup.ts';
import { AppError } from '../../kernel/errors.ts';
import type { UsageFilter, UsageSource } from '../store.ts';

/** What of a filter decides where sums come from. */
type PlannedRange = Pick<UsageFilter, 'fromMs' | 'toMs' | 'tags'>;

/** One stretch of a range and where its sums come from. */
export interface Segment {
  from: 'rows' | RollupStep;
  fromMs: number;
  /** Exclusive. */
  toMs: number;
}
export type Step = 'minute' | RollupStep;
export const MINUTE_MS = 60_000;
export const TIME_STEP_MS: Record<Step, number> = { minute: MINUTE_MS, hour: HOUR_MS, day: DAY_MS };

const down = (instantMs: number, stepMs: number): number => Math.floor(instantMs / stepMs) * stepMs;
const up = (instantMs: number, stepMs: number): number => Math.ceil(instantMs / stepMs) * stepMs;

/**
 * Cuts a range into stretches: whole UTC days from daily rollups, whole hours beside them from hourly ones, and
 * what is left at both ends from rows. `finest` is the step the caller needs to tell apart.
 * @throws AppError `invalid_request` when `rollups` is asked for what rollups do not hold
 */
export function planSegments(filter: PlannedRange, finest: Step | null, source: UsageSource): Segment[] {
  const { fromMs, toMs } = filter;
  if (toMs <= fromMs) return [];
  const byTag = (filter.tags?.length ?? 0) > 0;
  if (source === 'rollups') requireRollups(filter, finest, byTag);
  if (source === 'rows' || byTag || finest === 'minute') return [{ from: 'rows', fromMs, toMs }];
  const hours = { fromMs: up(fromMs, HOUR_MS), toMs: down(toMs, HOUR_MS) };
  if (hours.fromMs >= hours.toMs) return [{ from: 'rows', fromMs, toMs }];
  const middle = finest === 'hour' ? [{ from: 'hour' as const, ...hours }] : daysWithin(hours);
  return [
    { from: 'rows' as const, fromMs, toMs: hours.fromMs },
    ...middle,
    { from: 'rows' as const, fromMs: hours.toMs, toMs },
  ].filter((segment) => segment.toMs > segment.fromMs);
}

function daysWithin(hours: { fromMs: number; toMs: number }): Segment[] {
  const fromMs = up(hours.fromMs, DAY_MS);
  const toMs = down(hours.toMs, DAY_MS);
  if (fromMs >= toMs) return [{ from: 'hour', ...hours }];
  return [
    { from: 'hour', fromMs: hours.fromMs, toMs: fromMs },
    { from: 'day', fromMs, toMs },
    { from: 'hour', fromMs: toMs, toMs: hours.toMs },
  ];
}

function requireRollups(filter: PlannedRange, finest: Step | null, byTag: boolean): void {
  if (byTag || finest === 'minute' || filter.fromMs % HOUR_MS !== 0 || filter.toMs % HOUR_MS !== 0) {
    throw new AppError('invalid_request', {
      detail: 'Rollups answer only whole UTC hours and no tags. Use rows, or let the server choose.',
    });
  }
}
