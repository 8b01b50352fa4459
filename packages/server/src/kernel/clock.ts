/** Time is injected (epoch milliseconds UTC), so that tests own it. */
export interface Clock {
  /** Epoch milliseconds UTC. */
  now(): number;
  /** Monotonic milliseconds, for durations. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
};
