import type { AnomalyMetric, Sensitivity } from '@tallygate/contract/api/alerts';

export const HOUR_MS = 3_600_000;
const DAY_HOURS = 24;
const WEEK_HOURS = 7 * DAY_HOURS;
/** As much history as is read: five weeks give four or five values of the same hour of the week. */
export const HISTORY_HOURS = 5 * WEEK_HOURS;
const MIN_WEEKS = 4;
const MIN_DAYS = 7;
const MAX_DAYS = 14;
/** Makes the median of the deviations comparable to a standard deviation of bell-shaped noise. */
const MAD_TO_SIGMA = 1.4826;
/** Traffic that is always the same deviates by nothing; a tenth of it is taken for noise all the same. */
const MIN_RELATIVE_SCALE = 0.1;
/** Below half as much again nobody wants to be woken, however even the history is. */
const MIN_FACTOR = 1.5;
const SCORES: Readonly<Record<Sensitivity, number>> = { low: 10, medium: 6, high: 4 };
/** Less than this above what is usual is noise whatever the history: ten cents, ten thousand tokens, … */
const FLOORS: Readonly<Record<AnomalyMetric, number>> = {
  spend: 100_000_000,
  tokens: 10_000,
  requests: 10,
  errors: 5,
};

/** What an hour of the season usually comes to. */
export interface Baseline {
  usual: number;
  /** How far it usually is from that. */
  scale: number;
  season: 'hour of the week' | 'hour of the day';
  /** How many earlier hours it stands on. */
  samples: number;
}

/** Values by hour, epoch hours as keys; hours without traffic may be left out. */
export type HourlyValues = ReadonlyMap<number, number>;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

function samplesBefore(
  values: HourlyValues,
  hour: number,
  { stepHours, count, firstHour }: { stepHours: number; count: number; firstHour: number },
): number[] {
  const samples: number[] = [];
  for (let past = hour - stepHours; past >= firstHour && samples.length < count; past -= stepHours)
    samples.push(values.get(past) ?? 0);
  return samples;
}

/**
 * The usual value of an hour, from the same hour of earlier weeks or, with less history, of earlier days. Median and
 * median deviation, so that a spike in the past does not make the next one look normal. Null without enough history.
 */
export function baselineOf(values: HourlyValues, hour: number): Baseline | null {
  if (values.size === 0) return null;
  const firstHour = Math.min(...values.keys());
  const weeks = samplesBefore(values, hour, {
    stepHours: WEEK_HOURS,
    count: HISTORY_HOURS / WEEK_HOURS,
    firstHour,
  });
  const days = samplesBefore(values, hour, { stepHours: DAY_HOURS, count: MAX_DAYS, firstHour });
  const byWeek = weeks.length >= MIN_WEEKS;
  const samples = byWeek ? weeks : days;
  if (!byWeek && samples.length < MIN_DAYS) return null;
  const usual = median(samples);
  const deviation = median(samples.map((sample) => Math.abs(sample - usual)));
  return {
    usual,
    scale: Math.max(MAD_TO_SIGMA * deviation, MIN_RELATIVE_SCALE * usual),
    season: byWeek ? 'hour of the week' : 'hour of the day',
    samples: samples.length,
  };
}

/** True when the value is far above what is usual. What is below is never an anomaly: an hour may not be over yet. */
export function isAnomalous(
  value: number,
  baseline: Baseline,
  { metric, sensitivity }: { metric: AnomalyMetric; sensitivity: Sensitivity },
): boolean {
  const above = value - baseline.usual;
  const scale = Math.max(baseline.scale, FLOORS[metric] / SCORES.medium);
  return above > FLOORS[metric] && value > MIN_FACTOR * baseline.usual && above / scale > SCORES[sensitivity];
}

export interface Anomaly {
  hour: number;
  value: number;
  baseline: Baseline;
  /** The first of the unbroken run of such hours. */
  sinceHour: number;
}

const MAX_RUN_HOURS = 72;

/**
 * Judges the hour under way and the one before it, so that nothing is forgotten as the hour turns.
 * @returns null when neither is anomalous; `unknown` when there is too little history to say
 */
export function findAnomaly(
  values: HourlyValues,
  currentHour: number,
  options: { metric: AnomalyMetric; sensitivity: Sensitivity },
): Anomaly | 'unknown' | null {
  let known = false;
  const anomalous = (hour: number): Baseline | null => {
    const baseline = baselineOf(values, hour);
    if (baseline === null) return null;
    known = true;
    return isAnomalous(values.get(hour) ?? 0, baseline, options) ? baseline : null;
  };
  for (const hour of [currentHour, currentHour - 1]) {
    const baseline = anomalous(hour);
    if (baseline === null) continue;
    let sinceHour = hour;
    while (hour - sinceHour < MAX_RUN_HOURS && anomalous(sinceHour - 1) !== null) sinceHour -= 1;
    return { hour, value: values.get(hour) ?? 0, baseline, sinceHour };
  }
  return known ? null : 'unknown';
}
