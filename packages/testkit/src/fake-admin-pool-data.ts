import type { NamedPoolView, PoolWeekView } from '@tallygate/contract/api/pools';
import type { RuleView } from '@tallygate/contract/api/rules';

const AT = '2026-11-01T09:00:00.000Z';

/** Sums over seven days, of so many attempts. */
export function week(attempts: number): PoolWeekView {
  const limited = Math.floor(attempts / 40);
  const failed = Math.floor(attempts / 60);
  return {
    attempts,
    served: attempts - limited - failed,
    limited,
    refused: 0,
    failed,
    sessionsMoved: Math.floor(attempts / 90),
    cacheLostTokens: attempts * 310,
    cacheLossUsd: (attempts * 0.000_83).toFixed(4),
  };
}

/** Pools and rules of the fake, as they stand before a test changes them. */
export function fakePools(): { pools: NamedPoolView[]; rules: RuleView[] } {
  return {
    pools: [
      {
        ...{ id: 'pool1', name: 'batch', strategy: 'drain-soonest-reset', notes: null, createdAt: AT },
        accounts: [{ id: 'acc_1', name: 'main' }],
        week: week(2_340),
      },
    ],
    rules: [
      {
        ...{ id: 'rule1', name: 'reviews on the small model', enabled: true, createdAt: AT },
        conditions: { models: ['claude-opus-*'], systemContains: ['You are a code reviewer'] },
        actions: { model: 'claude-haiku-4-5', fallbacks: [{ model: 'claude-sonnet-4-5' }] },
      },
      {
        ...{ id: 'rule2', name: 'nightly work', enabled: false, createdAt: AT },
        conditions: { time: { from: '22:00', to: '06:00', timeZone: 'Europe/Berlin' } },
        actions: { pool: 'pool1' },
      },
    ],
  };
}
