import { createHash } from 'node:crypto';
import { pricesBy } from '@tallygate/testkit/pricing';
import { describe, expect, it } from 'vitest';
import { SNAPSHOT_SHA256, SNAPSHOT_TEXT } from './generated/price-snapshot.ts';
import { compilePriceBook } from './price-book.ts';
import { compilePeriod, levelFor, periodAt } from './price-card.ts';
import { loadSnapshot, PRICE_UNITS, type SnapshotPeriod } from './price-snapshot.ts';

const snapshot = loadSnapshot();
const periods = Object.entries(snapshot.providers).flatMap(([provider, models]) =>
  models.flatMap((model) => model.periods.map((period) => ({ provider, id: model.id, period }))),
);

describe('the vendored prices', () => {
  it('are the ones that were compiled: not a byte was changed by hand', () => {
    expect(createHash('sha256').update(SNAPSHOT_TEXT).digest('hex')).toBe(SNAPSHOT_SHA256);
    expect(snapshot.format).toBe(1);
    expect(snapshot.source).toMatchObject({ package: '@pydantic/genai-prices', license: 'MIT' });
    expect(snapshot.source.dataSha256).toMatch(/^[0-9a-f]{64}$/);
    expect(Date.parse(snapshot.capturedOn)).toBeGreaterThan(Date.UTC(2026, 0, 1));
  });

  it('are parsed anew for each who asks: nobody’s change reaches another', () => {
    const mine = loadSnapshot();
    const before = JSON.stringify(loadSnapshot().providers.openai?.[0]);
    const first = mine.providers.openai?.[0] as { id: string };
    first.id = 'changed';
    expect(JSON.stringify(loadSnapshot().providers.openai?.[0])).toBe(before);
  });

  it('leave out what they say they leave out, and list what they say was rounded', () => {
    for (const name of snapshot.left) {
      const [provider = '', ...rest] = name.split('/');
      const ids = (snapshot.providers[provider] ?? []).map(({ id }) => id);
      expect(ids).not.toContain(rest.join('/').toLowerCase());
    }
    expect(snapshot.rounded.length).toBeGreaterThan(0);
    for (const entry of snapshot.rounded) {
      const [name = '', unit = ''] = entry.split(' ');
      const [provider = '', ...rest] = name.split('/');
      const model = snapshot.providers[provider]?.find(({ id }) => id === rest.join('/').toLowerCase());
      expect(PRICE_UNITS).toContain(unit);
      const rates = model?.periods.map((period) => period.rates[unit as (typeof PRICE_UNITS)[number]]) ?? [];
      expect(
        rates.some((rate) => rate !== undefined),
        entry,
      ).toBe(true);
    }
  });

  it('have periods that begin before they end, and hours that differ', () => {
    for (const { id, period } of periods) {
      const { fromMs, toMs, daily } = compilePeriod('p', period);
      expect(fromMs, id).toBeLessThan(toMs);
      if (daily !== null) expect(daily.fromMs, id).not.toBe(daily.toMs);
    }
  });

  it('are never cheaper for a read from the cache than nothing, nor dearer than reading it afresh', () => {
    const odd: string[] = [];
    for (const { provider, id, period } of periods) {
      const { input, cacheRead } = period.rates;
      if (input === undefined || cacheRead === undefined) continue;
      expect(cacheRead).toBeGreaterThanOrEqual(0);
      if (cacheRead > input) odd.push(`${provider}/${id}`);
    }
    expect(odd).toEqual([]);
  });

  it('have long-context tiers that are no cheaper than the normal one, at the providers whose bills are known', () => {
    const raised = (period: SnapshotPeriod) =>
      (period.tiers ?? []).map((tier) => ({ ...period.rates, ...tier.rates }));
    for (const { provider, id, period } of periods) {
      if (!['anthropic', 'openai', 'google', 'x-ai'].includes(provider)) continue;
      for (const rates of raised(period)) {
        for (const unit of ['input', 'output'] as const)
          expect(rates[unit] ?? 0, `${provider}/${id} ${unit}`).toBeGreaterThanOrEqual(
            period.rates[unit] ?? 0,
          );
      }
    }
  });

  it('give every model a price at every instant of a year, or none at that instant: never two answers', () => {
    const book = compilePriceBook(snapshot, []);
    const { price } = pricesBy(book);
    for (const [provider, models] of Object.entries({
      deepseek: snapshot.providers.deepseek ?? [],
      openai: (snapshot.providers.openai ?? []).slice(0, 20),
    })) {
      for (const { id } of models) {
        const { card } = book.resolve(provider, id);
        for (let hour = 0; hour < 24 * 365; hour += 61) {
          const atMs = Date.UTC(2026, 0, 1) + hour * 3_600_000;
          const period = card && periodAt(card, atMs);
          const rate = period
            ? (levelFor(period, 1000)?.rates({ num: 1, den: 1, normalContextOnly: false }).buckets[0] ?? null)
            : null;
          const { costNanoUsd, priceStatus } = price({
            provider,
            model: id,
            tokens: { inputUncached: 1000 },
            at: new Date(atMs).toISOString(),
          });
          if (rate === null) expect([id, costNanoUsd]).toEqual([id, null]);
          else if (priceStatus === 'priced') expect(costNanoUsd).toBe(BigInt(rate.pico));
        }
      }
    }
  });
});
