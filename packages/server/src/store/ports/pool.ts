/** What is remembered of an account's limits over a restart. `state` is the pool's own JSON text. */
export interface AccountStateRow {
  accountId: string;
  state: string;
  updatedAtMs: number;
}

/** State of the account pool. Written in batches, beside the traffic and never in its way. */
export interface PoolStore {
  listAccountStates(): Promise<AccountStateRow[]>;
  /** Replaces the rows of these accounts in one transaction; an account that is gone is passed over. */
  saveAccountStates(rows: readonly AccountStateRow[]): Promise<void>;
}
