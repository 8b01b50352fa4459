/** Somebody's right to do a thing alone, across processes, until it ends or is given up. */
export interface Lease {
  name: string;
  /** Unlike that of any other acquisition. */
  holder: string;
  /** Fencing number: grows with every holder of this name. */
  token: number;
  expiresAtMs: number;
}

/**
 * What a write shows that is done under a lease. The write holds only while nobody has taken the lease since: that is
 * looked at in its own transaction, so that a process which stalled beyond its lease changes nothing any more.
 */
export type Fence = Pick<Lease, 'name' | 'holder' | 'token'>;

/**
 * Leases in the store, for what only one process may do at a time. A holder that stalls beyond its lease may be
 * overtaken: whoever acts under one checks the time before the act, or writes under the condition of its token.
 */
export interface LeaseStore {
  /** Null while somebody else holds it. `holder` is a fresh id for each call. */
  acquireLease(
    name: string,
    wanted: { holder: string; nowMs: number; expiresAtMs: number },
  ): Promise<Lease | null>;
  /** False once it was lost. */
  renewLease(lease: Lease, expiresAtMs: number): Promise<boolean>;
  /** Gives it up; nothing happens when it was lost. */
  releaseLease(lease: Lease): Promise<void>;
}
