import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type JsonBounds, JsonSurvey } from './json-survey.ts';

const NO_BOUNDS: JsonBounds = { maxValues: Number.POSITIVE_INFINITY, maxNames: Number.POSITIVE_INFINITY };

/** Looks a text over in steps; the last outcome, and how many steps it took. */
function surveyed(
  text: string,
  bounds: Partial<JsonBounds>,
  work = 1_000_000,
): [within: boolean, steps: number] {
  const survey = new JsonSurvey(Buffer.from(text), { ...NO_BOUNDS, ...bounds });
  for (let steps = 1; ; steps += 1) {
    const within = survey.step(work);
    if (within !== null) return [within, steps];
  }
}
const within = (text: string, bounds: Partial<JsonBounds>, work?: number): boolean =>
  surveyed(text, bounds, work)[0];

/** Values that a parser makes, counted by one. */
function valuesIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce<number>((sum, inner) => sum + valuesIn(inner), 1);
}
function namesIn(value: unknown, names = new Set<string>()): Set<string> {
  if (typeof value !== 'object' || value === null) return names;
  if (!Array.isArray(value)) for (const name of Object.keys(value)) names.add(name);
  for (const inner of Object.values(value)) namesIn(inner, names);
  return names;
}

describe('JsonSurvey', () => {
  it('never counts fewer values or names than a parser makes, however small the steps', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 5 }),
        fc.constantFrom('', ' ', '\t'),
        fc.integer({ min: 1, max: 200 }),
        (value, gap, work) => {
          const text = JSON.stringify(value, null, gap);
          const [values, names] = [valuesIn(value), namesIn(value).size];
          expect(within(text, { maxNames: names }, work)).toBe(true);
          if (names > 0) expect(within(text, { maxNames: names - 1 }, work)).toBe(false);
          // A value alone, and containers that hold nothing, are where it may be off by what it counts for them.
          expect(within(text, { maxValues: 2 * values + 1 }, work)).toBe(true);
          if (values > 1) expect(within(text, { maxValues: values - 2 }, work)).toBe(false);
        },
      ),
    );
  });

  it('counts no commas, brackets or colons that stand in strings', () => {
    const text = JSON.stringify({ a: '[{,:"}]\\\\"'.repeat(1_000), b: '\\' });
    expect(within(text, { maxValues: 3, maxNames: 2 })).toBe(true);
  });

  it.each([
    ['empty objects', `[${'{},'.repeat(50_000)}0]`, { maxValues: 100_000 }],
    ['nesting', '['.repeat(60_000), { maxValues: 100_000 }],
    ['names', `{${Array.from({ length: 2_000 }, (_, i) => `"k${i}" : 1`).join(',')}}`, { maxNames: 1_999 }],
  ])('refuses too many %s', (_what, text, bounds) => {
    expect(within(text, bounds)).toBe(false);
  });

  it('takes many steps for much work: bytes between strings, and strings', () => {
    expect(surveyed('[1,2,3]'.repeat(10_000), {}, 1_000)[1]).toBeGreaterThanOrEqual(70);
    expect(surveyed('"",'.repeat(10_000), {}, 1_000)[1]).toBeGreaterThan(300);
    expect(surveyed(`"${'\\"'.repeat(10_000)}"`, {}, 1_000)[1]).toBeGreaterThan(300);
    expect(surveyed(`"${'x'.repeat(160_000)}"`, {}, 100_000)[1]).toBe(1);
  });
});
