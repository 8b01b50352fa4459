import type { Shape } from './wire-bytes.ts';

/** One phase of load against one port. */
export interface LoadJob {
  shape: Shape;
  port: number;
  key: string;
  connections: number;
  durationMs: number;
  promptBytes: number;
}

export interface Quantiles {
  p50: number | null;
  p99: number | null;
}

export interface LoadResult {
  elapsedMs: number;
  /** Answers that came complete and with the expected number of bytes. */
  completed: number;
  failed: number;
  /** Complete answers whose body had another length than the upstream sent. */
  altered: number;
  /** Gaps over 100 ms between two reads of a paced stream. */
  stalls: number;
  perSecond: number;
  latencyMs: Quantiles;
  /** Request sent to first body byte. */
  ttftMs: Quantiles;
  gapP99Ms: number | null;
}
