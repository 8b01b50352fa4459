import type { Budget, RequestScopes, Spend } from '../budget.ts';
import type { MembershipDeps, MembershipTiming } from './membership.ts';

/** A request that has ended, sub-calls included. */
export interface LedgerRequest {
  id: string;
  startedAtMs: number;
  scopes: RequestScopes;
  spend: Spend;
}

/** Questions to the ledger. */
export interface LedgerReads {
  /** Spent in the budget's scope by requests that started in `[startMs, endMs)`. */
  spentIn(budget: Budget, range: { startMs: number; endMs: number }): Promise<number>;
  /** These requests as their rows have them; those without rows, and those that came to nothing, are left out. */
  requests(ids: readonly string[]): Promise<LedgerRequest[]>;
}

/** What the ledger says, as far as the books need it. */
export interface LedgerSums extends Pick<LedgerReads, 'requests'> {
  /** Several questions about one moment, which begins with the first of them. */
  atOneMoment<T>(work: (reads: LedgerReads) => Promise<T>): Promise<T>;
  /**
   * Takes note of what has ended in this process until now. The answer resolves true once all of it is in the store, and
   * false when that takes long: it may be asked again, about the same.
   */
  upToNow(): () => Promise<boolean>;
}

/** A note beside the journal, which outlives the process. */
export interface UnheldMark {
  set(): void;
  clear(): void;
}

export interface RedisBooksDeps {
  url: string;
  namespace: string;
  /** This installation of the program; stays the same over restarts. */
  node: string;
  newId(): string;
  logger: MembershipDeps['logger'];
  ledger: LedgerSums;
  unheldMark: UnheldMark;
  /** True when the last process of this node ended with requests under way. */
  leftBehind: boolean;
  /** True when it had let requests through that the books may not know. */
  unheldBefore: boolean;
  deadlineMs?: number;
  patienceMs?: number;
  timing?: Partial<MembershipTiming>;
  /** More ends than this that wait for Redis are left to the ledger. */
  maxWaitingEnds?: number;
  /** Where it begins to be worth telling, and ends. */
  onReachable(up: boolean): void;
}
