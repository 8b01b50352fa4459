import { MemoryLedgerStore } from '@tallygate/testkit/memory-ledger-store';
import { sampleSettled } from '@tallygate/testkit/sample-event';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LedgerCheckpoint } from '../store/store.ts';
import { decodeSettled } from './journal-entries.ts';
import { type CommitFailure, commitRows, pause, reasonOf } from './ledger-commit.ts';

const held: LedgerCheckpoint = { nodeId: 'n', committed: { segment: 1, offset: 28 }, lowWaterSegment: 1 };
const next: LedgerCheckpoint = { nodeId: 'n', committed: { segment: 2, offset: 99 }, lowWaterSegment: 2 };
const rows = (...ids: string[]) => ids.map((id) => sampleSettled(id));
const numbered = (count: number) => rows(...Array.from({ length: count }, (_, i) => `r${i}`));
const down = (code = 'ECONNREFUSED') => Object.assign(new Error('down'), { code });

function world() {
  const store = new MemoryLedgerStore();
  const waits: number[] = [];
  const failures: CommitFailure[] = [];
  const quarantined: [id: string, reason: string][] = [];
  const kept: [entry: string, reason: string][] = [];
  /** Every call the store had, with the checkpoint that came along. */
  const calls: [ids: string, segment: number][] = [];
  const commit = store.commit.bind(store);
  store.commit = async (events, checkpoint) => {
    calls.push([events.map((event) => event.id).join(), checkpoint.committed.segment]);
    return commit(events, checkpoint);
  };
  const deps = {
    store,
    quarantine: { keep: (entry: string, reason: string) => void kept.push([entry, reason]) },
    wait: async (ms: number) => void waits.push(ms),
    onFailure: (failure: CommitFailure) => void failures.push(failure),
    onQuarantined: (id: string, reason: string) => void quarantined.push([id, reason]),
  };
  return { store, deps, waits, failures, quarantined, kept, calls };
}

describe('committing a batch (CF-17)', () => {
  it('is one call with the checkpoint that stands behind it', async () => {
    const { deps, store, calls } = world();
    expect(await commitRows(deps, rows('a', 'b'), next, held)).toBe(2);
    expect(calls).toEqual([['a,b', 2]]);
    expect(store.checkpoints.get('n')).toEqual(next);
  });

  it('moves the checkpoint alone when there are no rows', async () => {
    const { deps, store } = world();
    expect(await commitRows(deps, [], next, held)).toBe(0);
    expect(store.checkpoints.get('n')).toEqual(next);
  });

  it('counts only rows that were new', async () => {
    const { deps } = world();
    await commitRows(deps, rows('a', 'b'), held, held);
    expect(await commitRows(deps, rows('b', 'c'), next, held)).toBe(1);
  });

  it('is tried whole three times before it is tried in halves, and the checkpoint moves only after the last part', async () => {
    const { deps, store, calls, waits } = world();
    let failures = 3;
    store.before = () => {
      if (failures-- > 0) throw down();
    };
    expect(await commitRows(deps, rows('a', 'b', 'c', 'd', 'e'), next, held)).toBe(5);
    expect(calls).toEqual([
      ['a,b,c,d,e', 2],
      ['a,b,c,d,e', 2],
      ['a,b,c,d,e', 2],
      ['a,b', 1],
      ['c,d,e', 1],
      ['', 2],
    ]);
    expect(waits).toEqual([50, 100, 200]);
  });

  it('with nothing in it is tried for ever, never in halves', async () => {
    const { deps, store, calls } = world();
    let failures = 12;
    store.before = () => {
      if (failures-- > 0) throw down();
    };
    await commitRows(deps, [], next, held);
    expect(calls).toEqual(Array(13).fill(['', 2]));
  });

  it('says each failure with its number and how long until the next try', async () => {
    const { deps, store, failures } = world();
    let left = 2;
    store.before = () => {
      if (left-- > 0) throw down('57P03');
    };
    await commitRows(deps, rows('a'), next, held);
    expect(failures).toEqual([
      { reason: '57P03', attempts: 1, retryInMs: 50 },
      { reason: '57P03', attempts: 2, retryInMs: 100 },
    ]);
  });
});

describe('one row that the store refuses', () => {
  const refusing = (...bad: string[]) => {
    const made = world();
    made.store.before = (events) => {
      if (events.some((event) => bad.includes(event.id))) throw down('22021');
    };
    return made;
  };

  it('is found by halves, refused three times while the store works, and set aside in full', async () => {
    const { deps, store, quarantined, kept, calls } = refusing('c');
    expect(await commitRows(deps, rows('a', 'b', 'c', 'd'), next, held)).toBe(3);
    expect([...store.rows.keys()].sort()).toEqual(['a', 'b', 'd']);
    expect(quarantined).toEqual([['c', '22021']]);
    expect(kept.map(([, reason]) => reason)).toEqual(['22021']);
    expect(decodeSettled(Buffer.from(kept[0]?.[0] ?? ''))).toEqual({ openedId: 'c', events: rows('c') });
    expect(calls.filter(([ids]) => ids === 'c')).toHaveLength(4);
    expect(store.checkpoints.get('n')).toEqual(next);
  });

  it('alone in its batch, and all of a batch, do not stop what comes after', async () => {
    const { deps, quarantined, store } = refusing('a', 'b', 'c');
    expect(await commitRows(deps, rows('a'), next, held)).toBe(0);
    expect(await commitRows(deps, rows('b', 'c'), next, held)).toBe(0);
    expect(await commitRows(deps, rows('d'), next, held)).toBe(1);
    expect(quarantined.map(([id]) => id)).toEqual(['a', 'b', 'c']);
    expect(store.checkpoints.get('n')).toEqual(next);
  });

  it('is not set aside for what the store does not take from anybody', async () => {
    const { deps, store, quarantined } = world();
    let calls = 0;
    // Down for a hundred calls, then well again.
    store.before = () => {
      if (++calls <= 100) throw down();
    };
    expect(await commitRows(deps, rows('a'), next, held)).toBe(1);
    expect(quarantined).toEqual([]);
  });

  it('is not set aside by refusals with the store away in between: only those count that the store survives', async () => {
    const { deps, store, quarantined } = world();
    let refusals = 0;
    store.before = (events) => {
      // The row fails, and half of the time the proof that the store works fails as well.
      if (events.length > 0 && refusals < 9) {
        refusals++;
        throw down();
      }
      if (events.length === 0 && refusals % 2 === 0) throw down();
    };
    await commitRows(deps, rows('a'), next, held);
    // Three whole tries, then 5, 7 and 9 were refused by a store that worked.
    expect(refusals).toBe(9);
    expect(quarantined.map(([id]) => id)).toEqual(['a']);
  });

  it('keeps the checkpoint where it was while parts are tried, so that a crash reads them again', async () => {
    const { deps, calls } = refusing('b');
    await commitRows(deps, rows('a', 'b', 'c'), next, held);
    const parts = calls.slice(3, -1);
    expect(parts.length).toBeGreaterThan(3);
    for (const [, segment] of parts) expect(segment).toBe(held.committed.segment);
    expect(calls.at(-1)).toEqual(['', next.committed.segment]);
  });

  it('at random: every row is in the store or set aside, each once, never both, whatever fails when', async () => {
    const scene = fc.record({
      size: fc.integer({ min: 1, max: 40 }),
      bad: fc.array(fc.nat(39), { maxLength: 4 }),
      flaky: fc.array(fc.boolean(), { maxLength: 30 }),
      lost: fc.array(fc.boolean(), { maxLength: 30 }),
    });
    await fc.assert(
      fc.asyncProperty(scene, async ({ size, bad, flaky, lost }) => {
        const { deps, store, quarantined } = world();
        const refused = new Set(bad.map((n) => `r${n}`));
        let calls = 0;
        store.before = (events) => {
          calls++;
          // An outage hits every call alike, with the row and without it.
          if (flaky[calls] === true && calls % 3 === 0) throw down();
          if (events.some((event) => refused.has(event.id))) throw down('23514');
        };
        store.after = (events) => {
          if (events.length > 1 && lost[calls] === true) throw down('lost');
        };
        await commitRows(deps, numbered(size), next, held);
        const aside = quarantined.map(([id]) => id);
        expect(new Set(aside).size).toBe(aside.length);
        const both = [...store.rows.keys(), ...aside].sort();
        expect(both).toEqual(
          numbered(size)
            .map(({ id }) => id)
            .sort(),
        );
        for (const id of aside) expect(refused.has(id)).toBe(true);
        expect(store.checkpoints.get('n')).toEqual(next);
      }),
    );
  });
});

describe('waiting for the store', () => {
  it('doubles from 50 ms to 5 seconds and stays there, however often it failed', async () => {
    const waits: number[] = [];
    const deps = { wait: async (ms: number) => void waits.push(ms), onFailure: () => undefined };
    for (const attempts of [1, 2, 7, 8, 9, 60, 2000]) await pause(deps, new Error('x'), attempts);
    expect(waits).toEqual([50, 100, 3200, 5000, 5000, 5000, 5000]);
  });

  it('says first, and waits then', async () => {
    const order: string[] = [];
    await pause(
      { wait: async () => void order.push('wait'), onFailure: () => void order.push('say') },
      new Error('x'),
      1,
    );
    expect(order).toEqual(['say', 'wait']);
  });

  it.each([
    [down('SQLITE_BUSY'), 'SQLITE_BUSY'],
    [Object.assign(new Error('secret row'), { code: 5 }), '5'],
    [Object.assign(new TypeError('secret row'), { code: {} }), 'TypeError'],
    [new RangeError('secret row'), 'RangeError'],
    ['secret row', 'string'],
    [undefined, 'undefined'],
  ])('names %o by its code or class, never by its message', (error, reason) => {
    expect(reasonOf(error)).toBe(reason);
  });
});
