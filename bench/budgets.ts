/**
 * `node --conditions=@tallygate/source bench/budgets.ts`: what deciding about a request costs, in memory and through a
 * Redis that it starts for itself, where there is one. The figures and the method stand in docs/budgets.md.
 */
import { randomUUID } from 'node:crypto';
import { systemClock } from '@tallygate/server/kernel/clock';
import { createLogger } from '@tallygate/server/kernel/logger';
import type { Budget, Spend, UpperBound } from '@tallygate/server/limits/budget';
import { BudgetEngine } from '@tallygate/server/limits/budget-engine';
import type { Decision, RequestAsk } from '@tallygate/server/limits/limit-state';
import { RateEngine } from '@tallygate/server/limits/rate-engine';
import type { RateAsk, RateLimit } from '@tallygate/server/limits/rate-limit';
import type { RateDecision } from '@tallygate/server/limits/rate-state';
import { RedisBooks } from '@tallygate/server/limits/redis/redis-books';
import { RedisJoint } from '@tallygate/server/limits/redis/redis-joint';
import { RedisLimits } from '@tallygate/server/limits/redis/redis-limits';
import { RedisRates } from '@tallygate/server/limits/redis/redis-rates';
import type { RequestSubject } from '@tallygate/server/limits/scope';
import { redisTarget } from '@tallygate/testkit/private-redis';
import { percentile } from './stats.ts';

const MEMORY_ROUNDS = 7;
const MEMORY_REQUESTS = 200_000;
const REDIS_REQUESTS = 4_000;
const AT_ONCE = 32;

const SUBJECT: RequestSubject = {
  ...{ workspaceId: 'w', keyId: 'k', userId: 'u', projectId: 'p', sessionId: 's' },
  ...{ model: 'm', provider: 'v', accountId: 'a', tags: ['t'] },
};
const SPEND: Spend = { costNanoUsd: 900, tokens: 90, weightedTokens: 200, unpricedTokens: 0 };
const BOUND: UpperBound = {
  outputTokens: 100,
  minOutputTokens: 1,
  costNanoUsd: (output) => 500 + 10 * output,
  tokens: (output) => 50 + output,
  weightedTokens: (output) => 50 + 5 * output,
};

function budget(id: string, change: Partial<Budget> = {}): Budget {
  return {
    ...{ id, workspaceId: 'w', scope: [], measure: 'usd', limit: 9_000_000_000_000_000, window: 'month' },
    ...{ windowMs: null, sliding: false, timeZone: 'UTC', mode: 'hard', unpriced: 'refuse' },
    ...{ onOutage: 'closed', provisionalNanoUsdPerMtok: null, createdAtMs: 0 },
    ...change,
  } as Budget;
}

/** One for every scope that a request has, all in windows of a month, or all sliding. */
function oneForEachScope(sliding: boolean): Budget[] {
  const kinds = {
    project: 'p',
    key: 'k',
    user: 'u',
    session: 's',
    provider: 'v',
    account: 'a',
    model: 'm',
    tag: 't',
  };
  const scoped = Object.entries(kinds).map(([kind, value]) =>
    budget(kind, { sliding, scope: [{ kind: kind as keyof typeof kinds, value }] }),
  );
  return [budget('workspace', { sliding }), ...scoped];
}

const LIMITS: RateLimit[] = (['requests', 'tokens', 'concurrent_requests'] as const).map((measure) => ({
  ...{ id: measure, workspaceId: null, name: measure, scope: [], per: 'key', measure, limit: 10 ** 12 },
  ...{ windowMs: measure === 'concurrent_requests' ? null : 60_000, burst: null },
}));

let ids = 0;
const ask = (): RequestAsk => ({ id: `r${ids++}`, startedAtMs: Date.now(), scopes: SUBJECT });
const rateAsk = (): RateAsk => ({
  ...{ subject: SUBJECT, address: () => null, stream: true, requests: 1 },
  nowMs: performance.now(),
});
const tokens = () => ({ input: 50, output: 100 });

function settleBudgets(decision: Decision): void {
  if (decision === null || !('hold' in decision)) throw new Error('a request was refused');
  decision.hold.settle(SPEND);
}

function settleRates(decision: RateDecision): void {
  if (decision === null || !('lease' in decision)) throw new Error('a request was refused');
  decision.lease.settle(performance.now(), { input: 40, output: 50 });
  decision.lease.end(performance.now());
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function line(name: string, figures: readonly string[]): void {
  say(`${name.padEnd(52)}${figures.map((figure) => figure.padStart(12)).join('')}`);
}

/** Median and least of some rounds, each over many requests, in microseconds for one. */
function microseconds(run: () => void): string[] {
  const rounds: number[] = [];
  for (let round = 0; round < MEMORY_ROUNDS; round++) {
    const from = performance.now();
    for (let i = 0; i < MEMORY_REQUESTS; i++) run();
    rounds.push(((performance.now() - from) * 1000) / MEMORY_REQUESTS);
  }
  rounds.sort((a, b) => a - b);
  return [percentile(rounds, 50) ?? 0, rounds[0] ?? 0].map((figure) => figure.toFixed(2));
}

function engineWith(budgets: readonly Budget[]): BudgetEngine {
  const engine = new BudgetEngine();
  const times = { nowMs: Date.now(), countsFromMs: Number.NEGATIVE_INFINITY };
  for (const one of budgets) engine.add(one, times);
  return engine;
}

function inMemory(): void {
  say(`In memory: reserve and settle, ${MEMORY_ROUNDS} rounds of ${MEMORY_REQUESTS} requests`);
  line('', ['median µs', 'least µs']);
  const sets: [string, Budget[]][] = [
    ['1 budget', [budget('b')]],
    ['1 sliding budget', [budget('b', { window: 'day', sliding: true })]],
    ['9 budgets, one for every scope', oneForEachScope(false)],
    ['9 sliding budgets, one for every scope', oneForEachScope(true)],
  ];
  for (const [name, budgets] of sets) {
    const engine = engineWith(budgets);
    line(
      name,
      microseconds(() => settleBudgets(engine.reserve(ask(), () => BOUND))),
    );
  }
  const engine = engineWith([budget('b')]);
  const rates = new RateEngine();
  rates.replaceAll(LIMITS);
  const both = (): void => {
    settleRates(rates.admit(rateAsk(), tokens));
    settleBudgets(engine.reserve(ask(), () => BOUND));
  };
  line('3 limits and 1 budget', microseconds(both));
}

interface Shared {
  limits: RedisLimits;
  rates: RedisRates;
  stop(): Promise<void>;
}

async function openShared(url: string, budgets: readonly Budget[]): Promise<Shared> {
  const namespace = `bench-${randomUUID()}`;
  const logger = createLogger('silent', null);
  const newId = (): string => randomUUID();
  const timing = { gatherMs: 100, beatMs: 100 };
  const books = new RedisBooks({
    ...{ url, namespace, node: 'bench', newId, logger, deadlineMs: 5_000, timing },
    ledger: {
      requests: async () => [],
      atOneMoment: (work) => work({ spentIn: async () => 0, requests: async () => [] }),
      upToNow: () => async () => true,
    },
    unheldMark: { set: () => undefined, clear: () => undefined },
    ...{ leftBehind: false, unheldBefore: false, onReachable: () => undefined },
  });
  const limits = new RedisLimits(books, systemClock);
  const times = { nowMs: Date.now(), countsFromMs: Number.NEGATIVE_INFINITY };
  for (const one of budgets) limits.add(one, times);
  await books.start(10_000);
  if (books.current === null) throw new Error(`no Redis at ${url}`);
  const rates = new RedisRates({
    ...{ url, namespace, newId, logger, deadlineMs: 5_000, patienceMs: 5_000 },
    ...{ beatMs: 1_000, leaseMs: 15_000 },
  });
  rates.replaceAll(LIMITS);
  await rates.start();
  const stop = async (): Promise<void> => {
    rates.stop();
    await books.stop();
  };
  return { limits, rates, stop };
}

/** Milliseconds of each decision, so many at once. */
async function decisions(decide: () => Promise<void>, atOnce: number): Promise<string[]> {
  const took: number[] = [];
  let left = REDIS_REQUESTS;
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const from = performance.now();
      await decide();
      took.push(performance.now() - from);
    }
  };
  for (let i = 0; i < 200; i++) await decide();
  const from = performance.now();
  await Promise.all(Array.from({ length: atOnce }, worker));
  const perSecond = REDIS_REQUESTS / ((performance.now() - from) / 1000);
  took.sort((a, b) => a - b);
  const fine = (percent: number): string => (percentile(took, percent) ?? 0).toFixed(2);
  return [fine(50), fine(99), Math.round(perSecond).toString()];
}

async function throughRedis(url: string): Promise<void> {
  const cases: [string, Budget[]][] = [
    ['1 budget', [budget('b')]],
    ['1 sliding budget', [budget('b', { window: 'day', sliding: true })]],
    ['9 budgets', oneForEachScope(false)],
  ];
  for (const atOnce of [1, AT_ONCE]) {
    say(`\nThrough Redis: ${REDIS_REQUESTS} decisions, ${atOnce} at once`);
    line('', ['p50 ms', 'p99 ms', 'a second']);
    for (const [name, budgets] of cases) {
      const { limits, rates, stop } = await openShared(url, budgets);
      const joint = new RedisJoint(rates, limits);
      line(
        name,
        await decisions(async () => settleBudgets(await limits.reserve(ask(), () => BOUND)), atOnce),
      );
      const together = async (): Promise<void> => {
        const both = await joint.admit({ ask: rateAsk(), bound: tokens }, { ask: ask(), bound: () => BOUND });
        settleRates(both?.rates ?? null);
        settleBudgets(both?.budgets ?? null);
      };
      line(`${name} and 3 limits, one trip`, await decisions(together, atOnce));
      const apart = async (): Promise<void> => {
        settleRates(await rates.admit(rateAsk(), tokens));
        settleBudgets(await limits.reserve(ask(), () => BOUND));
      };
      line(`${name} and 3 limits, one after the other`, await decisions(apart, atOnce));
      await stop();
    }
  }
}

inMemory();
const { skipped, start } = redisTarget();
if (skipped === null) {
  const redis = await start();
  try {
    await throughRedis(redis.url);
  } finally {
    await redis.stop();
  }
}
