import type { Fence } from './leases.ts';

/** A job that one process does for all, and its last run. */
export interface JobRow {
  name: string;
  /** How often it has begun. */
  runs: number;
  /** The node that ran it last. */
  node: string;
  /** Of the lease that it ran under. */
  token: number;
  /** Not begun again before. */
  dueAtMs: number;
  startedAtMs: number;
  /** Null while it runs, or after its process died. */
  endedAtMs: number | null;
  failed: boolean;
}

/** The record of jobs: it says when each is due, whoever's turn it is then. */
export interface JobStore {
  /**
   * Notes that a job begins, and when it is due again. Null, and nothing is noted, when it is not due yet or when the
   * lease was lost: of many processes that try at once, one begins.
   * @param begin.early begins it before it is due
   * @returns the number of the run
   */
  beginJob(
    fence: Fence,
    begin: { name: string; node: string; nowMs: number; nextMs: number; early: boolean },
  ): Promise<number | null>;
  /** False when the lease was lost, or another run has begun. */
  endJob(fence: Fence, end: { name: string; run: number; nowMs: number; failed: boolean }): Promise<boolean>;
  listJobs(): Promise<JobRow[]>;
}
