const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** A notice that did not get through within a day is news no more. */
export const DELIVERY_LIFE_MS = 24 * HOUR_MS;

const WAITS_MS: readonly number[] = [
  10 * SECOND_MS,
  30 * SECOND_MS,
  2 * MINUTE_MS,
  5 * MINUTE_MS,
  15 * MINUTE_MS,
  30 * MINUTE_MS,
  HOUR_MS,
];
const LONGEST_WAIT_MS = 2 * HOUR_MS;
/** Spreads what failed together, so that it does not come back together. */
const JITTER = 0.25;

/**
 * How long to wait after this many failed tries.
 * @param random in `[0, 1)`
 */
export function waitAfterMs(attempts: number, random: number, askedForMs: number | null): number {
  const base = WAITS_MS[attempts - 1] ?? LONGEST_WAIT_MS;
  const spread = Math.round(base * (1 - JITTER + 2 * JITTER * random));
  return Math.max(spread, askedForMs ?? 0);
}
