import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  append,
  catchUp,
  ledgerFolder,
  opened,
  recover,
  settled,
  statuses,
} from '@tallygate/testkit/ledger-world';
import { MemoryLedgerStore } from '@tallygate/testkit/memory-ledger-store';
import { sampleSettled } from '@tallygate/testkit/sample-event';
import { describe, expect, it } from 'vitest';
import { ENTRY_OPENED, ENTRY_SETTLED } from '../journal/journal.ts';
import { encodeSettled } from './journal-entries.ts';

const { running } = ledgerFolder();

describe('carrying entries to the store', () => {
  it('commits what settled, with its sub-calls, each row as it was journaled', async () => {
    const { journal, store, writer, heard } = await running();
    await opened(journal, 'a');
    await settled(journal, 'a', ['a1', 'a2']);
    await opened(journal, 'b');
    expect(await catchUp(writer, journal)).toBe(3);
    expect(statuses(store)).toEqual({ a: 'ok', a1: 'ok', a2: 'ok' });
    expect(store.rows.get('a')).toEqual(sampleSettled('a'));
    expect(writer.openRequests).toBe(1);
    expect(heard.progress.at(-1)).toEqual({
      committed: journal.status().safeEnd,
      settledThrough: journal.status().safeEnd,
      lowWaterSegment: 1,
      rows: 3,
      inserted: 3,
    });
    await journal.close();
  });

  it('reads nothing beyond what was announced, and nothing twice', async () => {
    const { journal, store, writer } = await running();
    await settled(journal, 'a');
    const first = journal.status().safeEnd;
    await settled(journal, 'b');
    await writer.advance(first);
    expect(Object.keys(statuses(store))).toEqual(['a']);
    await catchUp(writer, journal);
    await catchUp(writer, journal);
    expect(Object.keys(statuses(store))).toEqual(['a', 'b']);
    expect(store.repeated).toBe(0);
    await journal.close();
  });

  it('makes no commit for opened entries alone, and says that it is not behind', async () => {
    const { journal, store, writer, heard } = await running();
    const before = store.commits.length;
    await opened(journal, 'a');
    await catchUp(writer, journal);
    expect(store.commits.length).toBe(before);
    expect(heard.progress.at(-1)).toMatchObject({ settledThrough: journal.status().safeEnd, rows: 0 });
    await journal.close();
  });

  it('commits as many rows at once as the store is best with', async () => {
    const { journal, store, writer } = await running();
    const rows = 3 * store.rowsPerCommit + 1;
    await Promise.all(Array.from({ length: rows }, (_, i) => settled(journal, `r${i}`)));
    await catchUp(writer, journal);
    expect(store.rows.size).toBe(rows);
    const full = store.rowsPerCommit;
    expect(store.commits.filter((size) => size > 0)).toEqual([full, full, full, 1]);
    await journal.close();
  });

  it('keeps the segments that hold the opened entry of an unsettled request, and only those', async () => {
    const { journal, store, writer, heard } = await running(1500);
    await opened(journal, 'long');
    for (let i = 0; i < 10; i++) await settled(journal, `r${i}`);
    await catchUp(writer, journal);
    const newest = journal.status().safeEnd.segment;
    expect(newest).toBeGreaterThan(3);
    expect(heard.progress.at(-1)).toMatchObject({ lowWaterSegment: 1, committed: { segment: newest } });
    await settled(journal, 'long');
    await catchUp(writer, journal);
    expect(heard.progress.at(-1)).toMatchObject({ lowWaterSegment: journal.status().safeEnd.segment });
    expect(store.checkpoints.get(journal.id)?.lowWaterSegment).toBe(journal.status().safeEnd.segment);
    await journal.close();
  });

  it('lets go of segments in which nothing settled', async () => {
    const { journal, writer, heard } = await running(600);
    for (let i = 0; i < 5; i++) await append(journal, ENTRY_OPENED, 'not decodable, so never open');
    for (let i = 0; i < 30; i++) await opened(journal, 'same');
    await settled(journal, 'same');
    await catchUp(writer, journal);
    expect(heard.progress.at(-1)?.lowWaterSegment).toBe(journal.status().safeEnd.segment);
    await journal.close();
  });
});

describe('a store that fails', () => {
  it('is tried again, twice as long apart each time, and nothing is lost', async () => {
    const { dir, journal } = await running();
    const store = new MemoryLedgerStore();
    let failures = 8;
    store.before = () => {
      if (failures-- > 0) throw Object.assign(new Error('down'), { code: 'ECONNREFUSED' });
    };
    await settled(journal, 'a');
    const waits: number[] = [];
    const { recovery, heard } = recover(dir, journal, store, {
      safeEnd: journal.status().safeEnd,
      wait: async (ms) => void waits.push(ms),
    });
    await recovery;
    expect(statuses(store)).toEqual({ a: 'ok' });
    expect(heard.failures).toEqual(Array(8).fill('ECONNREFUSED'));
    expect(waits).toEqual([50, 100, 200, 400, 800, 1600, 3200, 5000]);
    expect(heard.quarantined).toEqual([]);
    await journal.close();
  });

  it('an answer that is lost after the commit makes no row twice', async () => {
    const { journal, store, writer } = await running();
    let lost = 2;
    store.after = () => {
      if (lost-- > 0) throw new Error('connection lost');
    };
    for (let i = 0; i < 20; i++) await settled(journal, `r${i}`);
    await catchUp(writer, journal);
    expect(store.rows.size).toBe(20);
    expect(store.checkpoints.get(journal.id)?.committed).toEqual(journal.status().safeEnd);
    await journal.close();
  });

  it('one row the store refuses is set aside in full and reported, and the others go in', async () => {
    const { dir, journal, store, writer, heard } = await running();
    store.before = (events) => {
      if (events.some((event) => event.id === 'bad')) throw Object.assign(new Error('no'), { code: '22021' });
    };
    for (let i = 0; i < 40; i++) await settled(journal, i === 17 ? 'bad' : `r${i}`);
    await catchUp(writer, journal);
    expect(store.rows.size).toBe(39);
    expect(heard.quarantined).toEqual(['bad']);
    const [line, rest] = readFileSync(join(dir, 'quarantine.jsonl'), 'utf8').split('\n');
    expect(rest).toBe('');
    expect(JSON.parse(line ?? '')).toMatchObject({
      reason: '22021',
      entry: encodeSettled({ openedId: 'bad', events: [sampleSettled('bad')] }),
    });
    await settled(journal, 'after');
    await catchUp(writer, journal);
    expect(store.rows.has('after')).toBe(true);
    await journal.close();
  });

  it('no row is set aside while the store refuses everything, however long', async () => {
    const { journal, store, writer, heard } = await running();
    let failures = 200;
    store.before = () => {
      if (failures-- > 0) throw new Error('down');
    };
    for (let i = 0; i < 40; i++) await settled(journal, `r${i}`);
    await catchUp(writer, journal);
    expect(store.rows.size).toBe(40);
    expect(heard.quarantined).toEqual([]);
    await journal.close();
  });

  it('an entry that cannot be decoded is set aside and stops nothing', async () => {
    const { dir, journal, store, writer, heard } = await running();
    await append(journal, ENTRY_SETTLED, '{"of":"another version"}');
    await settled(journal, 'a');
    await catchUp(writer, journal);
    expect(statuses(store)).toEqual({ a: 'ok' });
    expect(heard.quarantined).toEqual([null]);
    expect(readFileSync(join(dir, 'quarantine.jsonl'), 'utf8')).toContain('another version');
    await journal.close();
  });

  it('an entry that was set aside is not set aside again when the thread starts anew and reads it again', async () => {
    const { dir, journal, store, writer } = await running();
    await append(journal, ENTRY_OPENED, 'no entry');
    await append(journal, ENTRY_SETTLED, '{"of":"another version"}');
    await opened(journal, 'long');
    await settled(journal, 'a');
    await catchUp(writer, journal);
    const before = readFileSync(join(dir, 'quarantine.jsonl'), 'utf8');
    expect(before.split('\n')).toHaveLength(3);
    await append(journal, ENTRY_SETTLED, '{"of":"a third version"}');
    const { recovery, heard } = recover(dir, journal, store, { safeEnd: journal.status().safeEnd });
    await recovery;
    expect(heard.quarantined).toEqual([null]);
    const after = readFileSync(join(dir, 'quarantine.jsonl'), 'utf8');
    expect(after.startsWith(before)).toBe(true);
    expect(after.slice(before.length)).toContain('a third version');
    await journal.close();
  });
});
