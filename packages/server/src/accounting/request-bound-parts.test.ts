import { type TOKEN_BUCKETS, UNIT_COUNTS } from '@tallygate/contract/usage';
import { modelUsage, priceOverride, tokenCounts } from '@tallygate/testkit/pricing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePriceBook } from './price-book.ts';
import type { PriceOverride } from './price-override.ts';
import { loadSnapshot, type SnapshotPeriod } from './price-snapshot.ts';
import { priceUsage } from './price-usage.ts';
import { RequestBound } from './request-bound.ts';
import { LIST_TERMS, type RequestShape } from './request-shape.ts';
import { totalTokens, weightedTokens } from './weighted-tokens.ts';

const AT = Date.UTC(2026, 10, 1, 2);
const shape = (changes: Partial<RequestShape> = {}): RequestShape => ({
  inputTokens: 1000,
  reachesBeyondBody: false,
  inputBuckets: ['inputUncached'],
  outputTokens: 100,
  outputBuckets: ['outputVisible', 'outputReasoning'],
  choices: 1,
  toolUses: 0,
  terms: [LIST_TERMS],
  outputMember: 'max_tokens',
  minOutputTokens: 1,
  ...changes,
});

function bookOf(period: SnapshotPeriod, overrides: PriceOverride[] = []) {
  const periods = [period];
  return compilePriceBook(
    { ...loadSnapshot(), providers: { acme: [{ id: 'm', also: [], periods }] } },
    overrides,
  );
}
const RATES = { input: 1000, cacheWrite: 1250, cacheWrite1h: 2000, output: 5000, webSearch: 1_000_000 };
const plain = bookOf({ rates: RATES });
const bound = (changes: Partial<RequestShape> = {}, book = plain, model: string | null = 'm') =>
  new RequestBound(book, { provider: 'acme', model, atMs: AT }, shape(changes));
/** Less the one nano-dollar that covers rounding. */
const nano = (...of: Parameters<typeof bound>) => {
  const made = bound(...of);
  const cost = made.costNanoUsd(made.outputTokens);
  return cost === null ? null : cost - 1;
};

describe('what a request can come to at most (X-02)', () => {
  it('is every token at the dearest rate that the request can be billed at', () => {
    expect(nano()).toBe(1000 + 500);
    expect(nano({ inputBuckets: ['inputUncached', 'cacheWrite5m'] })).toBe(1250 + 500);
    expect(nano({ inputBuckets: ['cacheWrite1h', 'inputUncached'] })).toBe(2000 + 500);
    expect(nano({ choices: 3 })).toBe(1000 + 3 * 500);
    expect(nano({ outputBuckets: [], outputTokens: 100 })).toBe(1000);
  });

  it('takes the dearer of visible and thinking, whichever it is, and books it there', () => {
    const dear = bookOf({ rates: { ...RATES, outputReasoning: 7000 } });
    expect(nano({}, dear)).toBe(1000 + 700);
    expect(bound({}, dear).tokenCounts(100)).toEqual(
      tokenCounts({ inputUncached: 1000, outputReasoning: 100 }),
    );
    const cheap = bookOf({ rates: { ...RATES, outputReasoning: 10 } });
    expect(nano({}, cheap)).toBe(1000 + 500);
    expect(bound({}, cheap).tokenCounts(100)).toEqual(
      tokenCounts({ inputUncached: 1000, outputVisible: 100 }),
    );
    expect(bound({ choices: 2 }, cheap).tokenCounts(0).outputVisible).toBe(0);
  });

  it('leaves out buckets that have no rate while another has one, and has no bound when none has', () => {
    expect(nano({ inputBuckets: ['inputAudio', 'inputUncached'] })).toBe(1500);
    expect(nano({ outputBuckets: ['outputAudio', 'outputVisible'] })).toBe(1500);
    expect(nano({ inputBuckets: ['inputAudio'] })).toBeNull();
    expect(nano({ outputBuckets: ['outputAudio'] })).toBeNull();
    expect(nano({ inputBuckets: ['inputAudio'], outputBuckets: [] })).toBeNull();
    expect(bound({ outputBuckets: ['outputAudio'] }).priceCard).toBeNull();
  });

  it('has a charge for the request itself, once, and one for each use of a tool', () => {
    const charged = bookOf({ rates: { ...RATES, request: 12_000_000 } });
    expect(nano({}, charged)).toBe(12_000 + 1500);
    expect(nano({ choices: 4 }, charged)).toBe(12_000 + 1000 + 4 * 500);
    const [one, two] = [1, 2].map((toolUses) => nano({ toolUses, outputTokens: 0 }) ?? 0);
    // One use: two passes over the input, and the result in the second of them.
    expect(one).toBe(1000 + 2 * 1000 + 50_000);
    expect(two).toBe(2 * 1000 + 3 * 1000 + 3 * 50_000);
    // What was said before a use goes in again with each later pass.
    expect(nano({ toolUses: 2, outputTokens: 100 })).toBe(2000 + 3000 + 3 * 50_100 + 3 * 500);
  });

  it('is dearer by a tier of context as soon as the request can reach it, and not before', () => {
    const tiered = bookOf({
      rates: RATES,
      tiers: [
        { over: 2000, rates: { input: 3000 } },
        { over: 5000, rates: { input: 9000, output: 20_000 } },
      ],
    });
    const at = (inputTokens: number) => nano({ inputTokens }, tiered);
    expect(at(2000)).toBe(2000 + 500);
    expect(at(2001)).toBe(2001 * 3 + 500);
    expect(at(5000)).toBe(5000 * 3 + 500);
    expect(at(5001)).toBe(5001 * 9 + 2000);
    // The passes of a tool count towards the border: they are the input of one answer.
    expect(nano({ inputTokens: 1, toolUses: 1, outputTokens: 0 }, tiered)).toBe(1000 + 50_002 * 9);
  });

  it('stays at the dearest tier when a higher one is cheaper', () => {
    const odd = bookOf({ rates: { ...RATES, input: 9000 }, tiers: [{ over: 10, rates: { input: 1 } }] });
    expect(nano({}, odd)).toBe(9000 + 500);
  });

  it('takes the dearest of the tiers of service, and is unknown when one of them has no published price', () => {
    const book = compilePriceBook(loadSnapshot(), []);
    const ask = (...tiers: (string | null)[]) => {
      const terms = tiers.map((serviceTier) => ({ ...LIST_TERMS, serviceTier }));
      const made = new RequestBound(book, { provider: 'openai', model: 'gpt-5', atMs: AT }, shape({ terms }));
      return made.costNanoUsd(100);
    };
    const list = 1000 * 1250 + 100 * 10_000 + 1;
    expect(ask(null)).toBe(list);
    expect(ask('flex')).toBe((list - 1) / 2 + 1);
    expect(ask(null, 'flex')).toBe(list);
    expect(ask('flex', 'priority', null)).toBe((list - 1) * 2 + 1);
    expect(ask(null, 'scale')).toBeNull();
    expect(ask('scale', null)).toBeNull();
  });

  it('knows that priority is not sold for the long context: the list price is the most there', () => {
    const book = compilePriceBook(loadSnapshot(), []);
    const ask = (inputTokens: number, serviceTiers: (string | null)[]) => {
      const terms = serviceTiers.map((serviceTier) => ({ ...LIST_TERMS, serviceTier }));
      const question = { provider: 'openai', model: 'gpt-6-sol', atMs: AT };
      return new RequestBound(book, question, shape({ inputTokens, terms })).costNanoUsd(0);
    };
    expect(ask(272_000, ['priority'])).toBe(272_000 * 4000 + 1);
    expect(ask(300_000, ['priority', null])).toBe(300_000 * 4000 + 1);
    expect(ask(300_000, [null])).toBe(300_000 * 4000 + 1);
  });
});

describe('where the price comes from', () => {
  it('names the card, the override, or nothing', () => {
    expect(bound().priceCard).toBe(`acme/m@${plain.version}`);
    const own = priceOverride({
      provider: 'acme',
      model: 'm',
      ratesPicoUsd: { inputUncached: '1', outputVisible: '2' },
    });
    expect(bound({}, bookOf({ rates: RATES }, [own])).priceCard).toBe('acme/m@override:ovr_1');
    for (const model of [null, 'other']) {
      expect(bound({}, plain, model).priceCard).toBeNull();
      expect(bound({}, plain, model).costNanoUsd(0)).toBeNull();
      expect(bound({}, plain, model).free).toBe(false);
    }
    const nobody = new RequestBound(plain, { provider: null, model: 'm', atMs: AT }, shape());
    expect([nobody.priceCard, nobody.costNanoUsd(9)]).toEqual([null, null]);
  });

  it('goes by the instant: an override that is not in force leaves the list price', () => {
    const early = priceOverride({ provider: 'acme', model: 'm', validToMs: AT });
    expect(bound({}, bookOf({ rates: RATES }, [early])).priceCard).toBe(`acme/m@${plain.version}`);
    const until = priceOverride({ provider: 'acme', model: 'm', validToMs: AT + 1 });
    expect(bound({}, bookOf({ rates: RATES }, [until])).priceCard).toBe('acme/m@override:ovr_1');
    expect(bound({}, bookOf({ from: '2027-01-01', rates: RATES })).costNanoUsd(1)).toBeNull();
  });

  it('is nothing where everything is free, and says so', () => {
    const free = bookOf({ rates: { input: 0, output: 0 } });
    const made = bound({ toolUses: 9, choices: 9 }, free);
    expect([made.free, made.costNanoUsd(100_000), made.priceCard]).toEqual([
      true,
      0,
      `acme/m@${free.version}`,
    ]);
    expect(made.tokenCounts(10).outputVisible).toBe(10 * 9 * 10);
    expect(bound().free).toBe(false);
  });
});

describe('how much it may give', () => {
  it('is what the request says, or else what the model gives at most', () => {
    expect(bound({ outputTokens: 7 }).outputTokens).toBe(7);
    expect(bound({ outputTokens: 0 }).outputTokens).toBe(0);
    expect(bound({ outputTokens: null }).outputTokens).toBe(128_000);
    expect(bound({ outputTokens: 7, outputBuckets: [] }).outputTokens).toBe(0);
    expect(bound({ outputTokens: null, outputBuckets: [] }).outputTokens).toBe(0);
  });

  it('can be lowered down to the provider’s least, where there is a member to lower', () => {
    expect(bound({ minOutputTokens: 16 }).minOutputTokens).toBe(16);
    expect(bound({ minOutputTokens: 16, outputMember: null }).minOutputTokens).toBeNull();
    expect(bound({ minOutputTokens: 16, outputBuckets: [] }).minOutputTokens).toBeNull();
  });

  it('counts a whole context where the request reaches beyond its body, and more when the body is larger', () => {
    expect(bound({ reachesBeyondBody: true }).tokens(0)).toBe(1_050_000);
    expect(bound({ reachesBeyondBody: true, inputTokens: 2_000_000 }).tokens(0)).toBe(2_000_000);
    expect(bound({ inputTokens: 5 }).tokens(3)).toBe(8);
  });

  it('is a safe whole number even when it is absurd, and never less than before for more output', () => {
    const dear = bookOf({ rates: { input: 100_000_000_000, output: 100_000_000_000 } });
    const absurd = bound({ inputTokens: 900_000_000, toolUses: 50, choices: 100 }, dear).costNanoUsd(128_000);
    expect(absurd).toBe(Number.MAX_SAFE_INTEGER);
    fc.assert(
      fc.property(fc.nat(200_000), fc.nat(10_000), fc.nat(5), (output, more, toolUses) => {
        const made = bound({ toolUses });
        expect(made.costNanoUsd(output + more) ?? -1).toBeGreaterThanOrEqual(made.costNanoUsd(output) ?? 0);
        expect(made.tokens(output + more)).toBeGreaterThanOrEqual(made.tokens(output));
        expect(made.weightedTokens(output + more)).toBeGreaterThanOrEqual(made.weightedTokens(output));
      }),
    );
  });
});

describe('no usage that a request allows is above its bound (X-02)', () => {
  const made = fc.record({
    inputTokens: fc.oneof(fc.constantFrom(0, 1, 2000, 2001), fc.nat(400_000)),
    outputTokens: fc.nat(5000),
    choices: fc.integer({ min: 1, max: 3 }),
    toolUses: fc.constant(0),
    inputBuckets: fc.subarray(['inputUncached', 'cacheWrite5m', 'cacheWrite1h', 'inputImage'] as const, {
      minLength: 1,
    }),
    outputBuckets: fc.subarray(['outputVisible', 'outputReasoning'] as const, { minLength: 1 }),
  });
  const rate = fc.integer({ min: 0, max: 60_000_000 });
  const rates = fc.record({
    input: rate,
    cacheWrite: rate,
    cacheWrite1h: rate,
    inputImage: rate,
    output: rate,
    outputReasoning: rate,
    request: rate,
  });
  const tiers = fc.array(fc.record({ over: fc.constantFrom(1, 2000, 200_000), rates }), { maxLength: 2 });

  it('whatever the card, in money, in tokens and in weighted tokens', () => {
    fc.assert(
      fc.property(
        made,
        rates,
        tiers,
        fc.array(fc.nat(9), { minLength: 6, maxLength: 6 }),
        (changes, base, raised, shares) => {
          const book = bookOf({ rates: base, tiers: raised });
          const limit = bound(changes, book);
          const tokens = tokenCounts({});
          const spread = (
            buckets: readonly (typeof TOKEN_BUCKETS)[number][],
            total: number,
            from: number,
          ) => {
            const sum = buckets.reduce((all, _, i) => all + (shares[from + i] ?? 0), 0) || 1;
            for (const [i, bucket] of buckets.entries())
              tokens[bucket] = Math.floor((total * (shares[from + i] ?? 0)) / sum);
          };
          spread(changes.inputBuckets, changes.inputTokens, 0);
          spread(changes.outputBuckets, changes.outputTokens * changes.choices, 4);
          const usage = modelUsage({ model: 'm', tokens });
          const { costNanoUsd } = priceUsage(book, {
            provider: 'acme',
            usage,
            fallbackModel: null,
            atMs: AT,
          });
          const output = changes.outputTokens;
          expect(BigInt(limit.costNanoUsd(output) ?? -1)).toBeGreaterThanOrEqual(costNanoUsd ?? 0n);
          expect(limit.tokens(output)).toBeGreaterThanOrEqual(totalTokens(tokens) ?? 0);
          expect(limit.weightedTokens(output)).toBeGreaterThanOrEqual(weightedTokens(tokens) ?? 0);
          expect(totalTokens(limit.tokenCounts(output))).toBe(limit.tokens(output));
        },
      ),
      { numRuns: 400 },
    );
  });

  it('and weighs input by its heaviest bucket, and one more for each row that is rounded', () => {
    const weight = (changes: Partial<RequestShape>, output = 0) => bound(changes).weightedTokens(output);
    expect(weight({})).toBe(1000 + 1);
    expect(weight({}, 10)).toBe(1000 + 50 + 1);
    expect(weight({ inputBuckets: ['inputUncached', 'cacheWrite5m'] })).toBe(1250 + 1);
    expect(weight({ inputBuckets: ['inputUncached', 'cacheWrite1h'] })).toBe(2000 + 1);
    // Never below plain input, even if all of it may come from the cache.
    expect(weight({ inputBuckets: ['cacheRead'] })).toBe(1000 + 1);
    expect(weight({ toolUses: 1 })).toBe(2000 + 50_000 + 1 + 1);
    expect(weight({ choices: 2 }, 10)).toBe(1000 + 100 + 1);
  });

  it('covers each tool use by the dearest of the uses that have a price', () => {
    const uses = {
      inputUncached: '1',
      outputVisible: '1',
      webSearchRequests: '5000',
      codeExecutionRequests: '9000',
    };
    const book = bookOf({ rates: RATES }, [
      priceOverride({ provider: 'acme', model: 'm', ratesPicoUsd: uses }),
    ]);
    expect(UNIT_COUNTS).toHaveLength(3);
    const [none, one] = [0, 1].map(
      (toolUses) => bound({ toolUses, outputTokens: 0 }, book).costNanoUsd(0) ?? 0,
    );
    const input = Math.ceil((2 * 1000 + 50_000) / 1000);
    expect((one ?? 0) - (none ?? 0)).toBe(9 + input - 1);
  });
});
