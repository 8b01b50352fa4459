import { describe, expect, it } from 'vitest';
import { OWN_TERMS, type TermsFactor } from './own-terms.ts';
import { compilePriceBook } from './price-book.ts';
import { loadSnapshot } from './price-snapshot.ts';
import { termsFactor } from './service-terms.ts';
import type { ServedTerms } from './usage.ts';

const terms = (changes: Partial<ServedTerms> = {}): ServedTerms => ({
  serviceTier: null,
  speed: null,
  geo: null,
  batch: false,
  ...changes,
});

describe('factors of the terms of service', () => {
  it('is one where nothing special is reported, for any provider', () => {
    for (const provider of ['anthropic', 'openai', 'nobody', '__proto__']) {
      for (const tier of [null, 'standard', 'default', 'auto', 'Default', 'ON_DEMAND']) {
        expect(termsFactor(provider, 'm', terms({ serviceTier: tier }))).toMatchObject({ num: 1, den: 1 });
      }
    }
  });

  it.each<[string, Partial<ServedTerms>]>([
    ['a tier nobody knows', { serviceTier: 'turbo' }],
    ['a tier named like a member of every object', { serviceTier: 'toString' }],
    ['a speed nobody knows', { speed: 'warp' }],
    ['a region nobody knows', { geo: 'moon' }],
    ['a known tier with an unknown region', { serviceTier: 'batch', geo: 'moon' }],
  ])('has none for %s', (_name, changes) => {
    for (const provider of ['anthropic', 'openai', 'google', 'groq', 'nobody', '__proto__']) {
      expect(termsFactor(provider, 'claude-opus-5', terms(changes))).toBeNull();
    }
  });

  it('multiplies tier, speed and region', () => {
    const factor = termsFactor(
      'anthropic',
      'claude-opus-4-6',
      terms({ batch: true, speed: 'fast', geo: 'us' }),
    );
    expect(factor && factor.num / factor.den).toBeCloseTo((6 * 1.1) / 2, 12);
  });

  it('believes the batch flag over the tier', () => {
    expect(termsFactor('openai', 'gpt-5', terms({ batch: true, serviceTier: 'default' }))).toMatchObject({
      den: 2,
    });
  });

  it('names only models that the price book has, by the id of their card', () => {
    const book = compilePriceBook(loadSnapshot(), []);
    for (const [provider, { tiers, speeds, geos }] of Object.entries(OWN_TERMS)) {
      for (const rule of [tiers, speeds, geos].flatMap((rules) => Object.values(rules))) {
        if ('num' in rule) continue;
        for (const model of rule.keys()) expect(book.resolve(provider, model).card?.model).toBe(model);
      }
    }
  });

  it('keeps every listed rate of its models a whole number of pico-dollars', () => {
    const factors = (
      rules: Readonly<Record<string, TermsFactor | ReadonlyMap<string, TermsFactor>>>,
      model: string,
    ) => Object.values(rules).flatMap((rule) => ('num' in rule ? [rule] : (rule.get(model) ?? [])));
    for (const [provider, { tiers, speeds, geos }] of Object.entries(OWN_TERMS)) {
      for (const { id, periods } of loadSnapshot().providers[provider] ?? []) {
        for (const [tier, speed, geo] of combinations(
          factors(tiers, id),
          factors(speeds, id),
          factors(geos, id),
        )) {
          for (const { rates, tiers: raised = [] } of periods) {
            const perToken = [rates, ...raised.map((level) => level.rates)].flatMap((set) =>
              Object.entries(set).filter(([unit]) => unit !== 'webSearch' && unit !== 'request'),
            );
            for (const [unit, pico] of perToken) {
              const rest = (pico * tier.num * speed.num * geo.num) % (tier.den * speed.den * geo.den);
              expect([provider, id, unit, rest]).toEqual([provider, id, unit, 0]);
            }
          }
        }
      }
    }
  });
});

function combinations(...lists: TermsFactor[][]): [TermsFactor, TermsFactor, TermsFactor][] {
  const one: TermsFactor = { num: 1, den: 1, normalContextOnly: false };
  const [tiers = [], speeds = [], geos = []] = lists.map((list) => [one, ...list]);
  return tiers.flatMap((tier) =>
    speeds.flatMap((speed) => geos.map((geo): [TermsFactor, TermsFactor, TermsFactor] => [tier, speed, geo])),
  );
}
