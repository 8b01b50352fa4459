import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../kernel/clock.ts';

const NAME = 'quarantine.jsonl';

/** Keeps what the ledger cannot take, so that one bad row neither is lost nor stops every row behind it. */
export interface Quarantine {
  /** Durable when it returns. A crash right after may write the same entry again. @throws the system's error */
  keep(entry: string, reason: string): void;
}

/** Lines `{"atMs", "reason", "entry"}` in a file beside the journal, for its owner only. */
export function createQuarantine(dir: string, clock: Clock): Quarantine {
  return {
    keep(entry, reason) {
      const file = openSync(join(dir, NAME), 'a', 0o600);
      try {
        writeSync(file, `${JSON.stringify({ atMs: clock.now(), reason, entry })}\n`);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
    },
  };
}
