import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLimitHeader, readInstant, readLimitHeaders } from './rate-limit-headers.ts';

const NOW = Date.parse('2026-11-22T10:00:00Z');
const read = (headers: Record<string, string>) => readLimitHeaders(Object.entries(headers).flat(), NOW);
const window = (headers: Record<string, string>, name: string) =>
  read(headers).windows.find((found) => found.name === name);

describe('rate-limit headers by the pattern of their names (CF-06, NX-12)', () => {
  it('reads windows nobody has listed', () => {
    const headers = {
      'anthropic-ratelimit-unified-status': 'allowed_warning',
      'anthropic-ratelimit-unified-reset': '1795345200',
      'anthropic-ratelimit-unified-representative-claim': 'seven_day',
      'anthropic-ratelimit-unified-5h-utilization': '0.42',
      'anthropic-ratelimit-unified-5h-reset': '1795345200',
      'anthropic-ratelimit-unified-5h-status': 'allowed',
      'anthropic-ratelimit-unified-7d_new-utilization': '1.07',
      'anthropic-ratelimit-unified-overage-status': 'rejected',
      'anthropic-ratelimit-unified-overage-disabled-reason': 'out_of_credits',
    };
    const facts = read(headers);
    expect(facts).toMatchObject({ status: 'allowed_warning', claim: 'seven_day', outOfCredits: true });
    expect(facts.resetAtMs).toBe(1_795_345_200_000);
    expect(window(headers, '5h')).toMatchObject({ utilization: 0.42, status: 'allowed' });
    expect(window(headers, '7d_new')).toMatchObject({ utilization: 1.07 });
    expect(facts.windows.map(({ name }) => name)).toEqual(['5h', '7d_new']);
  });

  it('reads families with the family first or last, and works out what is used', () => {
    const first = {
      'anthropic-ratelimit-input-tokens-limit': '1000',
      'anthropic-ratelimit-input-tokens-remaining': '250',
      'anthropic-ratelimit-input-tokens-reset': '2026-11-22T10:01:00Z',
    };
    expect(window(first, 'input-tokens')).toMatchObject({
      limit: 1000,
      remaining: 250,
      utilization: 0.75,
      resetAtMs: NOW + 60_000,
    });
    const last = {
      'x-ratelimit-limit-tokens': '100',
      'x-ratelimit-remaining-tokens': '0',
      'x-ratelimit-reset-tokens': '6m0s',
    };
    expect(window(last, 'tokens')).toMatchObject({ utilization: 1, resetAtMs: NOW + 360_000 });
    expect(window({ 'x-ratelimit-limit': '5', 'x-ratelimit-remaining': '5' }, 'requests')).toMatchObject({
      utilization: 0,
    });
  });

  it.each<[string, number | null]>([
    ['17', NOW + 17_000],
    ['0.5', NOW + 500],
    ['1795345200', 1_795_345_200_000],
    ['1795345200123', 1_795_345_200_123],
    ['1h2m3.5s', NOW + 3_723_500],
    ['17ms', NOW + 17],
    ['Sun, 22 Nov 2026 10:00:30 GMT', NOW + 30_000],
    ['2026-11-22T10:00:30Z', NOW + 30_000],
    ['soon', null],
    ['', null],
  ])('reads the instant %s', (text, expected) => expect(readInstant(text, NOW)).toBe(expected));

  it('reads dates again that it has read before, and others after more than it remembers', () => {
    const dates = Array.from({ length: 1_500 }, (_, i) => NOW + i * 1000);
    for (const atMs of [...dates, ...dates, ...dates.toReversed()])
      expect(readInstant(new Date(atMs).toISOString(), NOW)).toBe(atMs);
    for (const text of ['soon', '2026-13-45T99:00:00Z', 'soon']) expect(readInstant(text, NOW)).toBeNull();
  });

  it('takes the exact span over the rounded one', () => {
    expect(read({ 'retry-after-ms': '250', 'retry-after': '1' }).retryAtMs).toBe(NOW + 250);
    expect(read({ 'retry-after': '1', 'retry-after-ms': '250' }).retryAtMs).toBe(NOW + 250);
  });

  it('never throws and stays bounded, whatever comes', () => {
    const name = fc.string({ maxLength: 80 }).map((text) => `x-ratelimit-${text}`);
    fc.assert(
      fc.property(fc.array(fc.tuple(name, fc.string()), { maxLength: 60 }), (headers) => {
        const facts = readLimitHeaders(headers.flat(), NOW);
        return facts.windows.length <= 24;
      }),
    );
    expect(isLimitHeader('content-type')).toBe(false);
  });
});
