import type { RedactionStore } from './redaction.ts';

export interface MaintenanceStore extends RedactionStore {
  /** Recomputes the rollups of whole UTC hours and days over the range from the rows; idempotent. */
  rebuildRollups(
    fromMs: number | null,
    toMs: number | null,
  ): Promise<{ fromMs: number; toMs: number; events: number; rollupRows: number }>;
  verifyRollups(
    fromMs: number | null,
    toMs: number | null,
  ): Promise<{
    bucketsChecked: number;
    differences: { bucket: string; field: string; rollup: string; rows: string }[];
  }>;
  /** Online, consistent under writes; the file is new, 0600, and verified by equal totals before this resolves. */
  backup(path: string): Promise<{ bytes: number; events: number; costNanoUsd: bigint }>;
}
