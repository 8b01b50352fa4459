import { alertCondition, type UsageCondition } from '@tallygate/contract/api/alerts';
import { unknownTokens } from '@tallygate/contract/usage';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { UsageSumsRow } from '../store/store.ts';
import { amountText } from './amounts.ts';
import { readBudgets } from './budget-rule.ts';
import { goneAtMs, paceSpanMs, readForecasts } from './forecast-rule.ts';
import { ruleSentence } from './rule-sentence.ts';
import type { AlertSources, BudgetReading } from './sources.ts';
import { readAccounts, readSecurity } from './state-rules.ts';
import { trafficScopes } from './traffic-scope.ts';
import { judgeUsage } from './usage-rule.ts';

const HOUR = 3_600_000;
const usage = (part: object): UsageCondition =>
  alertCondition.parse({ kind: 'usage', metric: 'spend', window: 'day', ...part }) as UsageCondition;
const noTokens = Object.fromEntries(
  Object.keys(unknownTokens()).map((name) => [name, 0]),
) as UsageSumsRow['tokens'];
const sums = (part: Partial<UsageSumsRow>): UsageSumsRow => ({
  requests: 0,
  errors: 0,
  unpricedRequests: 0,
  unpricedTokens: 0,
  estimatedRequests: 0,
  interruptedRequests: 0,
  costNanoUsd: 0n,
  tokens: noTokens,
  weightedTokens: 0,
  latencyBins: new Map(),
  ttftBins: new Map(),
  ...part,
});
const fires = (condition: UsageCondition, part: Partial<UsageSumsRow>): boolean =>
  judgeUsage(condition, sums(part), 'production').firing;

describe('rules on usage (TW-16)', () => {
  it('spend fires exactly at the limit, to the nano-dollar', () => {
    const condition = usage({ thresholdUsd: '10' });
    expect(fires(condition, { costNanoUsd: 9_999_999_999n })).toBe(false);
    expect(fires(condition, { costNanoUsd: 10_000_000_000n })).toBe(true);
  });

  it('says what is not in the sum because it has no price', () => {
    const { facts } = judgeUsage(usage({ thresholdUsd: '1' }), sums({ unpricedRequests: 3 }), 'staging');
    expect(facts).toContainEqual({ label: 'Not in the sum, without a price', value: '3' });
  });

  it('rates and percentiles wait for enough requests', () => {
    const rate = usage({ metric: 'error_rate', threshold: 10, minRequests: 20 });
    expect(fires(rate, { requests: 19, errors: 19 })).toBe(false);
    expect(fires(rate, { requests: 20, errors: 2 })).toBe(true);
    expect(fires(rate, { requests: 21, errors: 2 })).toBe(false);
    expect(fires(rate, {})).toBe(false);
    const latency = usage({ metric: 'latency_p95', threshold: 10, minRequests: 2 });
    expect(fires(latency, { requests: 9 })).toBe(false);
    expect(fires(latency, { latencyBins: new Map([[20, 2]]) })).toBe(true);
  });

  it.each([
    [{ metric: 'spend', threshold: 5 }],
    [{ metric: 'tokens', thresholdUsd: '5' }],
    [{ metric: 'tokens', threshold: 5, thresholdUsd: '5' }],
    [{ metric: 'requests' }],
    [{ metric: 'requests', threshold: 0 }],
    [{ metric: 'error_rate', threshold: 101 }],
    [{ metric: 'spend', thresholdUsd: '1e3' }],
    [{ metric: 'spend', thresholdUsd: '1', extra: 1 }],
  ])('refuses %j', (part) => {
    expect(alertCondition.safeParse({ kind: 'usage', window: 'day', ...part }).success).toBe(false);
  });
});

describe('environments (TW-20)', () => {
  const project = (id: string, environment: 'production' | 'test', workspaceId = 'w') => ({
    id,
    environment,
    workspaceId,
  });
  const projects = [project('p', 'production'), project('t', 'test'), project('x', 'production', 'other')];
  const scopes = (environment: 'production' | 'test' | null, filter = {}) =>
    trafficScopes({ workspaceId: 'w', environment, filter }, projects);

  it('are watched one by one and never added up; other workspaces never', () => {
    expect(scopes(null)).toEqual([
      { environment: 'production', filter: { workspaceId: 'w', projectIds: ['p'] } },
      { environment: 'test', filter: { workspaceId: 'w', projectIds: ['t'] } },
    ]);
    expect(scopes('test', { models: ['m'] })).toEqual([
      { environment: 'test', filter: { workspaceId: 'w', projectIds: ['t'], models: ['m'] } },
    ]);
  });

  it('a filter of users asks for what is theirs', () => {
    expect(scopes('test', { users: ['u1'] })).toEqual([
      { environment: 'test', filter: { workspaceId: 'w', projectIds: ['t'], userIds: ['u1'] } },
    ]);
  });

  it('a project of another environment or workspace is not let in by its name', () => {
    expect(scopes('test', { projects: ['p'] })).toEqual([]);
    expect(scopes(null, { projects: ['x'] })).toEqual([]);
  });
});

const budget: BudgetReading = {
  sliding: false,
  id: 'b',
  name: 'web',
  environment: null,
  measure: 'usd',
  limit: 1_000,
  spent: 0,
  held: 0,
  startMs: 0,
  endMs: 100 * HOUR,
};

describe('rules on budgets', () => {
  const steps = (part: Partial<BudgetReading>, basis: 'spent' | 'spent_and_held' = 'spent') =>
    readBudgets({ kind: 'budget', percents: [50, 75, 90, 100], basis }, [{ ...budget, ...part }])
      .filter(({ firing }) => firing)
      .map(({ rank }) => rank);

  it('every step fires exactly when it is reached, on what is spent or also held', () => {
    expect(steps({ spent: 499 })).toEqual([]);
    expect(steps({ spent: 500, held: 400 })).toEqual([50]);
    expect(steps({ spent: 500, held: 400 }, 'spent_and_held')).toEqual([50, 75, 90]);
    expect(steps({ spent: 1_000 })).toEqual([50, 75, 90, 100]);
    expect(steps({ limit: 0 })).toEqual([50, 75, 90, 100]);
  });

  it('forecasts when a budget is gone, and keeps quiet when it lasts', async () => {
    const nowMs = 40 * HOUR;
    const gone = (spent: number, amount: number, part: Partial<BudgetReading> = {}) =>
      goneAtMs({ ...budget, spent, ...part }, { amount, spanMs: 10 * HOUR }, nowMs);
    expect(gone(500, 100)).toBe(nowMs + 50 * HOUR);
    expect(gone(500, 50)).toBeNull(); // 100 h, and it starts anew in 60 h
    expect(gone(500, 0)).toBeNull();
    expect(gone(1_000, 0)).toBe(nowMs);
    expect(gone(500, 100, { startMs: nowMs - 1_000 })).toBeNull();
    expect(gone(0, 100, { endMs: Number.POSITIVE_INFINITY })).toBe(nowMs + 100 * HOUR);
    expect(gone(0, 10, { endMs: Number.POSITIVE_INFINITY })).toBeNull();
    const sources = { spentBetween: async () => 100 } as Partial<AlertSources> as AlertSources;
    const [reading] = await readForecasts(sources, [{ ...budget, spent: 500 }], nowMs);
    expect(reading).toMatchObject({ firing: true });
    expect(reading?.title).toMatch(/^Budget web is gone by \w+day, \d\d:\d\d UTC$/);
  });

  it('a budget that is forecast to be gone is gone sooner the faster it is spent', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 900 }), fc.integer({ min: 1, max: 500 }), (spent, amount) => {
        const at = (pace: number) =>
          goneAtMs({ ...budget, spent }, { amount: pace, spanMs: 10 * HOUR }, 40 * HOUR) ?? Infinity;
        return at(amount + 1) <= at(amount);
      }),
    );
  });

  it('measures the pace over a quarter of the window so far, between an hour and a day, from a full hour on', () => {
    const span = (hours: number) => paceSpanMs({ startMs: 0 }, hours * HOUR) / HOUR;
    expect([0.5, 1.5, 2, 40, 41.5, 1_000].map(span)).toEqual([0.5, 1.5, 1, 10, 10.5, 24]);
    expect(paceSpanMs({ startMs: HOUR }, 0)).toBeLessThanOrEqual(0);
  });
});

describe('rules on accounts and on security', () => {
  it('an account fires in the conditions that are watched (CF-04)', () => {
    const accounts = [
      { id: 'a', name: 'one', condition: 'needs_reauth' as const },
      { id: 'b', name: 'two', condition: 'limited' as const },
      { id: 'c', name: 'three', condition: null },
    ];
    const readings = readAccounts({ kind: 'account', conditions: ['needs_reauth'] }, accounts);
    expect(readings.map(({ firing }) => firing)).toEqual([true, false, false]);
    expect(readings[0]?.title).toBe('Account one needs a new sign-in');
  });

  it('findings of the security panel fire by what they are about (NX-10)', () => {
    const finding = { rule: 'failed_by_address', severity: 'warning' as const, message: 'm', advice: 'a' };
    const findings = [
      { ...finding, about: '203.0.113.9' },
      { ...finding, about: '203.0.113.8', severity: 'critical' as const },
    ];
    const read = (minSeverity: 'warning' | 'critical') =>
      readSecurity({ kind: 'security', minSeverity }, findings).map(({ subject }) => subject);
    expect(read('warning')).toEqual(['failed_by_address:203.0.113.9', 'failed_by_address:203.0.113.8']);
    expect(read('critical')).toEqual(['failed_by_address:203.0.113.8']);
  });
});

it('amounts are for people, and what is tiny does not become nothing', () => {
  expect(amountText('spend', 12_345_678_901)).toBe('$12.35');
  expect(amountText('spend', 1_234)).toBe('$0.000001234');
  expect(amountText('spend', 0)).toBe('$0.00');
  expect(amountText('tokens', 1_234_567)).toBe('1 234 567');
  expect(amountText('error_rate', 12.34)).toBe('12.3 %');
});

it.each([
  [usage({ thresholdUsd: '12.5' }), null, 'Spend reaches $12.50 today, in any environment by itself.'],
  [{ kind: 'anomaly', metric: 'tokens', by: 'key' }, 'production', 'Tokens of a key are far above'],
  [{ kind: 'budget' }, null, 'A budget is 50 %, 75 %, 90 % or 100 % spent.'],
  [{ kind: 'forecast' }, null, 'A budget will be gone before it starts anew.'],
])('a rule in a sentence: %j', (condition, environment, start) => {
  const sentence = ruleSentence(
    {
      condition: alertCondition.parse(condition),
      environment: environment as 'production' | null,
      filter: {},
    },
    (_kind, value) => value,
  );
  expect(sentence.startsWith(start), sentence).toBe(true);
});

it('a rule says what it is narrowed to, by name', () => {
  const filter = { models: ['a', 'b', 'c'], keys: ['k1'], users: [] };
  const sentence = ruleSentence(
    { condition: usage({ thresholdUsd: '1' }), environment: 'test', filter },
    (kind, value) => (kind === 'keys' ? `named ${value}` : value),
  );
  expect(sentence).toBe('Spend reaches $1.00 today, only key named k1 and model a, b or c, in test.');
});
