import { testBudget } from '@tallygate/testkit/limit-play';
import { redisBench } from '@tallygate/testkit/redis-bench';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BudgetAccount } from '../budget-account.ts';
import { PARTS } from './book-scripts.ts';
import { holdText, readHoldText, wholeText, windowName } from './hold-text.ts';
import { script } from './script.ts';

const redis = redisBench();
const READ = script(`${PARTS}
local out = {}
for name, amount in parts(ARGV[1]) do
  out[#out + 1] = name
  out[#out + 1] = amount
end
return out
`);

describe('a hold as text (X-02)', () => {
  const held = fc.record({
    id: fc.stringMatching(/^[A-Za-z0-9:_.-]{1,20}$/),
    startMs: fc.integer({ min: 0, max: 4_000_000_000_000 }),
    amount: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  });
  const hold = fc.record({
    startedAtMs: fc.nat({ max: 4_000_000_000_000 }),
    clampedTo: fc.option(fc.nat()),
    held: fc.array(held, { maxLength: 5 }),
  });
  const partsOf = (parts: readonly { id: string; startMs: number; amount: number }[]) =>
    parts.map(({ id, startMs, amount }) => ({
      ...{ account: new BudgetAccount(testBudget(id), 0, 0), amount },
      window: { startMs, endMs: startMs + 1, settled: 0, before: 0, held: 0 },
    }));

  it.skipIf(redis.skipped)(
    'is read by scripts and by this process as it was written (property)',
    async () => {
      await fc.assert(
        fc.asyncProperty(hold, async ({ startedAtMs, clampedTo, held: list }) => {
          const text = holdText({ startedAtMs, clampedTo, parts: partsOf(list) }, true);
          expect(readHoldText(text)).toEqual({
            ...{ startedAtMs, clampedTo },
            parts: list.map(({ id, startMs, amount }) => ({ budgetId: id, windowStartMs: startMs, amount })),
          });
          expect(await redis.run(READ, [], [text])).toEqual(
            list.flatMap(({ id, startMs, amount }) => [windowName(id, startMs), String(amount)]),
          );
        }),
        { numRuns: 60, endOnFailure: true },
      );
    },
  );

  it('of a request that passed uncounted names its windows and keeps nothing back', () => {
    const parts = partsOf([{ id: 'b', startMs: 7, amount: 40 }]);
    expect(holdText({ startedAtMs: 5, clampedTo: null, parts }, false)).toBe('5||b:7=0');
  });

  it('amounts are whole and never less than what they stand for, within what doubles count exactly', () => {
    expect([0.1, 3, -2, 2 ** 60, 1e300, Number.POSITIVE_INFINITY].map(wholeText)).toEqual([
      ...['1', '3', '0', '9007199254740991', '9007199254740991', '9007199254740991'],
    ]);
  });
});
