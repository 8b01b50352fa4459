import {
  append,
  catchUp,
  ledgerFolder,
  openAt,
  opened,
  recover,
  settled,
  statuses,
} from '@tallygate/testkit/ledger-world';
import { sampleSettled } from '@tallygate/testkit/sample-event';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ENTRY_SETTLED } from '../journal/journal.ts';
import { encodeSettled } from './journal-entries.ts';

const { freshDir, running } = ledgerFolder();

describe('once, whatever is said twice (CF-17)', () => {
  it('of two settlements that differ the first is the row: what was counted is not counted anew', async () => {
    const { journal, store, writer } = await running();
    await opened(journal, 'a');
    await settled(journal, 'a');
    const other = sampleSettled('a', { costNanoUsd: 999n, status: 'timeout' });
    await append(journal, ENTRY_SETTLED, encodeSettled({ openedId: 'a', events: [other] }));
    await catchUp(writer, journal);
    expect(store.rows.get('a')).toEqual(sampleSettled('a'));
    expect([store.rows.size, store.repeated]).toEqual([1, 1]);
    await journal.close();
  });

  it('a request that was interrupted by a crash stays that, though its answer is journaled after all', async () => {
    const dir = freshDir();
    const first = await openAt(dir);
    await opened(first, 'late');
    await first.close();
    const { store, journal, writer } = await running();
    const second = await openAt(dir);
    const { recovery } = recover(dir, second, store, { safeEnd: second.status().safeEnd });
    const again = await recovery;
    await settled(second, 'late', ['sub']);
    expect(await catchUp(again.writer, second)).toBe(2);
    expect(statuses(store)).toEqual({ late: 'interrupted', sub: 'ok' });
    expect(writer.openRequests).toBe(0);
    await Promise.all([journal.close(), second.close()]);
  });

  it('two journals on one store keep their own place, and rows of one id are one', async () => {
    const one = await running();
    const two = await running();
    const other = recover(two.dir, two.journal, one.store, { safeEnd: two.journal.status().safeEnd });
    const { writer } = await other.recovery;
    await settled(one.journal, 'same');
    await settled(two.journal, 'same');
    await settled(two.journal, 'own');
    await catchUp(one.writer, one.journal);
    await catchUp(writer, two.journal);
    expect([one.store.rows.size, one.store.repeated]).toEqual([2, 1]);
    for (const { journal } of [one, two])
      expect(one.store.checkpoints.get(journal.id)?.committed).toEqual(journal.status().safeEnd);
    await Promise.all([one.journal.close(), two.journal.close()]);
  });

  it('read in steps of any size, it is the same rows, and as many are open (property)', async () => {
    const act = fc.record({ what: fc.constantFrom('open', 'settle', 'read'), id: fc.nat(7) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(act, { maxLength: 40 }),
        fc.constantFrom(600, 1_500, 1_000_000),
        async (acts, bytes) => {
          const { journal, store, writer } = await running(bytes);
          const open = new Set<string>();
          const done = new Set<string>();
          for (const { what, id } of acts) {
            const name = `r${id}`;
            if (what === 'open') {
              await opened(journal, name);
              open.add(name);
            } else if (what === 'settle') {
              await settled(journal, name);
              open.delete(name);
              done.add(name);
            } else await catchUp(writer, journal);
          }
          await catchUp(writer, journal);
          expect([...store.rows.keys()].sort()).toEqual([...done].sort());
          expect(writer.openRequests).toBe(open.size);
          await journal.close();
        },
      ),
      { numRuns: 25 },
    );
  });
});
