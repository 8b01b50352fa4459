import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import { appended, handClock, openTestJournal, until } from '@tallygate/testkit/journal-world';
import { MemoryLedgerStore } from '@tallygate/testkit/memory-ledger-store';
import { sampleEvent, sampleSettled } from '@tallygate/testkit/sample-event';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SEGMENT_HEADER_BYTES } from '../journal/frame.ts';
import { ENTRY_OPENED, ENTRY_SETTLED } from '../journal/journal.ts';
import type { OpenJournal } from '../journal/open-journal.ts';
import { segmentPath } from '../journal/segment-files.ts';
import type { LogFields, Logger } from '../kernel/logger.ts';
import { encodeOpened, encodeSettled } from './journal-entries.ts';
import { type LedgerThreadStore, runLedgerThread } from './ledger-thread.ts';
import type { FromLedgerThread, ToLedgerThread } from './ledger-thread-protocol.ts';

let dir: string;
const ports: { close(): void }[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ledger-thread-'));
});
afterEach(() => {
  for (const port of ports.splice(0)) port.close();
  rmSync(dir, { recursive: true, force: true });
});

const opened = (journal: OpenJournal, id: string) =>
  appended(journal, encodeOpened({ event: sampleEvent(id) }), ENTRY_OPENED);
const settled = (journal: OpenJournal, id: string) =>
  appended(journal, encodeSettled({ openedId: id, events: [sampleSettled(id)] }), ENTRY_SETTLED);

/** The body of the thread, run here, on a real message port. */
function thread(
  journal: OpenJournal,
  store = new MemoryLedgerStore(),
  openStore?: () => Promise<LedgerThreadStore>,
) {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  const heard: FromLedgerThread[] = [];
  const logged: [level: string, message: string, fields?: LogFields][] = [];
  const log = (level: string) => (message: string, fields?: LogFields) =>
    void logged.push(fields === undefined ? [level, message] : [level, message, fields]);
  const logger: Logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') };
  const closed = { store: 0 };
  const clock = handClock();
  const line = { waitedMs: 0 };
  port2.on('message', (message: FromLedgerThread) => heard.push(message));
  const running = runLedgerThread(
    port1,
    openStore ?? (async () => ({ ledger: store, close: async () => void closed.store++ })),
    {
      dir,
      journalId: journal.id,
      bootSegment: journal.bootSegment,
      safeEnd: journal.status().safeEnd,
      clock,
      logger,
      waitedMs: () => line.waitedMs,
    },
  );
  const tell = (message: ToLedgerThread): void => port2.postMessage(message);
  const of = <T extends FromLedgerThread['type']>(type: T) =>
    heard.filter((message): message is Extract<FromLedgerThread, { type: T }> => message.type === type);
  return { running, store, heard, logged, closed, clock, line, tell, of };
}
const end = (journal: OpenJournal) => journal.status().safeEnd;

describe('the body of the ledger’s thread', () => {
  it('is ready once everything of earlier processes is in the store, and not before', async () => {
    const first = await openTestJournal({ dir });
    await opened(first, 'cut');
    await settled(first, 'done');
    await first.close();
    const journal = await openTestJournal({ dir });
    const { running, store, heard, of, tell } = thread(journal);
    await until(() => of('ready').length > 0);
    expect(of('ready')).toEqual([{ type: 'ready', rows: 1, interrupted: 1 }]);
    const ready = heard.findIndex(({ type }) => type === 'ready');
    expect(heard.slice(0, ready).some(({ type }) => type === 'committed')).toBe(true);
    expect([...store.rows.values()].map(({ id, status }) => [id, status])).toEqual([
      ['done', 'ok'],
      ['cut', 'interrupted'],
    ]);
    tell({ type: 'close', safeEnd: end(journal) });
    await running;
    await journal.close();
  });

  it('carries what is announced, in few commits, and says how far it is', async () => {
    const journal = await openTestJournal({ dir });
    const { running, store, of, tell } = thread(journal);
    await until(() => of('ready').length > 0);
    const before = store.commits.length;
    for (let i = 0; i < 30; i++) {
      await settled(journal, `r${i}`);
      tell({ type: 'advance', safeEnd: end(journal) });
    }
    await until(() => store.rows.size === 30);
    // What arrives within a moment of one another shares a commit.
    expect(store.commits.length - before).toBeLessThan(30);
    await until(() =>
      of('committed').some(({ settledThrough }) => settledThrough.offset === end(journal).offset),
    );
    expect(of('committed').reduce((sum, { inserted }) => sum + inserted, 0)).toBe(30);
    tell({ type: 'close', safeEnd: end(journal) });
    await running;
    await journal.close();
  });

  it('says when it gets on slowly for want of a core, and when no more', async () => {
    const journal = await openTestJournal({ dir });
    const { running, heard, of, tell, clock, line } = thread(journal);
    await until(() => of('ready').length > 0);
    const carry = async (id: string, waitedMs: number): Promise<void> => {
      clock.forward(1000);
      line.waitedMs += waitedMs;
      await settled(journal, id);
      const before = of('committed').length;
      tell({ type: 'advance', safeEnd: end(journal) });
      await until(() => of('committed').length > before);
    };
    await carry('free', 100);
    expect(of('starved')).toEqual([]);
    await carry('in line', 900);
    await carry('still in line', 900);
    expect(of('starved')).toEqual([{ type: 'starved', starved: true }]);
    await carry('free again', 0);
    expect(of('starved').slice(1)).toEqual([{ type: 'starved', starved: false }]);
    // Known before the progress that it explains.
    expect(heard[heard.findIndex(({ type }) => type === 'starved') + 1]?.type).toBe('committed');
    tell({ type: 'close', safeEnd: end(journal) });
    await running;
    await journal.close();
  });

  it('does not go back when an older end is announced after a newer one', async () => {
    const journal = await openTestJournal({ dir });
    const { running, store, of, tell } = thread(journal);
    await until(() => of('ready').length > 0);
    const old = end(journal);
    await settled(journal, 'a');
    tell({ type: 'advance', safeEnd: end(journal) });
    tell({ type: 'advance', safeEnd: old });
    await until(() => store.rows.has('a'));
    tell({ type: 'close', safeEnd: old });
    await running;
    expect(store.checkpoints.get(journal.id)?.committed).toEqual(end(journal));
    await journal.close();
  });

  it('told to close, it commits what is announced with that, closes the store, and only then says so', async () => {
    const journal = await openTestJournal({ dir });
    const { running, store, closed, heard, of, tell } = thread(journal);
    await until(() => of('ready').length > 0);
    for (let i = 0; i < 5; i++) await settled(journal, `r${i}`);
    tell({ type: 'close', safeEnd: end(journal) });
    await running;
    expect([store.rows.size, closed.store]).toEqual([5, 1]);
    await until(() => of('closed').length > 0);
    expect(heard.at(-1)).toEqual({ type: 'closed' });
    await journal.close();
  });

  it('told to close while it gathers, it does not wait for more to come', async () => {
    const journal = await openTestJournal({ dir });
    const { running, store, of, tell } = thread(journal);
    await until(() => of('ready').length > 0);
    // Busy, so that it gathers for its longest.
    await Promise.all(Array.from({ length: 60 }, (_, i) => settled(journal, `r${i}`)));
    tell({ type: 'advance', safeEnd: end(journal) });
    await until(() => store.rows.size === 60);
    await settled(journal, 'last');
    tell({ type: 'advance', safeEnd: end(journal) });
    tell({ type: 'close', safeEnd: end(journal) });
    await running;
    expect(store.rows.has('last')).toBe(true);
    await journal.close();
  });

  it('is told to close while it still recovers: it recovers, and then it ends', async () => {
    const journal = await openTestJournal({ dir });
    await settled(journal, 'a');
    const { running, store, closed, tell } = thread(journal);
    tell({ type: 'close', safeEnd: end(journal) });
    await running;
    expect([store.rows.size, closed.store]).toEqual([1, 1]);
    await journal.close();
  });

  it('says that the store fails, and why, until it works again', async () => {
    const journal = await openTestJournal({ dir });
    const store = new MemoryLedgerStore();
    const { running, of, logged, tell } = thread(journal, store);
    await until(() => of('ready').length > 0);
    let failures = 2;
    store.before = () => {
      if (failures-- > 0) throw Object.assign(new Error('row of somebody'), { code: '57P01' });
    };
    await settled(journal, 'a');
    tell({ type: 'advance', safeEnd: end(journal) });
    await until(() => store.rows.has('a'));
    expect(of('failed').map(({ reason, attempts }) => [reason, attempts])).toEqual([
      ['57P01', 1],
      ['57P01', 2],
    ]);
    expect(logged.filter(([level]) => level === 'warn')).toHaveLength(2);
    expect(JSON.stringify(logged)).not.toContain('somebody');
    tell({ type: 'close', safeEnd: end(journal) });
    await running;
    await journal.close();
  });

  it('says when it sets something aside, and keeps it beside the journal', async () => {
    const journal = await openTestJournal({ dir });
    const { running, of, logged, tell } = thread(journal);
    await until(() => of('ready').length > 0);
    await appended(journal, '[99,"from the future"]', ENTRY_SETTLED);
    await settled(journal, 'a');
    tell({ type: 'close', safeEnd: end(journal) });
    await running;
    await until(() => of('quarantined').length > 0);
    expect(of('quarantined')).toEqual([{ type: 'quarantined', eventId: null, reason: 'Error' }]);
    expect(readFileSync(join(dir, 'quarantine.jsonl'), 'utf8')).toContain('from the future');
    expect(logged.filter(([level]) => level === 'error')).toHaveLength(1);
    await journal.close();
  });

  it('tells damage from half an entry, which is what a crash leaves behind', async () => {
    const journal = await openTestJournal({ dir });
    await settled(journal, 'a');
    await settled(journal, 'b');
    await journal.close();
    const bytes = readFileSync(segmentPath(dir, 1));
    bytes[40] = (bytes[40] ?? 0) ^ 1;
    writeFileSync(segmentPath(dir, 1), bytes);
    const next = await openTestJournal({ dir });
    const { running, store, of, logged, tell } = thread(next);
    tell({ type: 'close', safeEnd: end(next) });
    await running;
    await until(() => of('damage').length > 0);
    expect(of('damage').map(({ damage }) => [damage.kind, damage.at])).toEqual([
      ['corrupt', { segment: 1, offset: 28 }],
    ]);
    expect(logged.map(([level]) => level)).toEqual(['error']);
    expect([...store.rows.keys()]).toEqual(['b']);
    await next.close();
  });

  it('ends with the error when the store cannot be opened, and closes one that it did open', async () => {
    const journal = await openTestJournal({ dir });
    const failed = thread(journal, undefined, async () => {
      throw new Error('no such store');
    });
    await expect(failed.running).rejects.toThrow('no such store');
    expect(failed.heard).toEqual([]);
    await journal.close();
  });

  it('ends with the error when the journal cannot be read, and closes the store all the same', async () => {
    const journal = await openTestJournal({ dir });
    await settled(journal, 'a');
    const bytes = readFileSync(segmentPath(dir, 1));
    bytes.writeUInt32BE(2, 4);
    bytes.writeUInt32BE(crc32(bytes.subarray(0, SEGMENT_HEADER_BYTES - 4)), SEGMENT_HEADER_BYTES - 4);
    writeFileSync(segmentPath(dir, 1), bytes);
    const { running, closed, of } = thread(journal);
    await expect(running).rejects.toThrow('format 2');
    expect([closed.store, of('ready'), of('closed')]).toEqual([1, [], []]);
    await journal.close();
  });
});
