/** What time is asked of. */
export interface Timers {
  monotonicMs(): number;
  /** Runs something later. @returns what calls it off */
  after(ms: number, run: () => void): () => void;
}

/** The machine's own time. What waits for it does not keep the process alive. */
export const systemTimers: Timers = {
  monotonicMs: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
};
