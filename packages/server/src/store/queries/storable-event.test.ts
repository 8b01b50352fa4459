import { sampleSettled } from '@tallygate/testkit/sample-event';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { UsageEvent } from '../../accounting/usage-event.ts';
import { storable } from './storable-event.ts';

/** A row as the gate makes it. The sample's times have fractions. */
const fine = (): UsageEvent => ({ ...sampleSettled('a'), latencyMs: 900, ttftMs: 102 });

const hostileText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.constantFrom('', '\u0000', 'a\u001fb', '\ud800', 'line\nbreak', 'x'.repeat(9_000)),
);
const hostileNumber = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60, -1, 0.5),
);
/** Words of the gate's own, and what the type keeps from being anything else. */
const OWN: readonly string[] = ['status', 'priceStatus', 'settleStatus'];
const names = (Object.keys(fine()) as (keyof UsageEvent)[]).filter((name) => !OWN.includes(name));

/** A row in which a few texts and numbers are replaced by what should never be there. */
const hostileEvent = fc
  .tuple(fc.uniqueArray(fc.constantFrom(...names), { maxLength: 4 }), hostileText, hostileNumber)
  .map(([broken, text, number]) => {
    const event = { ...fine(), sessionId: 's', rawUsage: '{"a":\n1}' } as Record<string, unknown>;
    for (const name of broken) {
      const value = event[name];
      if (typeof value === 'string') event[name] = text;
      else if (typeof value === 'number') event[name] = number;
      else if (name === 'tags') event[name] = [text, text, 'team:a'];
      else if (name === 'attempts')
        event[name] = fine().attempts.map((a) => ({ ...a, index: number, outcome: text }));
      else if (name === 'tokens') event[name] = { ...fine().tokens, cacheRead: number };
    }
    return event as UsageEvent & Record<string, unknown>;
  });

/** No text outside raw JSON that an engine refuses or that could pass for two dimensions; no number but whole ones. */
function faultOf(value: unknown, path = ''): string | null {
  if (typeof value === 'string') {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not be there
    const bad = path === '.rawUsage' ? /\u0000/ : /[\u0000-\u001f\u007f]/;
    return bad.test(value) || !value.isWellFormed() || value.length > 262_144 ? path : null;
  }
  if (typeof value === 'number') return Number.isSafeInteger(value) ? null : path;
  if (typeof value !== 'object' || value === null) return null;
  for (const [name, part] of Object.entries(value)) {
    const fault = faultOf(part, `${path}.${name}`);
    if (fault !== null) return fault;
  }
  return null;
}

describe('storable', () => {
  it('returns a row that is as it should be itself', () => {
    const event = fine();
    expect(storable(event)).toBe(event);
  });

  it('makes of any row one that every engine takes, and leaves that one alone', () => {
    fc.assert(
      fc.property(hostileEvent, (event) => {
        const row = storable(event);
        expect(faultOf(row)).toBeNull();
        if (row.tags.length === 0) expect(storable(row)).toBe(row);
        else expect(storable(row)).toEqual(row);
      }),
      { numRuns: 500 },
    );
  });

  it('changes nothing but what had to be changed', () => {
    const event = { ...fine(), modelServed: 'a\u0000b', latencyMs: 1.5 };
    expect(storable(event)).toEqual({ ...event, modelServed: 'a\ufffdb', latencyMs: 2 });
  });

  it.each([
    ['id', 64],
    ['modelRequested', 200],
    ['apiFlavor', 60],
    ['priceCard', 300],
    ['ruleChanges', 8_192],
    ['upstreamRequestId', 200],
  ] as const)('cuts %s at %i characters and takes one of that length as it is', (name, limit) => {
    const fits = { ...fine(), [name]: 'x'.repeat(limit) };
    expect(storable(fits)).toBe(fits);
    expect(storable({ ...fits, [name]: 'x'.repeat(limit + 1) })[name]).toBe('x'.repeat(limit));
  });

  it('keeps the first of two attempts with one index, and no more than a hundred', () => {
    const [attempt] = fine().attempts;
    if (attempt === undefined) throw new Error('a sample has an attempt');
    const twice = { ...fine(), attempts: [attempt, { ...attempt, outcome: 'timeout' }] };
    expect(storable(twice).attempts).toEqual([attempt]);
    const many = Array.from({ length: 101 }, (_, index) => ({ ...attempt, index }));
    expect(storable({ ...fine(), attempts: many }).attempts).toHaveLength(100);
    const unordered = { ...fine(), attempts: [{ ...attempt, index: 1 }, attempt] };
    expect(storable(unordered).attempts.map(({ index }) => index)).toEqual([1, 0]);
  });

  it('keeps each tag once, and no more than fifty', () => {
    const tags = [...Array.from({ length: 60 }, (_, i) => `t${i}`), 't0'];
    expect(storable({ ...fine(), tags: ['a', 'b', 'a'] }).tags).toEqual(['a', 'b']);
    expect(storable({ ...fine(), tags }).tags).toHaveLength(50);
  });
});
