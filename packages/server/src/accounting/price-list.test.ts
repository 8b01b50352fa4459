import { parseUsd } from '@tallygate/contract/money';
import { TOKEN_BUCKETS, type TokenBucket } from '@tallygate/contract/usage';
import { only, pricesBy, tokenCounts } from '@tallygate/testkit/pricing';
import { describe, expect, it } from 'vitest';
import { compilePriceBook } from './price-book.ts';
import { loadSnapshot, PRICE_UNITS } from './price-snapshot.ts';

const book = compilePriceBook(loadSnapshot(), []);
const { price, cost } = pricesBy(book);

/** Dollars for a million tokens as the providers' price pages say them; a bucket that is left out has no price. */
type List = Partial<Record<TokenBucket, string>>;

/** Anthropic: input, write for five minutes, write for an hour, read, output. */
function anthropic(row: string): List {
  const [inputUncached = '', cacheWrite5m = '', cacheWrite1h = '', cacheRead = '', output = ''] =
    row.split(' ');
  return {
    inputUncached,
    inputTool: inputUncached,
    cacheRead,
    cacheWrite5m,
    cacheWriteOther: cacheWrite5m,
    cacheWrite1h,
    outputVisible: output,
    outputReasoning: output,
  };
}

/** OpenAI: input, cached input, output and, on the later models, cache writes. Images are metered as text. */
function openai(row: string): List {
  const [inputUncached = '', cacheRead = '', output = '', write] = row.split(' ');
  const writes = write === undefined ? {} : { cacheWrite5m: write, cacheWriteOther: write };
  return {
    inputUncached,
    inputTool: inputUncached,
    inputImage: inputUncached,
    cacheRead,
    outputVisible: output,
    outputReasoning: output,
    ...writes,
  };
}

/** Google: input for text, images and, where no price of its own is listed, audio; cached input, output. */
function google(row: string): List {
  const [inputUncached = '', cacheRead = '', output = '', audio, cachedAudio] = row.split(' ');
  return {
    ...openai(`${inputUncached} ${cacheRead} ${output}`),
    inputAudio: audio ?? inputUncached,
    cacheReadAudio: cachedAudio ?? cacheRead,
  };
}

function plain(row: string): List {
  const [inputUncached = '', cacheRead = '', output = ''] = row.split(' ');
  const list: List = {
    inputUncached,
    inputTool: inputUncached,
    outputVisible: output,
    outputReasoning: output,
  };
  return cacheRead === '-' ? list : { ...list, cacheRead };
}

const LISTED: [provider: string, model: string, list: List, at?: string][] = [
  ['anthropic', 'claude-sonnet-4-5', anthropic('3 3.75 6 0.3 15')],
  ['anthropic', 'claude-sonnet-4-6', anthropic('3 3.75 6 0.3 15')],
  ['anthropic', 'claude-sonnet-5', anthropic('2 2.5 4 0.2 10')],
  ['anthropic', 'claude-haiku-4-5', anthropic('1 1.25 2 0.1 5')],
  ['anthropic', 'claude-3-5-haiku', anthropic('0.8 1 1.6 0.08 4')],
  ['anthropic', 'claude-opus-4-1', anthropic('15 18.75 30 1.5 75')],
  ['anthropic', 'claude-opus-4-5', anthropic('5 6.25 10 0.5 25')],
  ['anthropic', 'claude-opus-4-6', anthropic('5 6.25 10 0.5 25')],
  ['anthropic', 'claude-opus-4-7', anthropic('5 6.25 10 0.5 25')],
  ['anthropic', 'claude-opus-4-8', anthropic('5 6.25 10 0.5 25')],
  ['anthropic', 'claude-opus-5', anthropic('5 6.25 10 0.5 25')],
  ['anthropic', 'claude-opus-5-5', anthropic('4 5 8 0.2 20')],
  ['anthropic', 'claude-fable-5-1', anthropic('10 12.5 20 0.25 50')],
  ['openai', 'gpt-4o', openai('2.5 1.25 10')],
  ['openai', 'gpt-4o-mini', openai('0.15 0.075 0.6')],
  ['openai', 'gpt-4.1', openai('2 0.5 8')],
  ['openai', 'gpt-4.1-mini', openai('0.4 0.1 1.6')],
  ['openai', 'gpt-4.1-nano', openai('0.1 0.025 0.4')],
  ['openai', 'o3', openai('2 0.5 8')],
  ['openai', 'o3', openai('10 0.5 40'), '2025-06-09T23:59:59.999Z'],
  ['openai', 'o4-mini', openai('1.1 0.275 4.4')],
  ['openai', 'gpt-5', openai('1.25 0.125 10')],
  ['openai', 'gpt-5-mini', openai('0.25 0.025 2')],
  ['openai', 'gpt-5.4', openai('2.5 0.25 15')],
  ['openai', 'gpt-5.5', openai('5 0.5 30')],
  ['openai', 'gpt-5.6-sol', openai('4 0.4 20 5')],
  ['openai', 'gpt-5.6-sol', openai('5 0.5 30 6.25'), '2026-08-20T23:59:59.999Z'],
  ['openai', 'gpt-6-sol', openai('2 0.2 10 2.5')],
  ['openai', 'gpt-6-luna', openai('0.1 0.01 0.5 0.125')],
  ['openai', 'gpt-6-astra', openai('10 1 50 12.5')],
  ['google', 'gemini-2.5-pro', google('1.25 0.125 10')],
  ['google', 'gemini-2.5-flash', google('0.3 0.03 2.5 1 0.1')],
  ['google', 'gemini-3.8-flash', google('0.75 0.075 3.75')],
  ['google', 'gemini-3.8-flash', google('1.5 0.15 7.5'), '2027-01-01T00:00:00Z'],
  ['deepseek', 'deepseek-v4-pro', plain('0.435 0.003625 0.87'), '2026-08-16T12:00:00Z'],
  ['deepseek', 'deepseek-v4-pro', plain('0.66 0.022 1.98'), '2026-09-01T12:00:00Z'],
  ['deepseek', 'deepseek-v4-pro', plain('1.32 0.044 3.96'), '2026-09-01T09:59:59.999Z'],
  ['deepseek', 'deepseek-v4-flash', plain('0.14 0.0028 0.28'), '2026-08-16T12:00:00Z'],
  ['deepseek', 'deepseek-v4-flash', plain('0.22 0.007 0.66'), '2026-09-01T05:59:59.999Z'],
  ['deepseek', 'deepseek-v4-flash', plain('0.44 0.014 1.32'), '2026-09-01T06:00:00Z'],
  ['mistral', 'mistral-large-latest', plain('2 - 6')],
];

describe('the list prices (TW-10)', () => {
  it.each(LISTED)('%s %s', (provider, model, list, at) => {
    const when = at === undefined ? {} : { at };
    // Below every context border, and a tenth of a million so that each amount is a whole nano-dollar.
    const amounts = TOKEN_BUCKETS.map((bucket) => {
      const nano = cost({ provider, model, tokens: only(bucket, 100_000), ...when });
      return [bucket, nano === null ? undefined : nano * 10n];
    });
    const expected = TOKEN_BUCKETS.map((bucket) => {
      const usd = list[bucket];
      return [bucket, usd === undefined ? undefined : parseUsd(usd)];
    });
    expect(amounts).toEqual(expected);
  });

  it.each([
    ['anthropic', 'claude-sonnet-4-5', 200_000, anthropic('6 7.5 12 0.6 22.5')],
    ['anthropic', 'claude-sonnet-4-6', 200_000, anthropic('6 7.5 12 0.6 22.5'), '2026-03-12T12:00:00Z'],
    ['anthropic', 'claude-opus-4-6', 200_000, anthropic('10 12.5 20 1 37.5'), '2026-03-12T12:00:00Z'],
    ['openai', 'gpt-5.4', 272_000, openai('5 0.5 22.5')],
    ['openai', 'gpt-5.5', 272_000, openai('10 1 45')],
    ['openai', 'gpt-5.6-sol', 272_000, openai('8 0.8 30 10')],
    ['openai', 'gpt-6-sol', 272_000, openai('4 0.4 15 5')],
    ['openai', 'gpt-6-luna', 272_000, openai('0.2 0.02 0.75 0.25')],
    ['openai', 'gpt-6-astra', 272_000, openai('20 2 75 25')],
    ['google', 'gemini-2.5-pro', 200_000, google('2.5 0.25 15')],
  ] as [string, string, number, List, string?][])(
    '%s %s above %i tokens: every bucket of the whole request is dearer',
    (...row) => {
      const [provider, model, border, list, at] = row;
      const when = at === undefined ? {} : { at };
      const inputRate = parseUsd(list.inputUncached ?? '');
      for (const bucket of TOKEN_BUCKETS) {
        const usd = list[bucket];
        if (usd === undefined) continue;
        const counts = tokenCounts({ inputUncached: border + 1 });
        counts[bucket] = (counts[bucket] ?? 0) + 1_000_000;
        const nano = cost({ provider, model, tokens: counts, ...when });
        // In pico-dollars, so that the one rounding at the end is the same on both sides.
        const pico = BigInt(border + 1) * inputRate + 1_000_000n * parseUsd(usd);
        expect([bucket, nano]).toEqual([bucket, pico / 1_000_000n]);
      }
    },
  );
});

describe('golden vectors of whole requests (TW-10)', () => {
  it('Anthropic mixed lifetimes, Sonnet 4.5: 0.059300; 0.052550 without the hour, 0.039300 without the searches', () => {
    const tokens = { inputUncached: 100, cacheRead: 20_000, outputVisible: 500 };
    const model = 'claude-sonnet-4-5';
    const units = { webSearchRequests: 2 };
    expect(cost({ model, tokens: { ...tokens, cacheWrite5m: 2000, cacheWrite1h: 3000 }, units })).toBe(
      59_300_000n,
    );
    expect(cost({ model, tokens: { ...tokens, cacheWrite5m: 5000 }, units })).toBe(52_550_000n);
    expect(cost({ model, tokens: { ...tokens, cacheWrite5m: 2000, cacheWrite1h: 3000 } })).toBe(39_300_000n);
  });

  it('Anthropic border, Sonnet 4.5: 200,000 → 0.6, 200,001 → 1.200006, mostly from the cache → 0.22506', () => {
    const at = (tokens: List, counts: Record<string, number>) =>
      cost({ model: 'claude-sonnet-4-5', tokens: { ...tokens, ...counts } as never });
    expect(at({}, { inputUncached: 200_000 })).toBe(600_000_000n);
    expect(at({}, { inputUncached: 200_001 })).toBe(1_200_006_000n);
    expect(at({}, { inputUncached: 10, cacheRead: 300_000, outputVisible: 2000 })).toBe(225_060_000n);
  });

  it('price date, Opus 4.6: 300,000 in cost 3.00 on 1 March and 1.50 on 1 April 2026', () => {
    const on = (at: string) => cost({ model: 'claude-opus-4-6', tokens: { inputUncached: 300_000 }, at });
    expect(on('2026-03-01T00:00:00Z')).toBe(3_000_000_000n);
    expect(on('2026-04-01T00:00:00Z')).toBe(1_500_000_000n);
  });

  it('a batch of Sonnet 4.5 is half, and its searches are not', () => {
    const tokens = { inputUncached: 1_000, outputVisible: 1_000 };
    const terms = { batch: true, serviceTier: 'batch' };
    expect(cost({ model: 'claude-sonnet-4-5', tokens, terms })).toBe(9_000_000n);
    expect(cost({ model: 'claude-sonnet-4-5', tokens, terms, units: { webSearchRequests: 1 } })).toBe(
      19_000_000n,
    );
  });
});

describe('the vendored data as a whole', () => {
  const snapshot = loadSnapshot();
  const every = Object.entries(snapshot.providers).flatMap(([provider, models]) =>
    models.map((model) => ({ provider, model })),
  );

  it('has only whole, non-negative rates of units it knows, and borders and dates that are ones', () => {
    const known = new Set<string>(PRICE_UNITS);
    for (const { provider, model } of every) {
      for (const period of model.periods) {
        for (const rates of [period.rates, ...(period.tiers ?? []).map((tier) => tier.rates)]) {
          for (const [unit, pico] of Object.entries(rates)) {
            const name = `${provider}/${model.id} ${unit}`;
            expect(known.has(unit), name).toBe(true);
            expect(Number.isSafeInteger(pico) && pico >= 0, name).toBe(true);
          }
        }
        for (const tier of period.tiers ?? []) expect(tier.over).toBeGreaterThan(0);
      }
    }
    expect(every.length).toBeGreaterThan(1500);
  });

  it('names no model twice within a provider, and every name in lower case', () => {
    for (const [provider, models] of Object.entries(snapshot.providers)) {
      const names = models.flatMap((model) => [model.id, ...model.also]);
      expect(new Set(names).size, provider).toBe(names.length);
    }
    for (const { model } of every) for (const name of model.also) expect(name).toBe(name.toLowerCase());
  });

  it('prices a token in and a token out of every model that is not free, or says unpriced; never a wrong zero', () => {
    let priced = 0;
    for (const { provider, model } of every) {
      const result = price({ provider, model: model.id, tokens: { inputUncached: 1_000_000 } });
      if (result.priceStatus === 'priced') priced += 1;
      if (result.costNanoUsd !== null)
        expect(result.priceCard).toBe(`${provider}/${model.id}@${book.version}`);
      else expect([result.priceCard, result.lines]).toEqual([null, []]);
    }
    expect(priced).toBeGreaterThan(1300);
  });
});
