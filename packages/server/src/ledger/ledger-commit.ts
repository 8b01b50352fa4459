import type { UsageEvent } from '../accounting/usage-event.ts';
import type { LedgerCheckpoint, LedgerStore } from '../store/store.ts';
import { encodeSettled } from './journal-entries.ts';
import type { Quarantine } from './quarantine.ts';

const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 5000;
/** Failures of a whole batch before its rows are tried in smaller ones. */
const TRIES_BEFORE_SPLIT = 3;
/** Refusals of one row by a store that took an empty commit right after, before the row is set aside. */
const REFUSALS_BEFORE_QUARANTINE = 3;

export interface CommitFailure {
  /** Code or class of the store's error; never its message, which may quote a row. */
  reason: string;
  attempts: number;
  retryInMs: number;
}

export interface CommitDeps {
  store: LedgerStore;
  quarantine: Quarantine;
  /** Resolves after this long. */
  wait(ms: number): Promise<void>;
  onFailure(failure: CommitFailure): void;
  onQuarantined(eventId: string, reason: string): void;
}

export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { code } = error as { code?: unknown };
  return typeof code === 'string' || typeof code === 'number' ? String(code) : error.name;
}

/**
 * Commits rows and the checkpoint that stands behind them, trying again for as long as the store fails: what is
 * not committed is still in the journal. A row that alone is refused while the store works is set aside.
 * @param held the checkpoint in force: parts of a split batch are committed under it
 * @returns how many rows were new in the commits that were seen to succeed
 */
export async function commitRows(
  deps: CommitDeps,
  events: readonly UsageEvent[],
  checkpoint: LedgerCheckpoint,
  held: LedgerCheckpoint,
): Promise<number> {
  for (let attempts = 1; ; attempts++) {
    try {
      return (await deps.store.commit(events, checkpoint)).inserted;
    } catch (error) {
      await pause(deps, error, attempts);
    }
    if (attempts >= TRIES_BEFORE_SPLIT && events.length > 0) {
      const inserted = await commitParts(deps, events, held);
      return inserted + (await commitRows(deps, [], checkpoint, held));
    }
  }
}

async function commitParts(
  deps: CommitDeps,
  events: readonly UsageEvent[],
  held: LedgerCheckpoint,
): Promise<number> {
  const [only, second] = events;
  if (only === undefined) return 0;
  if (second === undefined) return commitOne(deps, only, held);
  const half = events.length >> 1;
  let inserted = 0;
  for (const part of [events.slice(0, half), events.slice(half)]) {
    try {
      inserted += (await deps.store.commit(part, held)).inserted;
    } catch (error) {
      await pause(deps, error, 1);
      inserted += await commitParts(deps, part, held);
    }
  }
  return inserted;
}

async function commitOne(deps: CommitDeps, event: UsageEvent, held: LedgerCheckpoint): Promise<number> {
  let refusals = 0;
  for (let attempts = 1; ; attempts++) {
    try {
      return (await deps.store.commit([event], held)).inserted;
    } catch (error) {
      if (await works(deps.store, held)) refusals++;
      if (refusals >= REFUSALS_BEFORE_QUARANTINE) {
        const reason = reasonOf(error);
        deps.quarantine.keep(encodeSettled({ openedId: event.id, events: [event] }), reason);
        deps.onQuarantined(event.id, reason);
        return 0;
      }
      await pause(deps, error, attempts);
    }
  }
}

async function works(store: LedgerStore, held: LedgerCheckpoint): Promise<boolean> {
  try {
    await store.commit([], held);
    return true;
  } catch {
    return false;
  }
}

/** Waits before the next try, twice as long each time. */
export async function pause(
  deps: Pick<CommitDeps, 'wait' | 'onFailure'>,
  error: unknown,
  attempts: number,
): Promise<void> {
  const retryInMs = Math.min(FIRST_RETRY_MS * 2 ** Math.min(attempts - 1, 20), LONGEST_RETRY_MS);
  deps.onFailure({ reason: reasonOf(error), attempts, retryInMs });
  await deps.wait(retryInMs);
}
