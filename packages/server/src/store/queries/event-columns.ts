import { TOKEN_BUCKETS, UNIT_COUNTS } from '@tallygate/contract/usage';
import type { Attempt, UsageEvent } from '../../accounting/usage-event.ts';
import type { BulkColumn, BulkTable, Value } from '../dialect.ts';
import { tokenColumn, unitColumn } from '../tables/column-names.ts';

const int = (name: string): BulkColumn => ({ name, kind: 'int' });
const text = (name: string): BulkColumn => ({ name, kind: 'text' });

export const USAGE_EVENT_ROWS: BulkTable = {
  name: 'usage_event',
  columns: [
    int('ledger_seq'),
    text('id'),
    text('parent_id'),
    int('series_id'),
    int('started_at_ms'),
    int('first_byte_at_ms'),
    int('ended_at_ms'),
    int('latency_ms'),
    int('ttft_ms'),
    text('api_flavor'),
    text('model_requested'),
    int('stream'),
    int('http_status'),
    text('error_code'),
    int('weighted_tokens'),
    text('service_tier'),
    text('speed'),
    text('geo'),
    int('batch'),
    int('cost_nano_usd'),
    text('price_card'),
    text('price_status'),
    text('settle_status'),
    text('provider_cost_usd'),
    text('upstream_request_id'),
    text('session_id'),
    text('conversation_id'),
    text('tags'),
    int('request_bytes'),
    int('response_bytes'),
    text('raw_usage'),
    text('pool_id'),
    text('rule_id'),
    text('rule_changes'),
    int('cache_lost_tokens'),
    int('cache_loss_nano_usd'),
    ...TOKEN_BUCKETS.map((bucket) => int(tokenColumn(bucket))),
    ...UNIT_COUNTS.map((unit) => int(unitColumn(unit))),
  ],
};

export const ATTEMPT_ROWS: BulkTable = {
  name: 'attempt',
  columns: [
    int('ledger_seq'),
    int('attempt_index'),
    text('account_id'),
    text('provider'),
    int('started_at_ms'),
    int('first_byte_at_ms'),
    int('ended_at_ms'),
    int('http_status'),
    text('outcome'),
    text('error_code'),
    text('upstream_request_id'),
    text('model'),
    text('chosen_by'),
  ],
};

export const EVENT_TAG_ROWS: BulkTable = {
  name: 'event_tag',
  columns: [text('tag'), int('started_at_ms'), int('ledger_seq')],
};

/** Values of one row, by position in `USAGE_EVENT_ROWS`. */
export function eventValues(event: UsageEvent, ledgerSeq: number, seriesId: number): Value[] {
  const values: Value[] = [
    ledgerSeq,
    event.id,
    event.parentId,
    seriesId,
    event.startedAtMs,
    event.firstByteAtMs,
    event.endedAtMs,
    event.latencyMs,
    event.ttftMs,
    event.apiFlavor,
    event.modelRequested,
    event.stream ? 1 : 0,
    event.httpStatus,
    event.errorCode,
    event.weightedTokens,
    event.serviceTier,
    event.speed,
    event.geo,
    event.batch ? 1 : 0,
    event.costNanoUsd,
    event.priceCard,
    event.priceStatus,
    event.settleStatus,
    event.providerCostUsd,
    event.upstreamRequestId,
    event.sessionId,
    event.conversationId,
    event.tags.length === 0 ? null : JSON.stringify(event.tags),
    event.requestBytes,
    event.responseBytes,
    event.rawUsage,
    event.poolId,
    event.ruleId,
    event.ruleChanges,
    event.cacheLostTokens,
    event.cacheLossNanoUsd,
  ];
  for (const bucket of TOKEN_BUCKETS) values.push(event.tokens[bucket]);
  for (const unit of UNIT_COUNTS) values.push(event.units[unit]);
  return values;
}

/** Values of one attempt, by position in `ATTEMPT_ROWS`. */
export function attemptValues(attempt: Attempt, ledgerSeq: number): Value[] {
  return [
    ledgerSeq,
    attempt.index,
    attempt.accountId,
    attempt.provider,
    attempt.startedAtMs,
    attempt.firstByteAtMs,
    attempt.endedAtMs,
    attempt.httpStatus,
    attempt.outcome,
    attempt.errorCode,
    attempt.upstreamRequestId,
    attempt.model,
    attempt.chosenBy,
  ];
}
