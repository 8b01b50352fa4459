import type { UsageEvent } from '@tallygate/server/accounting/usage-event';
import type { LedgerCheckpoint, LedgerStore } from '@tallygate/server/store/store';

/** A ledger store in memory that keeps the port's promise, and fails when told: before or after it took a commit. */
export class MemoryLedgerStore implements LedgerStore {
  readonly rowsPerCommit = 64;
  readonly rows = new Map<string, UsageEvent>();
  readonly checkpoints = new Map<string, LedgerCheckpoint>();
  /** How often a row came that was there already. */
  repeated = 0;
  /** Sizes of the commits that were taken. */
  readonly commits: number[] = [];
  /** Throws to fail a commit before anything of it is stored. */
  before: (events: readonly UsageEvent[]) => void = () => undefined;
  /** Throws to fail a commit after all of it was stored: the answer that gets lost. */
  after: (events: readonly UsageEvent[]) => void = () => undefined;

  async readCheckpoint(nodeId: string): Promise<LedgerCheckpoint | null> {
    this.before([]);
    return this.checkpoints.get(nodeId) ?? null;
  }

  async commit(events: readonly UsageEvent[], checkpoint: LedgerCheckpoint): Promise<{ inserted: number }> {
    this.before(events);
    let inserted = 0;
    for (const event of events) {
      if (this.rows.has(event.id)) this.repeated++;
      else {
        this.rows.set(event.id, structuredClone(event));
        inserted++;
      }
    }
    this.checkpoints.set(checkpoint.nodeId, structuredClone(checkpoint));
    this.commits.push(events.length);
    this.after(events);
    return { inserted };
  }
}
