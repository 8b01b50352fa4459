import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
import { sampleSettled } from '@tallygate/testkit/sample-event';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ENTRY_OPENED } from '../journal/journal.ts';
import { segmentPath } from '../journal/segment-files.ts';
import { encodeOpened } from './journal-entries.ts';

const { freshDir, running } = ledgerFolder();

describe('recovery (CF-17)', () => {
  it('settles what earlier processes left open as interrupted, and claims no end, latency or tokens', async () => {
    const dir = freshDir();
    const first = await openAt(dir);
    await opened(first, 'done');
    const attempts = [{ ...sampleSettled('x').attempts[0]!, endedAtMs: null, outcome: 'ok' }];
    await append(first, ENTRY_OPENED, encodeOpened({ event: sampleSettled('cut', { attempts }) }));
    await settled(first, 'done');
    await first.close();
    const journal = await openAt(dir);
    const store = new MemoryLedgerStore();
    const { recovery } = recover(dir, journal, store, { safeEnd: journal.status().safeEnd });
    expect(await recovery).toMatchObject({ rows: 1, interrupted: 1 });
    expect(store.rows.get('done')).toEqual(sampleSettled('done'));
    expect(store.rows.get('cut')).toEqual({
      ...sampleSettled('cut'),
      status: 'interrupted',
      settleStatus: 'interrupted',
      endedAtMs: null,
      latencyMs: null,
      attempts: [{ ...attempts[0], outcome: 'interrupted' }],
    });
    const checkpoint = store.checkpoints.get(journal.id);
    expect(checkpoint).toEqual({
      nodeId: journal.id,
      committed: { segment: 2, offset: 0 },
      lowWaterSegment: 2,
    });
    await journal.close();
  });

  it('finds opened entries that lie before the checkpoint', async () => {
    const { dir, journal, store, writer } = await running(1500);
    await opened(journal, 'old');
    for (let i = 0; i < 10; i++) await settled(journal, `r${i}`);
    await catchUp(writer, journal);
    await journal.releaseBelow(store.checkpoints.get(journal.id)?.lowWaterSegment ?? 0);
    await journal.close();
    const next = await openAt(dir);
    await recover(dir, next, store, { safeEnd: next.status().safeEnd }).recovery;
    expect(store.rows.get('old')?.status).toBe('interrupted');
    expect(store.repeated).toBe(0);
    await next.close();
  });

  it('after a crash of the thread alone, requests of the running process stay open and can settle', async () => {
    const { dir, journal, store, writer } = await running(1500);
    await opened(journal, 'long');
    for (let i = 0; i < 10; i++) await settled(journal, `r${i}`);
    await catchUp(writer, journal);
    for (let i = 10; i < 15; i++) await settled(journal, `r${i}`);
    const { recovery, heard } = recover(dir, journal, store, { safeEnd: journal.status().safeEnd });
    const again = await recovery;
    expect(again).toMatchObject({ rows: 5, interrupted: 0 });
    expect(again.writer.openRequests).toBe(1);
    // Never beyond the segment of the request that is still open, not even for a moment.
    expect(heard.progress.map((progress) => progress.lowWaterSegment)).toEqual(heard.progress.map(() => 1));
    await settled(journal, 'long');
    await catchUp(again.writer, journal);
    expect(store.rows.get('long')?.status).toBe('ok');
    expect(store.rows.size).toBe(16);
    expect(store.repeated).toBe(0);
    await journal.close();
  });

  it('a journal that was put back to an older state is read again, not taken for committed', async () => {
    const { dir, journal, store, writer } = await running(1500);
    for (let i = 0; i < 10; i++) await settled(journal, `r${i}`);
    await catchUp(writer, journal);
    await journal.close();
    for (const name of readdirSync(dir)) if (name.endsWith('.seg')) rmSync(join(dir, name));
    const next = await openAt(dir);
    await settled(next, 'new');
    const { recovery, heard } = recover(dir, next, store, { safeEnd: { segment: 1, offset: 28 } });
    await catchUp((await recovery).writer, next);
    expect(store.rows.get('new')?.status).toBe('ok');
    expect(heard.damages.map((damage) => damage.kind)).toEqual(['missing_segment']);
    await next.close();
  });

  it('a damaged stretch is reported, and a request whose settlement is lost is accounted for', async () => {
    const dir = freshDir();
    const first = await openAt(dir);
    await opened(first, 'a');
    const from = first.status().safeEnd.offset;
    await settled(first, 'a');
    await settled(first, 'b');
    await first.close();
    const path = segmentPath(dir, 1);
    const bytes = readFileSync(path);
    bytes[from + 30] = (bytes[from + 30] ?? 0) ^ 1;
    writeFileSync(path, bytes);
    const journal = await openAt(dir);
    const store = new MemoryLedgerStore();
    const { recovery, heard } = recover(dir, journal, store, { safeEnd: journal.status().safeEnd });
    await recovery;
    expect(heard.damages).toMatchObject([{ kind: 'corrupt', at: { segment: 1, offset: from } }]);
    expect(statuses(store)).toEqual({ a: 'interrupted', b: 'ok' });
    await journal.close();
  });

  it('killed at any point, and again while it recovers: every row once, every unfinished one interrupted', async () => {
    const life = fc.record({
      /** What the process journals before it dies: +1 opens the next request, -n settles the n-th oldest open one. */
      acts: fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 5 })), { maxLength: 30 }),
      /** Advance after this many acts. */
      every: fc.integer({ min: 1, max: 8 }),
      /** The store call at which the process dies, before or after the store took it; 0: not there. */
      dieAtCall: fc.nat({ max: 6 }),
      dieAfter: fc.boolean(),
      flaky: fc.nat({ max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(life, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 500, max: 4000 }),
        async (lives, segmentBytes) => {
          const dir = freshDir();
          const store = new MemoryLedgerStore();
          const expected = new Map<string, string>();
          let next = 0;
          for (const { acts, every, dieAtCall, dieAfter, flaky } of lives) {
            let calls = 0;
            let flakes = flaky;
            const die = (when: boolean) => () => {
              if (when === dieAfter && calls === dieAtCall) throw new Killed();
            };
            store.before = () => {
              calls++;
              die(false)();
              if (calls > 1 && flakes-- > 0) throw new Error('flaky');
            };
            store.after = die(true);
            const journal = await openAt(dir, segmentBytes);
            try {
              // Death is told apart from a failing store in the only way a process can: nothing runs after it.
              const wait = async () => {
                if (calls === dieAtCall) throw new Killed();
              };
              const { recovery } = recover(dir, journal, store, { safeEnd: journal.status().safeEnd, wait });
              const { writer } = await recovery;
              const open: string[] = [];
              for (const [index, act] of acts.entries()) {
                const id = act === 0 ? `r${next++}` : open[(act - 1) % Math.max(open.length, 1)];
                if (act === 0 && id !== undefined) {
                  open.push(id);
                  expected.set(id, 'interrupted');
                  await opened(journal, id);
                } else if (id !== undefined) {
                  open.splice(open.indexOf(id), 1);
                  expected.set(id, 'ok');
                  await settled(journal, id);
                }
                if (index % every === 0) await catchUp(writer, journal);
                const checkpoint = store.checkpoints.get(journal.id);
                if (checkpoint !== undefined) await journal.releaseBelow(checkpoint.lowWaterSegment);
              }
            } catch (error) {
              if (!(error instanceof Killed)) throw error;
            }
            await journal.close();
          }
          store.before = () => undefined;
          store.after = () => undefined;
          const last = await openAt(dir);
          const { recovery, heard } = recover(dir, last, store, { safeEnd: last.status().safeEnd });
          await recovery;
          await last.close();
          expect(heard.damages).toEqual([]);
          expect(statuses(store)).toEqual(Object.fromEntries(expected));
        },
      ),
      { numRuns: 80 },
    );
  });

  it('more interrupted requests than one commit holds, killed between the commits', async () => {
    const dir = freshDir();
    const first = await openAt(dir);
    const store = new MemoryLedgerStore();
    const rows = 2 * store.rowsPerCommit + 1;
    await Promise.all(Array.from({ length: rows }, (_, i) => opened(first, `r${i}`)));
    await first.close();
    // The thread dies and is started again in one and the same process, which has one boot segment.
    const journal = await openAt(dir);
    const safeEnd = journal.status().safeEnd;
    const wait = async () => {
      throw new Killed();
    };
    for (let dieAt = 1; dieAt <= 5; dieAt++) {
      let calls = 0;
      store.after = () => {
        if (++calls === dieAt) throw new Killed();
      };
      const { recovery } = recover(dir, journal, store, { safeEnd, wait });
      await recovery.catch((error: unknown) => expect(error).toBeInstanceOf(Killed));
    }
    await journal.close();
    expect(store.rows.size).toBe(rows);
    expect(new Set([...store.rows.values()].map((row) => row.status))).toEqual(new Set(['interrupted']));
    expect(store.checkpoints.get(journal.id)?.committed).toEqual({ segment: 2, offset: 0 });
  });
});
