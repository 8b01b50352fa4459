import { type Kysely, sql } from 'kysely';
import { DAY_MS } from '../../accounting/rollup.ts';
import type { SqlDialect } from '../dialect.ts';
import type { AccountHourRow } from '../ports/pool.ts';
import type { Schema } from '../schema.ts';
import { accountHourValues, fateOf, Hours, selectHours } from './account-hours.ts';

type Context = { db: Kysely<Schema>; dialect: SqlDialect };

/** No attempt starts later than this after its request: the longest deadline of a request is far below. */
const LONGEST_MS = DAY_MS;

interface AttemptCount {
  account_id: string;
  pool_id: string | null;
  bucket_ms: number;
  outcome: string;
  http_status: number | null;
  count: number;
}

interface LossSum {
  account_id: string;
  pool_id: string | null;
  bucket_ms: number;
  moved: number;
  tokens: number;
  loss: string | null;
}

/** How the accounts fared in one UTC day, by hour, counted anew from the attempts and the rows. */
export async function hoursFromRows({ db, dialect }: Context, dayMs: number): Promise<AccountHourRow[]> {
  const hours = new Hours();
  const inDay = (column: string) =>
    sql`${sql.ref(column)} >= ${dayMs} and ${sql.ref(column)} < ${dayMs + DAY_MS}`;
  const hourOf = (column: string) => sql`${sql.ref(column)} - ${sql.ref(column)} % 3600000`;
  const attempts = await sql<AttemptCount>`
    select a.account_id, e.pool_id, ${hourOf('a.started_at_ms')} as bucket_ms, a.outcome, a.http_status,
      count(*) as count
    from usage_event as e join attempt as a on a.ledger_seq = e.ledger_seq
    where e.started_at_ms >= ${dayMs - LONGEST_MS} and e.started_at_ms < ${dayMs + DAY_MS}
      and ${inDay('a.started_at_ms')} and a.account_id is not null
    group by 1, 2, 3, 4, 5`.execute(db);
  for (const { account_id, pool_id, bucket_ms, outcome, http_status, count } of attempts.rows) {
    const row = hours.of(account_id, pool_id, Number(bucket_ms));
    row.attempts += Number(count);
    const fate = fateOf({ outcome, httpStatus: http_status === null ? null : Number(http_status) });
    if (fate !== null) row[fate] += Number(count);
  }
  const losses = await sql<LossSum>`
    select s.account_id, e.pool_id, ${hourOf('e.started_at_ms')} as bucket_ms, count(*) as moved,
      sum(e.cache_lost_tokens) as tokens, ${dialect.asText(sql`sum(e.cache_loss_nano_usd)`)} as loss
    from usage_event as e join usage_series as s on s.id = e.series_id
    where ${inDay('e.started_at_ms')} and e.cache_lost_tokens is not null and s.account_id is not null
    group by 1, 2, 3`.execute(db);
  for (const { account_id, pool_id, bucket_ms, moved, tokens, loss } of losses.rows) {
    const row = hours.of(account_id, pool_id, Number(bucket_ms));
    row.sessionsMoved += Number(moved);
    row.cacheLostTokens += Number(tokens);
    row.cacheLossNanoUsd += BigInt(loss ?? '0');
  }
  return [...hours.all.values()];
}

/** The same as stored. */
export function storedHours({ db, dialect }: Context, dayMs: number): Promise<AccountHourRow[]> {
  return selectHours(db, dialect, { fromMs: dayMs, toMs: dayMs + DAY_MS });
}

/** Puts these hours in the place of what is stored for the day. */
export async function replaceHours(
  { db }: Context,
  dayMs: number,
  rows: readonly AccountHourRow[],
): Promise<void> {
  await db
    .deleteFrom('account_hour')
    .where('bucket_ms', '>=', dayMs)
    .where('bucket_ms', '<', dayMs + DAY_MS)
    .execute();
  for (const row of rows) await db.insertInto('account_hour').values(accountHourValues(row)).execute();
}
