import type { WindowUse } from './rate-limit-headers.ts';

/** How a window was used up over the time that tells the present pace. */
export interface WindowSamples {
  name: string;
  resetAtMs: number;
  /** Oldest first. */
  samples: { atMs: number; utilization: number }[];
}

export interface WindowForecast {
  /** How full the window will be when it starts anew; above 1 means it will not last. */
  utilizationAtReset: number;
  /** When it is used up, when that is before it starts anew. */
  exhaustedAtMs: number | null;
}

const HOUR_MS = 3_600_000;
const UNIT_MS: Readonly<Record<string, number>> = { h: HOUR_MS, d: 24 * HOUR_MS };
const MAX_SAMPLES = 13;
/** The pace is that of the last fifth of a window: an hour of five, a day and a half of seven. */
const PACE_SHARE = 1 / 5;
/** Less than this of the pace's time says nothing yet. */
const MIN_SHARE = 1 / 6;
/** Providers say the same reset in slightly different ways. */
const SAME_RESET_MS = 60_000;

/** Length of a window that its name tells: `5h`, `7d`, `7d_opus`; null for others. */
function lengthMs(name: string): number | null {
  const [, count, unit] = /^(\d{1,3})([hd])(?:_|$)/.exec(name) ?? [];
  return count === undefined || unit === undefined ? null : Number(count) * (UNIT_MS[unit] ?? 0);
}

function paceMs(name: string): number {
  return (lengthMs(name) ?? 5 * HOUR_MS) * PACE_SHARE;
}

/** Takes in what an answer said; keeps few samples, evenly apart, and forgets them when the window starts anew. */
export function addSample(known: WindowSamples | undefined, window: WindowUse): WindowSamples | undefined {
  const { name, utilization, resetAtMs, observedAtMs } = window;
  if (utilization === null || resetAtMs === null) return known;
  const sample = { atMs: observedAtMs, utilization };
  if (known === undefined || Math.abs(known.resetAtMs - resetAtMs) > SAME_RESET_MS)
    return { name, resetAtMs, samples: [sample] };
  const last = known.samples.at(-1);
  if (last !== undefined && observedAtMs - last.atMs < paceMs(name) / (MAX_SAMPLES - 1)) return known;
  known.samples.push(sample);
  if (known.samples.length > MAX_SAMPLES) known.samples.shift();
  return known;
}

/** Share of the window used up a millisecond; null when nothing tells it. */
function rateOf(window: WindowUse, known: WindowSamples | undefined): number | null {
  const { name, utilization, resetAtMs, observedAtMs } = window;
  if (utilization === null || resetAtMs === null) return null;
  const pace = paceMs(name);
  const oldest = known?.samples.find((sample) => observedAtMs - sample.atMs <= pace);
  const spanMs = oldest === undefined ? 0 : observedAtMs - oldest.atMs;
  if (oldest !== undefined && spanMs >= pace * MIN_SHARE)
    return Math.max(0, utilization - oldest.utilization) / spanMs;
  const length = lengthMs(name);
  const elapsedMs = length === null ? 0 : observedAtMs - (resetAtMs - length);
  // Nothing is known of the last hours, so the average since the window began has to do.
  return length !== null && elapsedMs >= pace * MIN_SHARE ? utilization / elapsedMs : null;
}

/** What becomes of a window at the present pace; null when it is over, or when nothing tells the pace. */
export function forecastWindow(
  window: WindowUse,
  known: WindowSamples | undefined,
  nowMs: number,
): WindowForecast | null {
  const { utilization, resetAtMs, observedAtMs } = window;
  if (utilization === null || resetAtMs === null || resetAtMs <= nowMs) return null;
  const rate = rateOf(window, known);
  if (rate === null) return null;
  const utilizationAtReset = utilization + rate * Math.max(0, resetAtMs - observedAtMs);
  if (utilization >= 1) return { utilizationAtReset, exhaustedAtMs: observedAtMs };
  const exhaustedAtMs = rate === 0 ? resetAtMs : observedAtMs + (1 - utilization) / rate;
  return {
    utilizationAtReset,
    exhaustedAtMs: exhaustedAtMs < resetAtMs ? Math.round(exhaustedAtMs) : null,
  };
}
