import { setImmediate as turn } from 'node:timers/promises';
import { type Asked, ScriptedLink, unavailable } from '@tallygate/testkit/scripted-link';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Ending, endingArguments, Outbox } from './outbox.ts';
import { RedisKeys } from './redis-keys.ts';
import { KNOWN_WITHIN_MS } from './window-sums.ts';

const ending = (requestId: string): Ending => ({ requestId, startedAtMs: 0, amounts: [] });
const BOOKS = { generation: 'g1', fromMs: 0 };

/** Number of a batch and the requests in it; each end here is its name and a zero. */
function batchOf({ args }: Asked): [number: string, ...requests: string[]] {
  return [args[2] ?? '', ...args.slice(5).filter((_, i) => i % 2 === 0)];
}

function outbox(maxWaiting?: number) {
  const link = new ScriptedLink();
  const trouble: string[] = [];
  const keys = new RedisKeys('ns');
  const box = new Outbox(link, {
    ...{ keys, owner: 'n:p', maxWaiting },
    onTrouble: (kind) => void trouble.push(kind),
  });
  return { link, box, trouble, keys, batches: () => link.asked.map(batchOf) };
}

/** Answers that come when the test says so. */
function held(link: ScriptedLink): ((say: unknown) => Promise<void>)[] {
  const waiting: ((say: unknown) => Promise<void>)[] = [];
  link.answer = () =>
    new Promise((resolve, reject) => {
      waiting.push(async (say) => {
        if (say instanceof Error) reject(say);
        else resolve(say);
        await turn();
      });
    });
  return waiting;
}

describe('ends of requests on their way to the books (X-02, X-08)', () => {
  it('go together under one number, one batch at a time; what ends meanwhile goes with the next', async () => {
    const { link, box, batches, keys } = outbox();
    const answers = held(link);
    box.resume(BOOKS);
    box.push(ending('a'));
    box.push(ending('b'));
    await turn();
    box.push(ending('c'));
    box.pump();
    expect(batches()).toEqual([['1', 'a', 'b']]);
    expect(box.has('a')).toBe(true);
    await answers[0]?.('ok');
    expect(batches().slice(1)).toEqual([['2', 'c']]);
    expect([box.has('a'), box.has('c'), box.size]).toEqual([false, true, 1]);
    await answers[1]?.('ok');
    expect([box.size, box.number]).toEqual([0, 2]);
    expect(link.asked[0]?.keys).toEqual([
      ...[keys.state, keys.holds('g1', 'n:p'), keys.expired('g1', 'n:p'), keys.batches('g1')],
    ]);
  });

  it('a batch without an answer is sent again as it was, under its number: nothing may join it', async () => {
    const { link, box, batches } = outbox();
    const answers = held(link);
    box.resume(BOOKS);
    box.push(ending('a'));
    await turn();
    box.push(ending('b'));
    await answers[0]?.(unavailable());
    expect(batches()).toHaveLength(1); // it waits for a heartbeat
    box.pump();
    await answers[1]?.('ok');
    expect(batches()).toEqual([
      ['1', 'a'],
      ['1', 'a'],
      ['2', 'b'],
    ]);
  });

  it('does not send more than two hundred at once, and loses none', async () => {
    const { link, box, batches } = outbox();
    box.resume(BOOKS);
    for (let i = 0; i < 450; i++) box.push(ending(`r${i}`));
    await turn();
    await turn();
    expect(batches().map(([number, ...ids]) => [number, ids.length])).toEqual([
      ['1', 200],
      ['2', 200],
      ['3', 50],
    ]);
    expect(new Set(batches().flatMap(([, ...ids]) => ids)).size).toBe(450);
    expect(link.asked).toHaveLength(3);
  });

  it('sends nothing before there are books, and nothing while Redis is away', async () => {
    const { link, box } = outbox();
    box.push(ending('a'));
    await turn();
    link.isUp = false;
    box.resume(BOOKS);
    await turn();
    expect(link.asked).toEqual([]);
    link.isUp = true;
    box.pump();
    expect(link.asked).toHaveLength(1);
  });

  it('tells books that are gone from books that lost something, and keeps what they did not take', async () => {
    for (const [answer, told] of [
      ['stale', 'stale'],
      ['gap', 'lost'],
    ]) {
      const { link, box, trouble } = outbox();
      link.answer = () => answer;
      box.resume(BOOKS);
      box.push(ending('a'));
      await turn();
      expect([trouble, box.size, link.asked.length]).toEqual([[told], 1, 1]);
    }
  });

  it("new books: what is on its way is waited for, the rest is the ledger's, in the same instant as the names are taken", async () => {
    const { link, box, batches } = outbox();
    const answers = held(link);
    box.resume(BOOKS);
    box.push(ending('a'));
    await turn();
    box.push(ending('b'));
    let captured: number | null = null;
    const paused = box.pause(() => {
      captured = box.size;
      return 'names';
    });
    await turn();
    expect(captured).toBeNull();
    await answers[0]?.('ok');
    expect([await paused, captured]).toEqual(['names', 0]);
    box.push(ending('c'));
    await turn();
    expect(batches()).toEqual([['1', 'a']]);
    box.resume({ generation: 'g2', fromMs: 0 });
    expect(link.asked[1]?.args[0]).toBe('g2');
    expect(batches().slice(1)).toEqual([['2', 'c']]);
  });

  it('what ended before books that are joined is told where those are too old to have it in their sums, and first', async () => {
    const { link, box } = outbox();
    const part = (id: string, madeAtMs: number) => ({
      window: `${id}:0`,
      amount: '5',
      forgetAtMs: '0',
      madeAtMs,
    });
    const startedAtMs = KNOWN_WITHIN_MS + 1_000;
    box.push({ requestId: 'both', startedAtMs, amounts: [part('old', 0), part('young', 5_000)] });
    box.push({ requestId: 'summed', startedAtMs, amounts: [part('young', 5_000)] });
    expect(await box.pause((hasEnded) => hasEnded)).toBe(true);
    box.push(ending('after'));
    box.resume({ generation: 'g2', fromMs: 0 });
    await turn();
    expect(link.asked.map(({ args }) => args.slice(5))).toEqual([
      ['both', '1', 'old:0', '5', '0', '0', 'after', '0'],
    ]);
    expect(await box.pause((hasEnded) => hasEnded)).toBe(false);
  });

  it('books that began after it have all of it in their sums: they are told nothing', async () => {
    const { link, box } = outbox();
    const amounts = [{ window: 'b:0', amount: '5', forgetAtMs: '0', madeAtMs: 0 }];
    const startedAtMs = KNOWN_WITHIN_MS + 1_000;
    box.push({ requestId: 'r', startedAtMs, amounts });
    await box.pause(() => undefined);
    // The first books it was on its way to were gone before it joined them.
    await box.pause(() => undefined);
    box.resume({ generation: 'g2', fromMs: startedAtMs + 1 });
    await turn();
    expect([link.asked, box.size]).toEqual([[], 0]);
  });

  it('what was set aside counts among what it may remember', async () => {
    const { box } = outbox(2);
    for (const id of ['a', 'b']) box.push(ending(id));
    await box.pause(() => undefined);
    expect(box.overflown).toBe(false);
    box.push(ending('c'));
    expect(box.overflown).toBe(true);
    box.push(ending('d'));
    expect(box.size).toBe(2); // there is room again: both were let go of
    expect(await box.pause((hasEnded) => hasEnded)).toBe(true); // those that came after
  });

  it('a batch that failed in old books is not sent to the new ones', async () => {
    const { link, box, batches } = outbox();
    link.answer = () => {
      throw unavailable();
    };
    box.resume(BOOKS);
    box.push(ending('a'));
    box.push(ending('b'));
    await turn();
    await box.pause(() => undefined);
    link.answer = () => 'ok';
    for (const id of ['c', 'd', 'e']) box.push(ending(id));
    box.resume({ generation: 'g2', fromMs: 0 });
    await turn();
    expect(batches().slice(1)).toEqual([['2', 'c', 'd', 'e']]);
  });

  it('more than it may remember is left to the ledger and said so; what ends after that is not', async () => {
    const { link, box, batches } = outbox(2);
    const answers = held(link);
    box.resume(BOOKS);
    box.push(ending('a'));
    await turn();
    box.push(ending('b'));
    expect(box.overflown).toBe(false);
    box.push(ending('c'));
    expect([box.overflown, box.size]).toEqual([true, 1]);
    // The answer to the batch that was on its way takes nothing else out.
    await answers[0]?.('ok');
    expect(batches().slice(1)).toEqual([['2', 'c']]);
    await answers[1]?.('ok');
    await box.pause(() => undefined);
    expect(box.overflown).toBe(false);
  });

  it('every end arrives once and in order, whatever answers are lost (property)', async () => {
    const step = fc.constantFrom('push', 'push', 'ok', 'lost', 'lost but done', 'pump');
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { link, box } = outbox();
        const taken: string[] = [];
        let [last, how, pushed] = ['0', 'ok', 0];
        link.answer = (asked) => {
          const [number, ...ids] = batchOf(asked);
          // As the script does it: each number once.
          if (how !== 'lost' && Number(number) === Number(last) + 1) {
            taken.push(...ids);
            last = number;
          }
          if (how !== 'ok') throw unavailable();
          return 'ok';
        };
        box.resume(BOOKS);
        for (const one of [...steps, 'ok', 'pump']) {
          if (one === 'push') box.push(ending(`r${pushed++}`));
          else if (one === 'pump') box.pump();
          else how = one;
          await turn();
        }
        expect(box.size).toBe(0);
        expect(taken).toEqual(Array.from({ length: pushed }, (_, i) => `r${i}`));
      }),
    );
  });

  it("an end says of each budget whether the ledger's sum may reach beyond its start", () => {
    const amounts = [0, 5_000].map((madeAtMs) => ({
      window: `b:${madeAtMs}`,
      amount: '5',
      forgetAtMs: '9',
      madeAtMs,
    }));
    const flags = (startedAtMs: number, fromMs: number, isUnasked = false) => {
      const [id, count, ...rest] = endingArguments(
        { requestId: 'r', startedAtMs, isUnasked, amounts },
        fromMs,
      );
      expect([id, count, rest.slice(0, 3)]).toEqual(['r', '2', ['b:0', '5', '9']]);
      return [rest[3], rest[7]];
    };
    expect(flags(KNOWN_WITHIN_MS - 1, 0)).toEqual(['1', '1']);
    expect(flags(KNOWN_WITHIN_MS, 0)).toEqual(['0', '1']);
    expect(flags(KNOWN_WITHIN_MS + 5_000, 0)).toEqual(['0', '0']);
    expect(flags(KNOWN_WITHIN_MS + 5_000, KNOWN_WITHIN_MS + 5_001)).toEqual(['1', '1']);
    // One that passed without an answer is told apart where that matters.
    expect(flags(KNOWN_WITHIN_MS, 0, true)).toEqual(['0', '2']);
  });
});
