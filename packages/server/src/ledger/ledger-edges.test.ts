import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  append,
  catchUp,
  Killed,
  ledgerFolder,
  openAt,
  opened,
  recover,
  settled,
  statuses,
} from '@tallygate/testkit/ledger-world';
import { MemoryLedgerStore } from '@tallygate/testkit/memory-ledger-store';
import { sampleEvent, sampleSettled } from '@tallygate/testkit/sample-event';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ENTRY_OPENED, ENTRY_SETTLED } from '../journal/journal.ts';
import { comparePositions } from '../journal/position.ts';
import { segmentPath } from '../journal/segment-files.ts';
import { encodeOpened, encodeSettled } from './journal-entries.ts';
import { asInterrupted } from './ledger-writer.ts';

const { freshDir, running } = ledgerFolder();

describe('the row of a request whose process died (CF-17)', () => {
  it('claims no end and no latency, and leaves everything else as it was opened', () => {
    const event = sampleSettled('a', { costNanoUsd: 7n, priceStatus: 'priced', weightedTokens: 3 });
    const { status, settleStatus, endedAtMs, latencyMs, attempts, ...rest } = asInterrupted(event);
    expect([status, settleStatus, endedAtMs, latencyMs]).toEqual(['interrupted', 'interrupted', null, null]);
    const { status: _a, settleStatus: _b, endedAtMs: _c, latencyMs: _d, attempts: before, ...same } = event;
    expect(rest).toEqual(same);
    // An attempt that had ended is history; only one that was under way was interrupted.
    expect(attempts).toEqual(before);
  });

  it('tells attempts that were under way from those that had ended', () => {
    const [one] = sampleSettled('a').attempts;
    if (one === undefined) throw new Error('no attempt');
    const failed = { ...one, index: 0, outcome: 'timeout' };
    const cut = { ...one, index: 1, outcome: '', endedAtMs: null };
    const zero = { ...one, index: 2, outcome: 'ok', endedAtMs: 0 };
    const { attempts } = asInterrupted(sampleEvent('a', { attempts: [failed, cut, zero] }));
    expect(attempts).toEqual([failed, { ...cut, outcome: 'interrupted' }, zero]);
  });
});

describe('what is read twice', () => {
  it('a settlement that was journaled twice is one row', async () => {
    const { journal, store, writer, heard } = await running();
    await opened(journal, 'a');
    for (let i = 0; i < 3; i++) await settled(journal, 'a');
    expect(await catchUp(writer, journal)).toBe(3);
    expect(statuses(store)).toEqual({ a: 'ok' });
    expect(heard.progress.at(-1)).toMatchObject({ rows: 3, inserted: 1 });
    await journal.close();
  });

  it('an opened entry that comes after its settlement opens it again, until it is settled again', async () => {
    const { journal, writer } = await running();
    await settled(journal, 'a');
    await opened(journal, 'a');
    await catchUp(writer, journal);
    expect(writer.openRequests).toBe(1);
    await settled(journal, 'a');
    await catchUp(writer, journal);
    expect(writer.openRequests).toBe(0);
    await journal.close();
  });

  it('a settlement closes the request it names, whatever its rows are', async () => {
    const { journal, store, writer } = await running();
    await opened(journal, 'named');
    await opened(journal, 'row');
    await append(
      journal,
      ENTRY_SETTLED,
      encodeSettled({ openedId: 'named', events: [sampleSettled('row')] }),
    );
    await catchUp(writer, journal);
    expect([writer.openRequests, Object.keys(statuses(store))]).toEqual([1, ['row']]);
    await append(journal, ENTRY_SETTLED, encodeSettled({ openedId: 'row', events: [] }));
    expect(await catchUp(writer, journal)).toBe(0);
    expect(writer.openRequests).toBe(0);
    await journal.close();
  });
});

describe('the checkpoint', () => {
  it('never moves back, and never beyond what was announced', async () => {
    const { journal, store, writer, heard } = await running(900);
    const act = fc.sample(fc.constantFrom('open', 'settle', 'read', 'part'), { numRuns: 120, seed: 7 });
    const open: string[] = [];
    let next = 0;
    for (const what of act) {
      const announced = journal.status().safeEnd;
      if (what === 'open') {
        const id = `r${next++}`;
        open.push(id);
        await opened(journal, id);
      } else if (what === 'settle') await settled(journal, open.shift() ?? `s${next++}`);
      else if (what === 'part') await writer.advance(announced);
      else await catchUp(writer, journal);
      const last = heard.progress.at(-1);
      if (last) expect(comparePositions(last.committed, journal.status().safeEnd)).toBeLessThanOrEqual(0);
      expect(writer.openRequests).toBeLessThanOrEqual(next);
    }
    for (const [i, { committed, settledThrough, lowWaterSegment }] of heard.progress.entries()) {
      const before = heard.progress[i - 1];
      if (before === undefined) continue;
      expect(comparePositions(before.committed, committed)).toBeLessThanOrEqual(0);
      expect(comparePositions(before.settledThrough, settledThrough)).toBeLessThanOrEqual(0);
      expect(comparePositions(committed, settledThrough)).toBeLessThanOrEqual(0);
      expect(lowWaterSegment).toBeLessThanOrEqual(Math.max(committed.segment, 1));
    }
    await catchUp(writer, journal);
    expect(writer.openRequests).toBe(open.length);
    expect(store.repeated).toBe(0);
    await journal.close();
  });

  it('moves without a row as soon as a whole segment is behind, so that the segment can go', async () => {
    const { journal, store, writer } = await running(700);
    await opened(journal, 'a');
    await catchUp(writer, journal);
    const commits = store.commits.length;
    while (journal.status().safeEnd.segment === 1)
      await append(journal, ENTRY_OPENED, encodeOpened({ event: sampleEvent('a') }));
    await catchUp(writer, journal);
    expect(store.commits.length).toBe(commits + 1);
    expect(store.checkpoints.get(journal.id)).toMatchObject({
      committed: journal.status().safeEnd,
      lowWaterSegment: 1,
    });
    await journal.close();
  });

  it('is asked for again until the store answers, and is filed under the journal it speaks of', async () => {
    const dir = freshDir();
    const journal = await openAt(dir);
    await settled(journal, 'a');
    const store = new MemoryLedgerStore();
    store.checkpoints.set('another journal', {
      nodeId: 'another journal',
      committed: { segment: 99, offset: 0 },
      lowWaterSegment: 99,
    });
    let failures = 3;
    const read = store.readCheckpoint.bind(store);
    store.readCheckpoint = async (nodeId) => {
      if (failures-- > 0) throw Object.assign(new Error('away'), { code: '08006' });
      return read(nodeId);
    };
    const { recovery, heard } = recover(dir, journal, store, { safeEnd: journal.status().safeEnd });
    expect((await recovery).rows).toBe(1);
    expect(heard.failures).toEqual(['08006', '08006', '08006']);
    expect(heard.damages).toEqual([]);
    expect(store.checkpoints.get(journal.id)?.committed).toEqual(journal.status().safeEnd);
    expect(store.checkpoints.get('another journal')?.committed.segment).toBe(99);
    await journal.close();
  });
});

describe('opened entries that cannot be read when they are needed', () => {
  it('whose segment is gone are told as a gap, and the others are settled', async () => {
    const { dir, journal, store, writer } = await running(1000);
    await opened(journal, 'lost');
    for (let i = 0; i < 4; i++) await settled(journal, `r${i}`);
    await opened(journal, 'kept');
    await catchUp(writer, journal);
    expect(store.checkpoints.get(journal.id)).toMatchObject({ lowWaterSegment: 1 });
    await journal.close();
    const next = await openAt(dir);
    unlinkSync(segmentPath(dir, 1));
    const { recovery, heard } = recover(dir, next, store, { safeEnd: next.status().safeEnd });
    expect((await recovery).interrupted).toBe(1);
    expect(statuses(store)).toMatchObject({ kept: 'interrupted', r3: 'ok' });
    expect(store.rows.has('lost')).toBe(false);
    expect(heard.damages).toEqual([
      {
        kind: 'missing_segment',
        at: { segment: 1, offset: 0 },
        resumedAt: { segment: 2, offset: 0 },
        lostBytes: null,
      },
    ]);
    await next.close();
  });

  it('that hold no row are set aside, each once, and stop nobody', async () => {
    const dir = freshDir();
    const first = await openAt(dir);
    await append(first, ENTRY_OPENED, '[1,"empty",[]]');
    await opened(first, 'whole');
    await first.close();
    const journal = await openAt(dir);
    const store = new MemoryLedgerStore();
    const { recovery, heard } = recover(dir, journal, store, { safeEnd: journal.status().safeEnd });
    expect((await recovery).interrupted).toBe(2);
    expect([statuses(store), heard.quarantined]).toEqual([{ whole: 'interrupted' }, [null]]);
    expect(readFileSync(join(dir, 'quarantine.jsonl'), 'utf8').trim().split('\n')).toHaveLength(1);
    const again = recover(dir, journal, store, { safeEnd: journal.status().safeEnd });
    expect((await again.recovery).interrupted).toBe(0);
    expect(again.heard.quarantined).toEqual([]);
    await journal.close();
  });

  it('that were damaged after they were read are told, and nothing is made up for them', async () => {
    const { dir, journal, store, writer, heard } = await running();
    const from = journal.status().safeEnd.offset;
    await opened(journal, 'a');
    await opened(journal, 'b');
    await catchUp(writer, journal);
    const bytes = readFileSync(segmentPath(dir, 1));
    bytes[from + 20] = (bytes[from + 20] ?? 0) ^ 4;
    writeFileSync(segmentPath(dir, 1), bytes);
    expect(await writer.interruptOpen()).toBe(2);
    expect(statuses(store)).toEqual({ b: 'interrupted' });
    expect(heard.damages).toEqual([
      {
        kind: 'corrupt',
        at: { segment: 1, offset: from },
        resumedAt: { segment: 1, offset: from },
        lostBytes: null,
      },
    ]);
    expect(writer.openRequests).toBe(0);
    await journal.close();
  });
});

describe('recovery that dies on the way', () => {
  it('before it moved the checkpoint: settles the same requests once more, each row still there once', async () => {
    const dir = freshDir();
    const first = await openAt(dir);
    for (const id of ['a', 'b', 'c']) await opened(first, id);
    await settled(first, 'b');
    await first.close();
    const journal = await openAt(dir);
    const store = new MemoryLedgerStore();
    for (let dieAt = 1; dieAt <= 4; dieAt++) {
      let calls = 0;
      store.after = () => {
        if (++calls === dieAt) throw new Killed();
      };
      const wait = async () => {
        throw new Killed();
      };
      const { recovery } = recover(dir, journal, store, { safeEnd: journal.status().safeEnd, wait });
      await recovery.catch((error: unknown) => expect(error).toBeInstanceOf(Killed));
    }
    expect(statuses(store)).toEqual({ a: 'interrupted', b: 'ok', c: 'interrupted' });
    expect(store.rows.size).toBe(3);
    await journal.close();
  });

  it('of a process that has opened requests itself by then leaves those alone', async () => {
    const dir = freshDir();
    const first = await openAt(dir);
    await opened(first, 'old');
    await first.close();
    const journal = await openAt(dir);
    await opened(journal, 'mine');
    const store = new MemoryLedgerStore();
    const { recovery } = recover(dir, journal, store, { safeEnd: journal.status().safeEnd });
    const { writer, interrupted } = await recovery;
    expect([interrupted, statuses(store), writer.openRequests]).toEqual([1, { old: 'interrupted' }, 1]);
    await settled(journal, 'mine');
    await catchUp(writer, journal);
    expect(statuses(store)).toEqual({ old: 'interrupted', mine: 'ok' });
    await journal.close();
  });
});
