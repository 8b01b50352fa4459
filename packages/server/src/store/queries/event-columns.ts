import { TOKEN_BUCKETS, type TokenCounts, UNIT_COUNTS, type UnitCounts } from '@tallygate/contract/usage';
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

/** Limits of the ledger's text columns; longer values are cut, so that no row can block a batch. */
export const TEXT_LIMITS = {
  id: 64,
  model: 200,
  provider: 60,
  name: 200,
  tag: 200,
  rawUsage: 262_144,
  ruleChanges: 8_192,
  tags: 50,
} as const;

const MAX_ATTEMPTS = 100;

// biome-ignore lint/suspicious/noControlCharactersInRegex: the point is to find them
const CONTROL = /[\u0000-\u001f\u007f]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: the point is to replace them
const CONTROLS = /[\u0000-\u001f\u007f]/g;
const REPLACEMENT = '\ufffd';

/**
 * Text that every engine takes: within the limit, well-formed (PostgreSQL refuses NUL, and UTF-8 has no lone
 * surrogates), without control characters (they separate dimensions in series keys).
 */
function clean(value: string, limit: number): string {
  if (value.length <= limit && !CONTROL.test(value) && value.isWellFormed()) return value;
  return value.slice(0, limit).toWellFormed().replace(CONTROLS, REPLACEMENT);
}

function cleanOrNull(value: string | null, limit: number): string | null {
  return value === null ? null : clean(value, limit);
}

/** Raw JSON keeps its line breaks; only what an engine would refuse is replaced. */
function cleanRaw(value: string | null): string | null {
  if (value === null) return null;
  const bounded = value.length <= TEXT_LIMITS.rawUsage ? value : value.slice(0, TEXT_LIMITS.rawUsage);
  return bounded.toWellFormed().replaceAll('\u0000', REPLACEMENT);
}

function whole(value: number | null): number | null {
  if (value === null || Number.isSafeInteger(value)) return value;
  const rounded = Math.round(value);
  return Number.isSafeInteger(rounded) ? rounded : null;
}

function wholeAll<T extends Record<string, number | null>>(counts: T): T {
  for (const name in counts) {
    if (counts[name] !== null && !Number.isSafeInteger(counts[name])) {
      return Object.fromEntries(Object.entries(counts).map(([key, count]) => [key, whole(count)])) as T;
    }
  }
  return counts;
}

function cleanAttempt(attempt: Attempt): Attempt {
  return {
    index: whole(attempt.index) ?? 0,
    accountId: cleanOrNull(attempt.accountId, TEXT_LIMITS.id),
    provider: clean(attempt.provider, TEXT_LIMITS.provider),
    startedAtMs: whole(attempt.startedAtMs) ?? 0,
    firstByteAtMs: whole(attempt.firstByteAtMs),
    endedAtMs: whole(attempt.endedAtMs),
    httpStatus: whole(attempt.httpStatus),
    outcome: clean(attempt.outcome, 40),
    errorCode: cleanOrNull(attempt.errorCode, TEXT_LIMITS.name),
    upstreamRequestId: cleanOrNull(attempt.upstreamRequestId, TEXT_LIMITS.name),
    model: cleanOrNull(attempt.model, TEXT_LIMITS.model),
    chosenBy: cleanOrNull(attempt.chosenBy, 40),
  };
}

/** Two attempts cannot share an index; the first one given stands. */
function cleanAttempts(attempts: readonly Attempt[]): Attempt[] {
  const byIndex = new Map<number, Attempt>();
  for (const attempt of attempts.slice(0, MAX_ATTEMPTS)) {
    const one = cleanAttempt(attempt);
    if (!byIndex.has(one.index)) byIndex.set(one.index, one);
  }
  return [...byIndex.values()];
}

function cleanTags(tags: readonly string[]): string[] {
  if (tags.length === 0) return [];
  return [...new Set(tags.map((tag) => clean(tag, TEXT_LIMITS.tag)))].slice(0, TEXT_LIMITS.tags);
}

/**
 * The event as it will be stored: rows and rollups are both made from this, so they cannot disagree, and no
 * value in it can make an engine refuse the batch it is in.
 */
export function storable(event: UsageEvent): UsageEvent {
  return {
    ...event,
    ...storableTexts(event),
    startedAtMs: Math.max(0, whole(event.startedAtMs) ?? 0),
    firstByteAtMs: whole(event.firstByteAtMs),
    endedAtMs: whole(event.endedAtMs),
    latencyMs: whole(event.latencyMs),
    ttftMs: whole(event.ttftMs),
    httpStatus: whole(event.httpStatus),
    weightedTokens: whole(event.weightedTokens),
    requestBytes: whole(event.requestBytes),
    responseBytes: whole(event.responseBytes),
    cacheLostTokens: whole(event.cacheLostTokens),
    tokens: wholeAll<TokenCounts>(event.tokens),
    units: wholeAll<UnitCounts>(event.units),
    tags: cleanTags(event.tags),
    attempts: cleanAttempts(event.attempts),
  };
}

function storableTexts(event: UsageEvent): Partial<UsageEvent> {
  return {
    id: clean(event.id, TEXT_LIMITS.id),
    parentId: cleanOrNull(event.parentId, TEXT_LIMITS.id),
    workspaceId: clean(event.workspaceId, TEXT_LIMITS.id),
    projectId: clean(event.projectId, TEXT_LIMITS.id),
    apiKeyId: cleanOrNull(event.apiKeyId, TEXT_LIMITS.id),
    userId: cleanOrNull(event.userId, TEXT_LIMITS.name),
    source: clean(event.source, 40),
    provider: clean(event.provider, TEXT_LIMITS.provider),
    accountId: cleanOrNull(event.accountId, TEXT_LIMITS.id),
    apiFlavor: clean(event.apiFlavor, 60),
    modelRequested: cleanOrNull(event.modelRequested, TEXT_LIMITS.model),
    modelServed: cleanOrNull(event.modelServed, TEXT_LIMITS.model),
    errorCode: cleanOrNull(event.errorCode, TEXT_LIMITS.name),
    serviceTier: cleanOrNull(event.serviceTier, 60),
    speed: cleanOrNull(event.speed, 60),
    geo: cleanOrNull(event.geo, 60),
    priceCard: cleanOrNull(event.priceCard, 300),
    providerCostUsd: cleanOrNull(event.providerCostUsd, 60),
    upstreamRequestId: cleanOrNull(event.upstreamRequestId, TEXT_LIMITS.name),
    sessionId: cleanOrNull(event.sessionId, TEXT_LIMITS.name),
    conversationId: cleanOrNull(event.conversationId, TEXT_LIMITS.name),
    rawUsage: cleanRaw(event.rawUsage),
    poolId: cleanOrNull(event.poolId, TEXT_LIMITS.id),
    ruleId: cleanOrNull(event.ruleId, TEXT_LIMITS.id),
    ruleChanges: cleanOrNull(event.ruleChanges, TEXT_LIMITS.ruleChanges),
  };
}
