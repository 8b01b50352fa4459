import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { eventually } from '@tallygate/testkit/eventually';
import { committedLines } from '@tallygate/testkit/file-ledger-store';
import { sampleEvent, sampleSettled } from '@tallygate/testkit/sample-event';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENTRY_OPENED, ENTRY_SETTLED } from '../journal/journal.ts';
import { type OpenJournal, openJournal } from '../journal/open-journal.ts';
import { systemClock } from '../kernel/clock.ts';
import { createIdSource } from '../kernel/ids.ts';
import { silentLogger } from '../kernel/logger.ts';
import { encodeOpened, encodeSettled } from './journal-entries.ts';
import { type LedgerClient, startLedger } from './ledger-client.ts';
import type { LedgerProgress } from './ledger-writer.ts';

const MODULE = new URL(import.meta.resolve('@tallygate/testkit/file-ledger-thread'));

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ledger-client-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const fault = (name: 'store-fails' | 'thread-dies', on: boolean) => {
  if (on) writeFileSync(join(root, name), '');
  else rmSync(join(root, name));
};

async function openAt(): Promise<OpenJournal> {
  return openJournal({
    dir: join(root, 'journal'),
    fsync: 'process',
    segmentBytes: 20_000,
    maxWaitingBytes: 1e8,
    reserveBytes: 0,
    clock: systemClock,
    logger: silentLogger,
    ids: createIdSource(systemClock),
  });
}

async function start(journal: OpenJournal, { module = MODULE, closeTimeoutMs = 10_000 } = {}) {
  const heard: LedgerProgress[] = [];
  const ledger = await startLedger({
    module,
    workerData: { folder: root },
    journal: {
      dir: join(root, 'journal'),
      journalId: journal.id,
      bootSegment: journal.bootSegment,
      safeEnd: journal.status().safeEnd,
    },
    clock: systemClock,
    logger: silentLogger,
    closeTimeoutMs,
    rest: () => undefined,
    onCommitted(progress) {
      heard.push(progress);
      void journal.releaseBelow(progress.lowWaterSegment);
    },
  });
  journal.onAdvance((safeEnd) => ledger.advance(safeEnd));
  return { ledger, heard };
}

const append = (journal: OpenJournal, type: 1 | 2, payload: string) =>
  new Promise<void>((resolve, reject) => {
    journal.append(type, payload, (error) => (error === null ? resolve() : reject(error)));
  });
const opened = (journal: OpenJournal, id: string) =>
  append(journal, ENTRY_OPENED, encodeOpened({ event: sampleEvent(id) }));
const settled = (journal: OpenJournal, id: string) =>
  append(journal, ENTRY_SETTLED, encodeSettled({ openedId: id, events: [sampleSettled(id)] }));

const until = (condition: () => boolean) => eventually(String(condition), condition);
const storedIds = () => committedLines(root).flatMap((line) => line.ids);
const caughtUp = (ledger: LedgerClient) => ledger.backlog().stalledMs === 0;

describe('the ledger in its thread', () => {
  it('a lone settled request is in the store within a blink, and the main thread hears of it', async () => {
    const journal = await openAt();
    const { ledger, heard } = await start(journal);
    await opened(journal, 'a');
    const from = performance.now();
    await settled(journal, 'a');
    await until(() => storedIds().includes('a'));
    expect(performance.now() - from).toBeLessThan(500);
    await until(() => heard.some((progress) => progress.inserted === 1));
    expect(heard.at(-1)).toMatchObject({ committed: journal.status().safeEnd, lowWaterSegment: 1 });
    expect(await ledger.close()).toBe(true);
    await journal.close();
  });

  it('gathers rows under load, releases segments behind it, and close drains the rest', async () => {
    const journal = await openAt();
    const { ledger } = await start(journal);
    for (let i = 0; i < 40; i++) {
      await Promise.all(Array.from({ length: 50 }, (_, j) => settled(journal, `r${i}-${j}`)));
    }
    expect(await ledger.close()).toBe(true);
    const ids = storedIds();
    expect(ids.length).toBe(2000);
    expect(new Set(ids).size).toBe(2000);
    expect(committedLines(root).length).toBeLessThan(400);
    expect(existsSync(join(root, 'journal', 'journal-0000000000000001.seg'))).toBe(false);
    await journal.close();
  });

  it('tells what it recovered before it is ready', async () => {
    const first = await openAt();
    await opened(first, 'cut');
    await opened(first, 'done');
    await settled(first, 'done');
    await first.close();
    const journal = await openAt();
    const { ledger } = await start(journal);
    expect(ledger.recovered).toEqual({ rows: 1, interrupted: 1 });
    expect(committedLines(root).flatMap((line) => line.statuses)).toEqual(['ok', 'interrupted']);
    await ledger.close();
    await journal.close();
  });

  it('is started again when its thread dies: nothing is lost, nothing twice, open requests stay open', async () => {
    const journal = await openAt();
    const { ledger } = await start(journal);
    await opened(journal, 'long');
    await settled(journal, 'before');
    await until(() => storedIds().includes('before'));
    fault('thread-dies', true);
    await settled(journal, 'during');
    await until(() => ledger.backlog().restarts >= 2);
    expect(ledger.backlog().stalledMs).toBeGreaterThan(0);
    fault('thread-dies', false);
    await settled(journal, 'after');
    await settled(journal, 'long');
    await until(() => storedIds().includes('long'));
    expect(storedIds().sort()).toEqual(['after', 'before', 'during', 'long']);
    expect(committedLines(root).flatMap((line) => line.statuses)).not.toContain('interrupted');
    // A thread that does not know the end of the journal now would take the checkpoint for one of another journal.
    expect(ledger.backlog().damages).toBe(0);
    expect(await ledger.close()).toBe(true);
    await journal.close();
  });

  it('says why it is behind while the store fails, and catches up by itself', async () => {
    const journal = await openAt();
    const { ledger } = await start(journal);
    fault('store-fails', true);
    await settled(journal, 'a');
    await until(() => ledger.backlog().failure === 'SQLITE_BUSY');
    expect(ledger.backlog().stalledMs).toBeGreaterThan(0);
    fault('store-fails', false);
    await until(() => caughtUp(ledger) && storedIds().includes('a'));
    expect(ledger.backlog()).toMatchObject({ failure: null, restarts: 0, quarantined: 0, damages: 0 });
    await ledger.close();
    await journal.close();
  });

  it('close gives up in time on a store that fails; the next start commits the rest', async () => {
    const journal = await openAt();
    const { ledger } = await start(journal, { closeTimeoutMs: 200 });
    fault('store-fails', true);
    await settled(journal, 'a');
    await until(() => ledger.backlog().failure !== null);
    expect(await ledger.close()).toBe(false);
    await journal.close();
    fault('store-fails', false);
    const again = await openAt();
    const next = await start(again);
    expect(next.ledger.recovered).toEqual({ rows: 1, interrupted: 0 });
    expect(storedIds()).toEqual(['a']);
    await next.ledger.close();
    await again.close();
  });

  it('does not start over a module that fails: the error says why', async () => {
    const journal = await openAt();
    const broken = join(root, 'broken.mjs');
    mkdirSync(root, { recursive: true });
    writeFileSync(broken, 'throw new Error("no such store");');
    await expect(start(journal, { module: pathToFileURL(broken) })).rejects.toThrow('no such store');
    await journal.close();
  });
});
