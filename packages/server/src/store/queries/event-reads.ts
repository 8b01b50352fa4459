import type { PriceStatus, RequestStatus, SettleStatus } from '@tallygate/contract/usage';
import { TOKEN_BUCKETS, type TokenCounts, UNIT_COUNTS, type UnitCounts } from '@tallygate/contract/usage';
import { type Kysely, sql } from 'kysely';
import type { Attempt } from '../../accounting/usage-event.ts';
import type { SqlDialect } from '../dialect.ts';
import type { Schema } from '../schema.ts';
import type { StoredEvent } from '../store.ts';
import { tokenColumn, unitColumn } from '../tables/column-names.ts';
import type { AttemptTable, UsageEventTable } from '../tables/usage-tables.ts';
import { USAGE_EVENT_ROWS } from './event-columns.ts';

type EventRow = Omit<UsageEventTable, 'cost_nano_usd' | 'cache_loss_nano_usd'> & {
  cost_text: string | null;
  cache_loss_text: string | null;
  workspace_id: string;
  project_id: string;
  api_key_id: string | null;
  user_id: string | null;
  source: string;
  provider: string;
  account_id: string | null;
  model_served: string | null;
  status: string;
};

const READ_COLUMNS = USAGE_EVENT_ROWS.columns
  .map((column) => column.name)
  .filter((name) => name !== 'cost_nano_usd' && name !== 'cache_loss_nano_usd' && name !== 'series_id');
const SERIES_COLUMNS = [
  'workspace_id',
  'project_id',
  'api_key_id',
  'user_id',
  'source',
  'provider',
  'account_id',
  'model_served',
  'status',
];

/** `select … from usage_event as e, usage_series as s` for `readEvents`; the caller adds its conditions. */
export function selectEvents(dialect: SqlDialect) {
  const columns = [
    ...READ_COLUMNS.map((name) => sql.ref(`e.${name}`)),
    ...SERIES_COLUMNS.map((name) => sql.ref(`s.${name}`)),
    sql`${dialect.asText(sql`e.cost_nano_usd`)} as cost_text`,
    sql`${dialect.asText(sql`e.cache_loss_nano_usd`)} as cache_loss_text`,
  ];
  return sql`select ${sql.join(columns)} from usage_event as e cross join usage_series as s where s.id = e.series_id`;
}

function tokensOf(row: EventRow): TokenCounts {
  return Object.fromEntries(TOKEN_BUCKETS.map((bucket) => [bucket, row[tokenColumn(bucket)]])) as TokenCounts;
}

function unitsOf(row: EventRow): UnitCounts {
  return Object.fromEntries(UNIT_COUNTS.map((unit) => [unit, row[unitColumn(unit)]])) as UnitCounts;
}

function eventOf(row: EventRow, attempts: Attempt[]): StoredEvent {
  return {
    ledgerSeq: row.ledger_seq,
    id: row.id,
    parentId: row.parent_id,
    workspaceId: row.workspace_id,
    projectId: row.project_id,
    apiKeyId: row.api_key_id,
    userId: row.user_id,
    source: row.source,
    provider: row.provider,
    accountId: row.account_id,
    apiFlavor: row.api_flavor,
    modelRequested: row.model_requested,
    modelServed: row.model_served,
    startedAtMs: row.started_at_ms,
    firstByteAtMs: row.first_byte_at_ms,
    endedAtMs: row.ended_at_ms,
    latencyMs: row.latency_ms,
    ttftMs: row.ttft_ms,
    stream: row.stream === 1,
    status: row.status as RequestStatus,
    httpStatus: row.http_status,
    errorCode: row.error_code,
    tokens: tokensOf(row),
    units: unitsOf(row),
    weightedTokens: row.weighted_tokens,
    serviceTier: row.service_tier,
    speed: row.speed,
    geo: row.geo,
    batch: row.batch === 1,
    costNanoUsd: row.cost_text === null ? null : BigInt(row.cost_text),
    priceCard: row.price_card,
    priceStatus: row.price_status as PriceStatus,
    settleStatus: row.settle_status as SettleStatus,
    providerCostUsd: row.provider_cost_usd,
    upstreamRequestId: row.upstream_request_id,
    sessionId: row.session_id,
    conversationId: row.conversation_id,
    tags: row.tags === null ? [] : (JSON.parse(row.tags) as string[]),
    requestBytes: row.request_bytes,
    responseBytes: row.response_bytes,
    rawUsage: row.raw_usage,
    poolId: row.pool_id,
    ruleId: row.rule_id,
    ruleChanges: row.rule_changes,
    cacheLostTokens: row.cache_lost_tokens,
    cacheLossNanoUsd: row.cache_loss_text === null ? null : BigInt(row.cache_loss_text),
    attempts,
  };
}

function attemptOf(row: AttemptTable): Attempt {
  return {
    index: row.attempt_index,
    accountId: row.account_id,
    provider: row.provider,
    startedAtMs: row.started_at_ms,
    firstByteAtMs: row.first_byte_at_ms,
    endedAtMs: row.ended_at_ms,
    httpStatus: row.http_status,
    outcome: row.outcome,
    errorCode: row.error_code,
    upstreamRequestId: row.upstream_request_id,
    model: row.model,
    chosenBy: row.chosen_by,
  };
}

async function attemptsOf(db: Kysely<Schema>, sequences: readonly number[]): Promise<Map<number, Attempt[]>> {
  const bySequence = new Map<number, Attempt[]>(sequences.map((seq) => [seq, []]));
  if (sequences.length === 0) return bySequence;
  const rows = await db
    .selectFrom('attempt')
    .selectAll()
    .where('ledger_seq', 'in', [...sequences])
    .orderBy('ledger_seq')
    .orderBy('attempt_index')
    .execute();
  for (const row of rows) bySequence.get(row.ledger_seq)?.push(attemptOf(row));
  return bySequence;
}

/** Rows that meet a condition on `e`, with their attempts, in the order given. The condition bounds how many. */
export async function readEvents(
  context: { db: Kysely<Schema>; dialect: SqlDialect },
  condition: ReturnType<typeof sql>,
  order: ReturnType<typeof sql>,
): Promise<StoredEvent[]> {
  const query = sql<EventRow>`${selectEvents(context.dialect)} and ${condition} ${order}`;
  const { rows } = await query.execute(context.db);
  const attempts = await attemptsOf(
    context.db,
    rows.map((row) => row.ledger_seq),
  );
  return rows.map((row) => eventOf(row, attempts.get(row.ledger_seq) ?? []));
}
