import { describe, expect, it } from 'vitest';
import { budgetPage, historyPage, trafficPage } from './pages.ts';
import type { TrafficFilter } from './traffic-scope.ts';

const range = { fromMs: Date.UTC(2026, 2, 1), toMs: Date.UTC(2026, 2, 2) };
const page = (metric: Parameters<typeof trafficPage>[0], filter: Partial<TrafficFilter> = {}) =>
  new URL(
    trafficPage(metric, { environment: 'production', filter: { workspaceId: 'w', ...filter } }, range),
    'http://h',
  );

describe('where a notice leads to', () => {
  it('the chart of what was measured, over the same time and traffic', () => {
    const { pathname, searchParams } = page('error_rate', { models: ['a/b', 'c&d'], accountIds: [] });
    expect([pathname, ...searchParams]).toEqual([
      ...['/', ['from', '2026-03-01T00:00:00.000Z'], ['to', '2026-03-02T00:00:00.000Z']],
      ...[
        ['environment', 'production'],
        ['metric', 'errors'],
        ['model', 'a/b,c&d'],
      ],
    ]);
    expect(page('latency_p95').searchParams.get('metric')).toBe('latency');
    expect(page('unpriced_requests').pathname).toBe('/requests');
    expect(page('unpriced_requests').searchParams.has('metric')).toBe(false);
  });

  it('a list that makes the link too long is left out, and what comes after it is not', () => {
    const ids = Array.from({ length: 200 }, (_, i) => `key-${i}-with-a-long-name`);
    const { search, searchParams } = page('spend', { apiKeyIds: ids, providers: ['anthropic'] });
    expect([searchParams.has('key'), searchParams.get('provider')]).toEqual([false, 'anthropic']);
    expect(search.length).toBeLessThan(1_600);
  });

  it('names in links are not read as more than names', () => {
    expect(budgetPage('a&b=c#d')).toBe('/budgets?budget=a%26b%3Dc%23d');
    expect([historyPage(null), historyPage('a&b')]).toEqual([
      '/alerts/history',
      '/alerts/history?rule=a%26b',
    ]);
  });
});
