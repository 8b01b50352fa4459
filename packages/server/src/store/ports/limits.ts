import type { LimitMeasure, LimitPer, LimitWindow } from '@tallygate/contract/api/limits';
import type { OwnedRef } from '../store.ts';

/** One part of what a limit watches. */
export interface StoredScopePart {
  kind: string;
  /** Id, name, tag or pattern. */
  value: string;
}

export interface LimitRow {
  id: string;
  workspaceId: string;
  name: string;
  /** All have to match; empty for the whole workspace. */
  scope: StoredScopePart[];
  per: LimitPer;
  measure: LimitMeasure;
  limit: number;
  window: LimitWindow | null;
  burst: number | null;
  createdAtMs: number;
}

export interface LimitStore {
  /** Those of one workspace, or all of them with null. */
  listLimits(workspaceId: string | null): Promise<LimitRow[]>;
  insertLimit(row: LimitRow): Promise<void>;
  updateLimit(ref: OwnedRef, change: Partial<Pick<LimitRow, 'name' | 'limit' | 'burst'>>): Promise<boolean>;
  deleteLimit(ref: OwnedRef): Promise<boolean>;
}
