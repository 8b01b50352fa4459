import type { Measure } from './phases.ts';
import type { Spread } from './stats.ts';
import type { LoopDelay } from './targets.ts';

/** What one target did, over all rounds: median and range. */
export interface TargetSummary {
  target: string;
  jsonPerSecond: Spread | null;
  jsonCpuUs: Spread | null;
  ssePerSecond: Spread | null;
  sseCpuUs: Spread | null;
  /** Core share at saturation: under about 0.9 the load side was the limit, and the CPU figure is the better one. */
  jsonCoreShare: Spread | null;
  sseCoreShare: Spread | null;
  /** Over direct in the same round. For direct itself: the whole latency. */
  addedP50Ms: Spread | null;
  addedP99Ms: Spread | null;
  largeAddedP50Ms: Spread | null;
  largeAddedP99Ms: Spread | null;
  pacedCompleted: number;
  pacedExpected: number;
  pacedStalls: number;
  pacedGapP99Ms: Spread | null;
  ttftAddedP50Ms: Spread | null;
  ttftAddedP99Ms: Spread | null;
  pacedCoreShare: Spread | null;
  rssMb: number | null;
  failed: number;
  altered: number;
  /** Ratios of medians. */
  jsonVsBare: number | null;
  sseVsBare: number | null;
  /** CPU of bare over CPU of the target: what the throughput ratio would be with a core all to itself. */
  jsonCpuVsBare: number | null;
  sseCpuVsBare: number | null;
  jsonVsNginx: number | null;
  sseVsNginx: number | null;
}

export interface LedgerCheck {
  target: string;
  /** Requests the load generator sent and saw end. */
  finished: number;
  rows: number;
  costUsd: string;
  exact: boolean;
}

export interface SoakResult {
  seconds: number;
  /** Resident memory every few seconds. */
  samples: { atSeconds: number; rssMb: number }[];
  completed: number;
  failed: number;
  /** Median of the last third over the median of the first third after warm-up. */
  growth: number | null;
}

export interface BenchResult {
  startedAt: string;
  commit: string;
  rounds: number;
  quick: boolean;
  machine: { cpu: string; cores: number; memoryMb: number; kernel: string; node: string; pinned: boolean };
  summary: TargetSummary[];
  loopDelays: Record<string, LoopDelay>;
  ledger: LedgerCheck[];
  soak: SoakResult | null;
  measures: Measure[];
}
