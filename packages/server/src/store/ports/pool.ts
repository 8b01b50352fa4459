import type { PoolStrategy } from '@tallygate/contract/api/pool';

/** What is remembered of an account's limits over a restart. `state` is the pool's own JSON text. */
export interface AccountStateRow {
  accountId: string;
  state: string;
  updatedAtMs: number;
}

/** A named choice of accounts with a strategy of its own. */
export interface PoolRow {
  id: string;
  workspaceId: string;
  name: string;
  strategy: PoolStrategy;
  notes: string | null;
  accountIds: string[];
  createdAtMs: number;
}

/** How an account fared in one hour, in one pool; `poolId` empty is the pool of all accounts. */
export interface AccountHourRow {
  accountId: string;
  poolId: string;
  bucketMs: number;
  attempts: number;
  served: number;
  limited: number;
  refused: number;
  failed: number;
  /** Sessions that came from another account and found no prompt cache here. */
  sessionsMoved: number;
  cacheLostTokens: number;
  cacheLossNanoUsd: bigint;
}

/** Pools, and the state of their accounts. State is written in batches, beside the traffic and never in its way. */
export interface PoolStore {
  listAccountStates(): Promise<AccountStateRow[]>;
  /** Replaces the rows of these accounts in one transaction; an account that is gone is passed over. */
  saveAccountStates(rows: readonly AccountStateRow[]): Promise<void>;
  /** Null lists those of every workspace. */
  listPools(workspaceId: string | null): Promise<PoolRow[]>;
  /** Members that are gone are passed over. @throws AppError `name_taken` when the name exists in the workspace. */
  insertPool(row: PoolRow): Promise<void>;
  /** @throws AppError `name_taken` */
  updatePool(
    id: string,
    change: Partial<Pick<PoolRow, 'name' | 'strategy' | 'notes' | 'accountIds'>>,
  ): Promise<boolean>;
  deletePool(id: string): Promise<boolean>;
  /** Hours that begin in the range, oldest first. */
  listAccountHours(range: { fromMs: number; toMs: number; accountId?: string }): Promise<AccountHourRow[]>;
}
