import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENTRY_OPENED, ENTRY_SETTLED, type JournalPosition } from '@tallygate/server/journal/journal';
import { type OpenJournal, openJournal } from '@tallygate/server/journal/open-journal';
import type { JournalDamage } from '@tallygate/server/journal/read-journal';
import { systemClock } from '@tallygate/server/kernel/clock';
import { createIdSource } from '@tallygate/server/kernel/ids';
import { silentLogger } from '@tallygate/server/kernel/logger';
import { encodeOpened, encodeSettled } from '@tallygate/server/ledger/journal-entries';
import {
  type LedgerProgress,
  type LedgerWriter,
  recoverLedger,
} from '@tallygate/server/ledger/ledger-writer';
import { createQuarantine } from '@tallygate/server/ledger/quarantine';
import { afterEach, beforeEach } from 'vitest';
import { MemoryLedgerStore } from './memory-ledger-store.ts';
import { sampleEvent, sampleSettled } from './sample-event.ts';

/** A journal on the real clock. */
export async function openAt(dir: string, segmentBytes = 64 * 1024 * 1024) {
  const journal = await openJournal({
    dir,
    fsync: 'process',
    segmentBytes,
    maxWaitingBytes: 1e8,
    reserveBytes: 0,
    clock: systemClock,
    logger: silentLogger,
    ids: createIdSource(systemClock),
  });
  return journal;
}

/** Resolves once the entry is safe. */
export const append = (journal: OpenJournal, type: 1 | 2, payload: string) =>
  new Promise<void>((resolve, reject) => {
    journal.append(type, payload, (error) => (error === null ? resolve() : reject(error)));
  });
export const opened = (journal: OpenJournal, id: string) =>
  append(journal, ENTRY_OPENED, encodeOpened({ event: sampleEvent(id) }));
/** The settled entry of a request, with its sub-calls. */
export const settled = (journal: OpenJournal, id: string, subCalls: string[] = []) =>
  append(
    journal,
    ENTRY_SETTLED,
    encodeSettled({
      openedId: id,
      events: [sampleSettled(id), ...subCalls.map((sub) => sampleSettled(sub, { parentId: id }))],
    }),
  );

/** Thrown to play the death of the process: nothing of ours may catch it and go on. */
export class Killed extends Error {}

export interface Heard {
  progress: LedgerProgress[];
  failures: string[];
  damages: JournalDamage[];
  quarantined: (string | null)[];
}

/** Recovers a journal into a store, and hears what it reports. */
export function recover(
  dir: string,
  journal: Pick<OpenJournal, 'id' | 'bootSegment'>,
  store: MemoryLedgerStore,
  extra: { safeEnd: JournalPosition; wait?: (ms: number) => Promise<void> },
) {
  const heard: Heard = { progress: [], failures: [], damages: [], quarantined: [] };
  const recovery = recoverLedger({
    dir,
    nodeId: journal.id,
    bootSegment: journal.bootSegment,
    safeEnd: extra.safeEnd,
    store,
    quarantine: createQuarantine(dir, systemClock),
    wait: extra.wait ?? (async () => undefined),
    reports: {
      onProgress: (progress) => heard.progress.push(progress),
      onFailure: (failure) => heard.failures.push(failure.reason),
      onDamage: (damage) => heard.damages.push(damage),
      onQuarantined: (id) => heard.quarantined.push(id),
    },
  });
  return { recovery, heard };
}

export const statuses = (store: MemoryLedgerStore) =>
  Object.fromEntries([...store.rows.values()].map((row) => [row.id, row.status]));

/** A ledger that has recovered and follows its journal. */
export async function running(dir: string, segmentBytes?: number) {
  const journal = await openAt(dir, segmentBytes);
  const store = new MemoryLedgerStore();
  const { recovery, heard } = recover(dir, journal, store, { safeEnd: journal.status().safeEnd });
  const { writer } = await recovery;
  return { dir, journal, store, writer, heard };
}
export const catchUp = (writer: LedgerWriter, journal: OpenJournal) =>
  writer.advance(journal.status().safeEnd);

/** A folder of the test's own, gone after each, with as many journals in it as are asked for. */
export function ledgerFolder() {
  let root = '';
  let folders = 0;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'tallygate-ledger-'));
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));
  const freshDir = (): string => join(root, `l${folders++}`);
  return { freshDir, running: (segmentBytes?: number) => running(freshDir(), segmentBytes) };
}
