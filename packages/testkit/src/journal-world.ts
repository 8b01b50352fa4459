import { ENTRY_SETTLED, type EntryType, type FsyncPolicy } from '@tallygate/server/journal/journal';
import { type JournalFiles, systemJournalFiles } from '@tallygate/server/journal/journal-files';
import { type OpenJournal, openJournal } from '@tallygate/server/journal/open-journal';
import { JOURNAL_START } from '@tallygate/server/journal/position';
import { type JournalDamage, readJournal } from '@tallygate/server/journal/read-journal';
import type { Clock } from '@tallygate/server/kernel/clock';
import { createIdSource } from '@tallygate/server/kernel/ids';
import { silentLogger } from '@tallygate/server/kernel/logger';

/** A clock that tests move. */
export function handClock(): Clock & { forward(ms: number): void } {
  let nowMs = 1_800_000_000_000;
  const forward = (ms: number): void => {
    nowMs += ms;
  };
  return { now: () => nowMs, monotonicMs: () => nowMs, forward };
}

/** The real file system with a disk that fills up, stalls or breaks when told. Data still goes to real files. */
export function faultyDisk() {
  const state = {
    /** Bytes the disk still takes; the write that crosses this is short, the next one fails. */
    roomBytes: Number.POSITIVE_INFINITY,
    writeError: 'ENOSPC',
    freeBytes: 1e12,
    syncError: null as string | null,
    /** Writes take at most this many bytes at a time. */
    shortWrites: Number.POSITIVE_INFINITY,
    holdSync: null as Promise<void> | null,
    writes: 0,
    syncs: 0,
    directorySyncs: 0,
    removed: [] as string[],
  };
  const failure = (code: string) => Object.assign(new Error(code), { code });
  const files: JournalFiles = {
    ...systemJournalFiles,
    write(file, bytes, range) {
      state.writes++;
      if (state.roomBytes <= 0) throw failure(state.writeError);
      const length = Math.min(range.length, state.roomBytes, state.shortWrites);
      const count = systemJournalFiles.write(file, bytes, { ...range, length });
      state.roomBytes -= count;
      return count;
    },
    async dataSync(file) {
      state.syncs++;
      await state.holdSync;
      if (state.syncError !== null) throw failure(state.syncError);
      await systemJournalFiles.dataSync(file);
    },
    async syncDirectory(dir) {
      state.directorySyncs++;
      await systemJournalFiles.syncDirectory(dir);
    },
    remove(path) {
      state.removed.push(path);
      systemJournalFiles.remove(path);
    },
    freeBytes: async () => state.freeBytes,
  };
  return { state, files };
}

export interface JournalSetup {
  dir: string;
  fsync?: FsyncPolicy;
  segmentBytes?: number;
  maxWaitingBytes?: number;
  reserveBytes?: number;
  files?: JournalFiles;
  clock?: Clock;
}

/** A journal with small bounds, on a clock that tests move. */
export async function openTestJournal(setup: JournalSetup): Promise<OpenJournal & { dir: string }> {
  const clock = setup.clock ?? handClock();
  const { dir } = setup;
  const journal = await openJournal({
    dir,
    fsync: setup.fsync ?? 'process',
    maxWaitingBytes: setup.maxWaitingBytes ?? 1024 * 1024,
    reserveBytes: setup.reserveBytes ?? 0,
    clock,
    logger: silentLogger,
    ids: createIdSource(clock),
    ...(setup.segmentBytes === undefined ? {} : { segmentBytes: setup.segmentBytes }),
    ...(setup.files === undefined ? {} : { files: setup.files }),
  });
  return Object.assign(journal, { dir });
}

/** Resolves once the entry is safe. */
export const appended = (journal: OpenJournal, payload: string, type: EntryType = ENTRY_SETTLED) =>
  new Promise<void>((resolve, reject) => {
    journal.append(type, payload, (error) => (error === null ? resolve() : reject(error)));
  });

/** Every payload, and the damage on the way. */
export function readPayloads(dir: string) {
  const damages: JournalDamage[] = [];
  const payloads: string[] = [];
  for (const entry of readJournal(dir, JOURNAL_START, { onDamage: (damage) => damages.push(damage) })) {
    payloads.push(entry.payload.toString('utf8'));
  }
  return { payloads, damages };
}

/** Resolves once the condition holds; the test fails by its own timeout when it never does. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}
