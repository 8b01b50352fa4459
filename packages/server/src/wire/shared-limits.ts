import { existsSync, rmSync, writeFileSync } from 'node:fs';
import type { SystemView } from '@tallygate/contract/api/system';
import { TOKEN_BUCKETS } from '@tallygate/contract/usage';
import { Gauge, type Registry } from 'prom-client';
import { comparePositions } from '../journal/position.ts';
import type { LedgerReads, LedgerRequest } from '../limits/redis/books-deps.ts';
import { RedisBooks } from '../limits/redis/redis-books.ts';
import { RedisLimits } from '../limits/redis/redis-limits.ts';
import type { LedgerSnapshot, StoredEvent } from '../store/store.ts';
import type { Core } from './core.ts';
import type { Journaling } from './journaling.ts';

type Warning = SystemView['warnings'][number];

export interface SharedLimits {
  limits: RedisLimits;
  /** What the operator should know right now. */
  warnings(): Warning[];
  /** Joins the other nodes; resolves when the books are open, or after a while without them. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** A first start waits for the others to join; where Redis is away, the policies of the budgets hold meanwhile. */
const START_WAIT_MS = 8_000;
const CAUGHT_UP_MS = 5_000;
const LOOK_EVERY_MS = 10;
/** Windows begin by each node's own clock. */
const TOLERATED_SKEW_MS = 5_000;

/** Requests with their sub-calls, as budgets count them: without those that came to nothing. */
export function ledgerRequests(rows: readonly StoredEvent[]): LedgerRequest[] {
  const requests = new Map<string, LedgerRequest>();
  for (const row of rows)
    if (row.parentId === null && row.settleStatus !== 'refunded') requests.set(row.id, asRequest(row));
  for (const row of rows) {
    const spend = requests.get(row.parentId ?? row.id)?.spend;
    if (spend === undefined) continue;
    let tokens = 0;
    for (const bucket of TOKEN_BUCKETS) tokens += row.tokens[bucket] ?? 0;
    spend.costNanoUsd += Number(row.costNanoUsd ?? 0n);
    spend.tokens += tokens;
    spend.weightedTokens += row.weightedTokens ?? 0;
    if (row.priceStatus === 'unpriced') spend.unpricedTokens += tokens;
  }
  return [...requests.values()];
}

function asRequest(row: StoredEvent): LedgerRequest {
  const { id, startedAtMs, apiKeyId: keyId, modelRequested: model } = row;
  const { workspaceId, userId, projectId, sessionId, provider, accountId, tags } = row;
  const scopes = { workspaceId, keyId, userId, projectId, sessionId, model, provider, accountId, tags };
  const spend = { costNanoUsd: 0, tokens: 0, weightedTokens: 0, unpricedTokens: 0 };
  return { id, startedAtMs, scopes, spend };
}

/** Everything that has ended until now is in the journal; true once the ledger has carried that to the store. */
function upToNow({ journal, ledger }: Journaling): () => Promise<boolean> {
  const target = journal.status().safeEnd;
  return async () => {
    const deadline = performance.now() + CAUGHT_UP_MS;
    while (comparePositions(ledger.backlog().settledThrough, target) < 0) {
      if (performance.now() > deadline) return false;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    return true;
  };
}

function registerGauges(registry: Registry, books: RedisBooks, limits: RedisLimits): void {
  const gauge = (name: string, help: string, value: () => number): void => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  };
  gauge('tallygate_shared_limits_up', '1 while the limits that nodes share can be asked', () =>
    books.current === null ? 0 : 1,
  );
  gauge(
    'tallygate_shared_limits_timeouts',
    'Answers of Redis that came too late, since the start',
    () => books.counts.timeouts,
  );
  gauge(
    'tallygate_shared_limits_errors',
    'Commands that Redis did not carry out, since the start',
    () => books.counts.errors,
  );
  gauge(
    'tallygate_shared_limits_waiting_ends',
    'Ends of requests that Redis has not been told yet',
    () => books.counts.waitingEndings,
  );
  gauge(
    'tallygate_shared_limits_unheld_requests',
    'Requests let through while Redis was out of reach, since the start',
    () => limits.unheld,
  );
}

function warningsOf(books: RedisBooks): Warning[] {
  const warnings: Warning[] = [];
  if (books.current === null)
    warnings.push({
      code: 'shared_limits_unavailable',
      message:
        'The limits that nodes share cannot be asked: each budget does what its policy for outages says. Look at Redis and at the database.',
    });
  if (Math.abs(books.clockSkewMs) > TOLERATED_SKEW_MS)
    warnings.push({
      code: 'clock_skew',
      message: `The clock of this node differs from that of Redis by ${Math.round(books.clockSkewMs / 1000)} seconds. Set both by NTP: windows of budgets begin by the clock of each node.`,
    });
  return warnings;
}

const requestsIn =
  ({ usage }: Pick<LedgerSnapshot, 'usage'>): LedgerReads['requests'] =>
  async (ids) =>
    ledgerRequests(await usage.rowsOfRequests(ids));

/** Limits in Redis, for several nodes on one database; null where this process counts for itself. */
export function createSharedLimits(
  core: Core,
  journaling: Journaling,
  registry: Registry,
): SharedLimits | null {
  const { config, clock, newId, logger, paths, store } = core;
  const { atOneMoment } = store;
  if (config.redisUrl === null || atOneMoment === null) return null;
  const { recovered } = journaling.ledger;
  const books = new RedisBooks({
    url: config.redisUrl.reveal(),
    namespace: config.redisNamespace,
    deadlineMs: config.redisDeadlineMs,
    node: journaling.journal.id,
    newId,
    logger,
    ledger: {
      requests: requestsIn(store),
      atOneMoment: (work) =>
        atOneMoment((reads) =>
          work({
            spentIn: (budget, range) => core.budgets.spentIn(budget, range, reads),
            requests: requestsIn(reads),
          }),
        ),
      upToNow: () => upToNow(journaling),
    },
    unheldMark: {
      set: () => writeFileSync(paths.unheldMark, '', { mode: 0o600 }),
      clear: () => rmSync(paths.unheldMark, { force: true }),
    },
    leftBehind: recovered.rows > 0 || recovered.interrupted > 0,
    unheldBefore: existsSync(paths.unheldMark),
    onReachable: (up) =>
      up
        ? logger.info('Redis answers')
        : logger.warn('Redis does not answer: budgets do what their policy for outages says'),
  });
  const limits = new RedisLimits(books, clock);
  registerGauges(registry, books, limits);
  return {
    limits,
    warnings: () => warningsOf(books),
    start: () => books.start(START_WAIT_MS),
    stop: () => books.stop(),
  };
}
