import { rateLimit } from '@tallygate/testkit/rate-conformance';
import { describe, expect, it } from 'vitest';
import { once, partsOf, type RateAsking, standing, type Wanted } from './rate-asking.ts';

const wanted = (id: string, amount: number, limit: number): Wanted => ({
  ...{ limit: rateLimit(id, { limit }), partition: `of ${id}`, amount },
  keys: [`c:${id}`, `l:${id}`, `i:${id}`],
});
const asking: RateAsking = {
  ...{ lease: 'x', keys: [], args: [] },
  wanted: [wanted('first', 2, 10), wanted('second', 30, 40)],
};
/** For each count what is settled, held, when it has left, and its slice. */
const NUMBERS = ['3', '2', '500', '17', '35', '9', '0', '18'];

describe('what Redis says of the limits of a request (CW-04)', () => {
  it('let through, each count has its own part: where it was counted, and how it stands', () => {
    const found = partsOf(asking, ['ok', '', '', ...NUMBERS]);
    expect('parts' in found && found.parts).toMatchObject([
      {
        ...{ keys: ['c:first', 'l:first', 'i:first'], amount: 2, slice: '17', ended: false },
        standing: { partition: 'of first', used: 5, held: 2, left: 5, msUntilEmpty: 500 },
      },
      { slice: '18', amount: 30, standing: { used: 44, held: 9, left: 0, msUntilEmpty: 0 } },
    ]);
  });

  it('refused, it is told which limit, what it needed, when to come again, and how all of them stand', () => {
    const found = partsOf(asking, ['no', '1', '2500', ...NUMBERS]);
    expect('refusal' in found && found.refusal).toMatchObject({
      ...{ limit: { id: 'second' }, needed: 30, retryAfterMs: 2_500 },
      standings: [{ used: 5 }, { used: 44 }],
    });
  });

  it('one that would wait in vain is not told to come again, one that may come at once is', () => {
    const waits = (text: string) => {
      const found = partsOf(asking, ['no', '0', text, ...NUMBERS]);
      return 'refusal' in found ? found.refusal.retryAfterMs : undefined;
    };
    expect([waits('-1'), waits('0')]).toEqual([null, 0]);
  });

  it('a count that Redis says nothing of stands at nothing', () => {
    expect(standing(rateLimit('l', { limit: 4 }), 'p', [])).toMatchObject({ used: 0, held: 0, left: 4 });
  });

  it('the bound of a request is reckoned once, whoever asks, and only when it is asked for', () => {
    let asked = 0;
    const bound = once(() => {
      asked += 1;
      return { input: asked, output: 0 };
    });
    expect(asked).toBe(0);
    expect([bound(), bound(), asked]).toEqual([{ input: 1, output: 0 }, { input: 1, output: 0 }, 1]);
  });
});
