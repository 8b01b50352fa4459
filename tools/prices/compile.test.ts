import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  SNAPSHOT_SHA256,
  SNAPSHOT_TEXT,
} from '../../packages/server/src/accounting/generated/price-snapshot.ts';
import { loadSnapshot } from '../../packages/server/src/accounting/price-snapshot.ts';
import { compileSnapshot, picoUsd, SNAPSHOT_FILE } from './compile.mjs';

describe('price snapshot (X-03)', () => {
  it('is what the installed package compiles to', () => {
    // Not `toBe`: a difference of 200 kB is not worth printing. Run `node tools/prices/compile.mjs` and read the diff.
    expect(readFileSync(SNAPSHOT_FILE, 'utf8') === compileSnapshot()).toBe(true);
  });

  it('carries its own hash, its source and the date it was taken', () => {
    expect(createHash('sha256').update(SNAPSHOT_TEXT).digest('hex')).toBe(SNAPSHOT_SHA256);
    const { source, capturedOn } = loadSnapshot();
    expect(source).toMatchObject({ package: '@pydantic/genai-prices', license: 'MIT' });
    expect(source.integrity).toMatch(/^sha512-/);
    expect(capturedOn).toMatch(/^\d{4}-\d{2}-\d{2}$/);
  });

  it('has whole, non-negative rates only', () => {
    for (const models of Object.values(loadSnapshot().providers)) {
      for (const { periods } of models) {
        for (const { rates, tiers = [] } of periods) {
          for (const rate of [rates, ...tiers.map((tier) => tier.rates)].flatMap((set) =>
            Object.values(set),
          )) {
            expect(Number.isSafeInteger(rate) && rate >= 0).toBe(true);
          }
        }
      }
    }
  });

  it('names each model of a provider once', () => {
    for (const models of Object.values(loadSnapshot().providers)) {
      const names = models.flatMap((model) => [model.id, ...model.also]);
      expect(new Set(names).size).toBe(names.length);
    }
  });
});

describe('decimal text to pico-dollars', () => {
  it.each([
    [3, 6, 3_000_000],
    [0.0028, 6, 2800],
    [0.003625, 6, 3625],
    [1e-6, 6, 1],
    [10, 9, 10_000_000_000],
    [0.1, 6, 100_000],
    [0.3, 6, 300_000],
    [1.1, 6, 1_100_000],
    [0, 6, 0],
    [4.35, 6, 4_350_000],
  ])('$%d per 10^%d units is %d per unit', (price, shift, pico) => {
    const rounded: boolean[] = [];
    expect(picoUsd(price, shift, () => rounded.push(true))).toBe(pico);
    expect(rounded).toEqual([]);
  });

  it.each([
    [0.0000005, 0],
    [0.0000015, 2],
    [0.0000025, 2],
    [0.00000251, 3],
    [0.08333333333333334, 83_333],
  ])('rounds $%d half to even, and says so', (price, pico) => {
    const rounded: boolean[] = [];
    expect(picoUsd(price, 6, () => rounded.push(true))).toBe(pico);
    expect(rounded).toEqual([true]);
  });
});
