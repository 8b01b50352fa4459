import type { Kysely } from 'kysely';
import type { Attempt, UsageEvent } from '../../accounting/usage-event.ts';
import type { SqlDialect, StoreDatabase, WriteTransaction } from '../dialect.ts';
import type { AccountHourRow, PoolStore } from '../ports/pool.ts';
import type { Schema } from '../schema.ts';

const HOUR_MS = 3_600_000;

type Fate = 'served' | 'limited' | 'refused' | 'failed';

/** What an attempt says about its account; null when it says nothing, because somebody else ended it. */
export function fateOf({ outcome, httpStatus }: Pick<Attempt, 'outcome' | 'httpStatus'>): Fate | null {
  if (outcome === 'aborted' || outcome === 'interrupted') return null;
  if (httpStatus === 429) return 'limited';
  if (httpStatus === 401 || httpStatus === 402 || httpStatus === 403) return 'refused';
  if (outcome === 'ok') return 'served';
  // Any other refusal is the client's own mistake: the account did its part.
  return outcome === 'http_error' && httpStatus !== null && httpStatus < 500 && httpStatus !== 408
    ? 'served'
    : 'failed';
}

function emptyHour(accountId: string, poolId: string, bucketMs: number): AccountHourRow {
  return {
    accountId,
    poolId,
    bucketMs,
    attempts: 0,
    served: 0,
    limited: 0,
    refused: 0,
    failed: 0,
    sessionsMoved: 0,
    cacheLostTokens: 0,
    cacheLossNanoUsd: 0n,
  };
}

/** Hours that are being added up. */
export class Hours {
  readonly all = new Map<string, AccountHourRow>();

  /** @param pool null is the pool of all accounts */
  of(accountId: string, pool: string | null, atMs: number): AccountHourRow {
    const bucketMs = atMs - (atMs % HOUR_MS);
    const poolId = pool ?? '';
    const key = `${accountId} ${poolId} ${bucketMs}`;
    let row = this.all.get(key);
    if (row === undefined) {
      row = emptyHour(accountId, poolId, bucketMs);
      this.all.set(key, row);
    }
    return row;
  }
}

/** The hours that these rows add to. */
function accountHoursOf(events: readonly UsageEvent[]): AccountHourRow[] {
  const hours = new Hours();
  for (const event of events) {
    for (const attempt of event.attempts) {
      if (attempt.accountId === null) continue;
      const row = hours.of(attempt.accountId, event.poolId, attempt.startedAtMs);
      row.attempts += 1;
      const fate = fateOf(attempt);
      if (fate !== null) row[fate] += 1;
    }
    if (event.cacheLostTokens === null || event.accountId === null) continue;
    const row = hours.of(event.accountId, event.poolId, event.startedAtMs);
    row.sessionsMoved += 1;
    row.cacheLostTokens += event.cacheLostTokens;
    row.cacheLossNanoUsd += event.cacheLossNanoUsd ?? 0n;
  }
  return [...hours.all.values()];
}

export function accountHourValues(row: AccountHourRow) {
  return {
    account_id: row.accountId,
    pool_id: row.poolId,
    bucket_ms: row.bucketMs,
    attempts: row.attempts,
    served: row.served,
    limited: row.limited,
    refused: row.refused,
    failed: row.failed,
    sessions_moved: row.sessionsMoved,
    cache_lost_tokens: row.cacheLostTokens,
    cache_loss_nano_usd: row.cacheLossNanoUsd,
  };
}

/** Adds what these rows say of their accounts, inside the ledger's own transaction. */
export async function addAccountHours(
  { db }: WriteTransaction,
  events: readonly UsageEvent[],
): Promise<void> {
  for (const row of accountHoursOf(events)) {
    const updated = await db
      .updateTable('account_hour')
      .set((eb) => ({
        attempts: eb('attempts', '+', row.attempts),
        served: eb('served', '+', row.served),
        limited: eb('limited', '+', row.limited),
        refused: eb('refused', '+', row.refused),
        failed: eb('failed', '+', row.failed),
        sessions_moved: eb('sessions_moved', '+', row.sessionsMoved),
        cache_lost_tokens: eb('cache_lost_tokens', '+', row.cacheLostTokens),
        cache_loss_nano_usd: eb('cache_loss_nano_usd', '+', row.cacheLossNanoUsd),
      }))
      .where('account_id', '=', row.accountId)
      .where('pool_id', '=', row.poolId)
      .where('bucket_ms', '=', row.bucketMs)
      .executeTakeFirst();
    if (updated.numUpdatedRows > 0n) continue;
    await db.insertInto('account_hour').values(accountHourValues(row)).execute();
  }
}

const COUNTS = [
  'account_id',
  'pool_id',
  'bucket_ms',
  'attempts',
  'served',
  'limited',
  'refused',
  'failed',
  'sessions_moved',
  'cache_lost_tokens',
] as const;

/** Hours of one account or of all, oldest first. */
export function readAccountHours(
  { kysely, dialect }: StoreDatabase,
  range: Range,
): Promise<AccountHourRow[]> {
  return selectHours(kysely, dialect, range);
}

type Range = Parameters<PoolStore['listAccountHours']>[0];

/** The same, inside somebody else's transaction or snapshot. */
export async function selectHours(
  db: Kysely<Schema>,
  dialect: SqlDialect,
  range: Range,
): Promise<AccountHourRow[]> {
  let query = db
    .selectFrom('account_hour')
    .select(COUNTS)
    .select((eb) => dialect.asText(eb.ref('cache_loss_nano_usd')).as('loss_text'))
    .where('bucket_ms', '>=', range.fromMs)
    .where('bucket_ms', '<', range.toMs);
  if (range.accountId !== undefined) query = query.where('account_id', '=', range.accountId);
  const rows = await query.orderBy('bucket_ms').orderBy('account_id').orderBy('pool_id').execute();
  return rows.map((row) => ({
    accountId: row.account_id,
    poolId: row.pool_id,
    bucketMs: row.bucket_ms,
    attempts: row.attempts,
    served: row.served,
    limited: row.limited,
    refused: row.refused,
    failed: row.failed,
    sessionsMoved: row.sessions_moved,
    cacheLostTokens: row.cache_lost_tokens,
    cacheLossNanoUsd: BigInt(row.loss_text ?? '0'),
  }));
}
