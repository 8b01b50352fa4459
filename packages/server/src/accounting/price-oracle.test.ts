import { TOKEN_BUCKETS, type TokenBucket, type TokenCounts } from '@tallygate/contract/usage';
import { pricesBy, tokenCounts } from '@tallygate/testkit/pricing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePriceBook } from './price-book.ts';
import type { PriceOverride } from './price-override.ts';
import { loadSnapshot, type PriceSnapshot, type SnapshotPeriod, type UnitRates } from './price-snapshot.ts';

/**
 * A second, slow and plain way to the price of a call, in BigInt throughout, held against the compiled book under
 * made-up cards: every border, date, hour, alias and override that fast-check comes up with.
 */
const DAY_MS = 86_400_000;
const FIRST_DAY = Date.UTC(2026, 0, 1);
const INPUT = new Set<TokenBucket>([
  'inputUncached',
  'cacheRead',
  'cacheWrite5m',
  'cacheWrite1h',
  'cacheWriteOther',
  'inputAudio',
  'cacheReadAudio',
  'inputImage',
  'inputTool',
]);
const UNIT_OF = {
  inputUncached: 'input',
  cacheRead: 'cacheRead',
  cacheWrite5m: 'cacheWrite',
  cacheWrite1h: 'cacheWrite1h',
  cacheWriteOther: 'cacheWrite',
  inputAudio: 'inputAudio',
  cacheReadAudio: 'cacheReadAudio',
  inputImage: 'inputImage',
  inputTool: 'input',
  outputVisible: 'output',
  outputReasoning: 'outputReasoning',
  outputAudio: 'outputAudio',
  outputImage: 'outputImage',
} as const;

interface MadeModel {
  id: string;
  also: string[];
  periods: SnapshotPeriod[];
}
interface Call {
  model: string;
  tokens: TokenCounts;
  webSearchRequests: number | null;
  atMs: number;
}

const iso = (ms: number) => new Date(ms).toISOString();
const clock = (second: number) => `${iso(second * 1000).slice(11, 19)}Z`;

/** The last period that covers the instant; hours over midnight belong to both days. */
function periodFor(model: MadeModel, atMs: number): SnapshotPeriod | undefined {
  return model.periods.findLast(({ from, to, daily }) => {
    if (from !== undefined && iso(atMs) < iso(Date.parse(from))) return false;
    if (to !== undefined && iso(atMs) >= iso(Date.parse(to))) return false;
    if (daily === undefined) return true;
    const time = iso(atMs).slice(11, 23);
    const [start, end] = daily.map((edge) => edge.replace('Z', '.000'));
    if (start === undefined || end === undefined) return false;
    return start <= end ? time >= start && time < end : time >= start || time < end;
  });
}

function half(pico: bigint): bigint {
  const down = pico / 1000n;
  const rest = pico - down * 1000n;
  if (rest < 500n || (rest === 500n && down % 2n === 0n)) return down;
  return down + 1n;
}

function billOf(rates: UnitRates, call: Call): bigint | null {
  let pico = 0n;
  for (const bucket of TOKEN_BUCKETS) {
    const count = call.tokens[bucket] ?? 0;
    if (count === 0) continue;
    const unit = UNIT_OF[bucket];
    const rate = rates[unit] ?? (unit === 'outputReasoning' ? rates.output : undefined);
    if (rate === undefined) return null;
    pico += BigInt(count) * BigInt(rate);
  }
  if ((call.webSearchRequests ?? 0) > 0) {
    if (rates.webSearch === undefined) return null;
    pico += BigInt(call.webSearchRequests ?? 0) * BigInt(rates.webSearch);
  }
  return half(pico + BigInt(rates.request ?? 0));
}

function expectedCost(models: readonly MadeModel[], overrides: readonly PriceOverride[], call: Call) {
  const known = TOKEN_BUCKETS.some((bucket) => call.tokens[bucket] !== null);
  if (!known && call.webSearchRequests === null) return null;
  const own = overrides
    .filter(({ model }) => model.toLowerCase() === call.model.toLowerCase())
    .filter(({ validFromMs }) => call.atMs >= (validFromMs ?? call.atMs))
    .filter(({ validToMs }) => validToMs === null || call.atMs < validToMs)
    .sort((a, b) => b.createdAtMs - a.createdAtMs)[0];
  if (own) return ownCost(own, call);
  const model = models.find(({ id, also }) => [id, ...also].includes(call.model.toLowerCase()));
  const period = model && periodFor(model, call.atMs);
  if (!period) return null;
  let total = 0;
  for (const bucket of TOKEN_BUCKETS) if (INPUT.has(bucket)) total += call.tokens[bucket] ?? 0;
  const raised = [...(period.tiers ?? [])].sort((a, b) => a.over - b.over).filter(({ over }) => total > over);
  return billOf(Object.assign({}, period.rates, ...raised.map((tier) => tier.rates)), call);
}

function ownCost(own: PriceOverride, call: Call): bigint | null {
  const rates = new Map(Object.entries(own.ratesPicoUsd));
  if ([...rates.values()].every((rate) => BigInt(rate) === 0n)) return 0n;
  let pico = 0n;
  for (const bucket of TOKEN_BUCKETS) {
    const count = call.tokens[bucket] ?? 0;
    if (count === 0) continue;
    const instead = { outputReasoning: 'outputVisible', inputTool: 'inputUncached' }[bucket as string];
    const rate = rates.get(bucket) ?? rates.get(instead ?? '');
    if (rate === undefined) return null;
    pico += BigInt(count) * BigInt(rate);
  }
  const searches = call.webSearchRequests ?? 0;
  const rate = rates.get('webSearchRequests');
  if (searches > 0 && rate === undefined) return null;
  return half(pico + BigInt(searches) * BigInt(rate ?? 0));
}

const rate = fc.oneof(fc.constantFrom(1, 3, 500, 1500), fc.integer({ min: 1, max: 100_000_000 }));
const rates: fc.Arbitrary<UnitRates> = fc.record(
  {
    input: rate,
    cacheRead: rate,
    cacheWrite: rate,
    cacheWrite1h: rate,
    inputAudio: rate,
    cacheReadAudio: rate,
    inputImage: rate,
    output: rate,
    outputReasoning: rate,
    outputAudio: rate,
    outputImage: rate,
    webSearch: rate,
    request: rate,
  },
  { requiredKeys: ['input', 'output'] },
);
const BORDERS = [10, 100, 5000];
const day = fc.integer({ min: 0, max: 3 });
const second = fc.integer({ min: 0, max: 86_399 });
const optional = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined });
const period: fc.Arbitrary<SnapshotPeriod> = fc
  .record({
    from: optional(day.map((n) => iso(FIRST_DAY + n * DAY_MS))),
    to: optional(day.map((n) => iso(FIRST_DAY + (n + 1) * DAY_MS))),
    daily: optional(
      fc
        .tuple(second, second)
        .filter(([a, b]) => a !== b)
        .map(([a, b]) => [clock(a), clock(b)] as const),
    ),
    rates,
    tiers: optional(
      fc.uniqueArray(fc.record({ over: fc.constantFrom(...BORDERS), rates }), {
        maxLength: 3,
        selector: (tier) => tier.over,
      }),
    ),
  })
  .map((made) => JSON.parse(JSON.stringify(made)) as SnapshotPeriod);
const models = fc
  .tuple(
    ...['one', 'two', 'three'].map((id) =>
      fc
        .array(period, { minLength: 1, maxLength: 4 })
        .map((periods) => ({ id, also: [`${id}-alias`], periods })),
    ),
  )
  .map((made) => made as MadeModel[]);
const instant = fc.oneof(
  fc.integer({ min: 0, max: 5 }).map((n) => FIRST_DAY + n * DAY_MS),
  fc.integer({ min: FIRST_DAY - DAY_MS, max: FIRST_DAY + 5 * DAY_MS }),
);
const count = fc.option(fc.constantFrom(0, 1, 3, 10, 11, 50, 99, 100, 4999, 5001, 2_000_000), {
  nil: null,
  freq: 2,
});
const call: fc.Arbitrary<Call> = fc.record({
  model: fc.constantFrom('one', 'ONE', 'two', 'two-alias', 'three', 'three-ALIAS', 'four'),
  tokens: fc
    .record(
      Object.fromEntries(
        TOKEN_BUCKETS.map((bucket) => [
          bucket,
          bucket.includes('Audio') || bucket.includes('Image')
            ? fc.option(count, { nil: null, freq: 1 })
            : count,
        ]),
      ),
    )
    .map((counts) => tokenCounts(counts)),
  webSearchRequests: fc.constantFrom(null, null, 0, 1, 7),
  atMs: instant,
});
const override: fc.Arbitrary<PriceOverride> = fc.record({
  id: fc.uuid(),
  provider: fc.constant('made'),
  model: fc.constantFrom('one', 'Two', 'four', 'three-alias'),
  validFromMs: fc.option(instant, { nil: null }),
  validToMs: fc.option(instant, { nil: null }),
  ratesPicoUsd: fc
    .record(
      { inputUncached: rate, outputVisible: rate, cacheRead: rate, webSearchRequests: rate },
      { requiredKeys: ['inputUncached'] },
    )
    .map((made) => Object.fromEntries(Object.entries(made).map(([unit, pico]) => [unit, String(pico)]))),
  createdAtMs: fc.nat(),
});

const bookOf = (made: MadeModel[], overrides: PriceOverride[]) =>
  compilePriceBook({ ...loadSnapshotHead(), providers: { made } }, overrides);
const head = loadSnapshot();
function loadSnapshotHead(): PriceSnapshot {
  return { ...head, providers: {} };
}

describe('a compiled book', () => {
  it('prices as the plain sum does, whatever the cards, dates, borders and overrides (X-03, TW-10)', () => {
    let priced = 0;
    fc.assert(
      fc.property(
        models,
        fc.uniqueArray(override, { maxLength: 4, selector: (one) => one.createdAtMs }),
        fc.array(call, { minLength: 1, maxLength: 12 }),
        (made, overrides, calls) => {
          const { price } = pricesBy(bookOf(made, overrides));
          for (const one of calls) {
            const result = price({
              provider: 'made',
              model: one.model,
              tokens: one.tokens,
              units: { webSearchRequests: one.webSearchRequests },
              at: iso(one.atMs),
            });
            const expected = expectedCost(made, overrides, one);
            if (expected !== null && expected > 0n) priced += 1;
            expect(result.costNanoUsd).toBe(expected);
            if (result.priceStatus !== 'priced') continue;
            expect(half(result.lines.reduce((sum, line) => sum + line.amountPicoUsd, 0n))).toBe(expected);
            for (const line of result.lines) {
              expect(line.amountPicoUsd).toBe(BigInt(line.quantity) * line.ratePicoUsd);
              expect(line.quantity).toBeGreaterThan(0);
            }
          }
        },
      ),
      { numRuns: 300 },
    );
    expect(priced).toBeGreaterThan(300);
  });

  it('answers alike whatever it was asked before: nothing that it remembers changes a price', () => {
    fc.assert(
      fc.property(models, fc.array(call, { minLength: 2, maxLength: 10 }), (made, calls) => {
        const shared = pricesBy(bookOf(made, []));
        const ask = ({ model, tokens, atMs }: Call) => ({
          provider: 'made',
          model,
          tokens,
          at: iso(atMs),
        });
        for (const one of [...calls, ...calls.toReversed()]) {
          expect(shared.price(ask(one))).toEqual(pricesBy(bookOf(made, [])).price(ask(one)));
        }
      }),
    );
  });

  it('is never cheaper for more of the same within one context tier', () => {
    fc.assert(
      fc.property(models, call, fc.constantFrom(...TOKEN_BUCKETS), (made, one, bucket) => {
        const flat = made.map((model) => ({
          ...model,
          periods: model.periods.map(({ tiers: _tiers, ...rest }) => rest),
        }));
        const { cost } = pricesBy(bookOf(flat, []));
        const at = (tokens: TokenCounts) =>
          cost({ provider: 'made', model: one.model, tokens, at: iso(one.atMs) });
        const more = { ...one.tokens, [bucket]: (one.tokens[bucket] ?? 0) + 1000 };
        const [before, after] = [at(one.tokens), at(more)];
        if (before !== null && after !== null) expect(after).toBeGreaterThanOrEqual(before);
      }),
    );
  });
});
