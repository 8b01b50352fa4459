import type { TokenColumn, UnitColumn } from './column-names.ts';

/** One distinct combination of dimensions at one grain; rows and rollups point at it by number. */
export interface UsageSeriesTable {
  id: number;
  /** SHA-256 of grain and dimensions, unique: wide text does not fit every engine's index. */
  series_hash: string;
  grain: string;
  workspace_id: string;
  project_id: string | null;
  api_key_id: string | null;
  user_id: string | null;
  source: string | null;
  provider: string | null;
  account_id: string | null;
  model_served: string | null;
  status: string | null;
}

export interface UsageEventTable
  extends Record<TokenColumn, number | null>,
    Record<UnitColumn, number | null> {
  ledger_seq: number;
  id: string;
  parent_id: string | null;
  /** The `detail` series: workspace, project, key, user, source, provider, account, model served, status. */
  series_id: number;
  started_at_ms: number;
  first_byte_at_ms: number | null;
  ended_at_ms: number | null;
  latency_ms: number | null;
  ttft_ms: number | null;
  api_flavor: string;
  model_requested: string | null;
  stream: number;
  http_status: number | null;
  error_code: string | null;
  weighted_tokens: number | null;
  service_tier: string | null;
  speed: string | null;
  geo: string | null;
  batch: number;
  /** Written as bigint, read as text. */
  cost_nano_usd: bigint | string | null;
  price_card: string | null;
  price_status: string;
  settle_status: string;
  provider_cost_usd: string | null;
  upstream_request_id: string | null;
  session_id: string | null;
  conversation_id: string | null;
  tags: string | null;
  request_bytes: number | null;
  response_bytes: number | null;
  raw_usage: string | null;
  pool_id: string | null;
  rule_id: string | null;
  rule_changes: string | null;
  cache_lost_tokens: number | null;
  /** Written as bigint, read as text. */
  cache_loss_nano_usd: bigint | string | null;
}

export interface AttemptTable {
  ledger_seq: number;
  attempt_index: number;
  account_id: string | null;
  provider: string;
  started_at_ms: number;
  first_byte_at_ms: number | null;
  ended_at_ms: number | null;
  http_status: number | null;
  outcome: string;
  error_code: string | null;
  upstream_request_id: string | null;
  model: string | null;
  chosen_by: string | null;
}

export interface EventTagTable {
  tag: string;
  started_at_ms: number;
  ledger_seq: number;
}

/** Additive sums of a series over one UTC hour or day. Histograms are text: `accounting/latency-histogram`. */
export interface RollupTable extends Record<TokenColumn, number> {
  series_id: number;
  bucket_ms: number;
  events: number;
  requests: number;
  errors: number;
  unpriced_requests: number;
  unpriced_tokens: number;
  estimated_requests: number;
  interrupted_requests: number;
  weighted_tokens: number;
  cost_nano_usd: bigint | string;
  latency_bins: string;
  ttft_bins: string;
}

export interface LedgerCheckpointTable {
  node_id: string;
  segment: number;
  segment_offset: number;
  low_water_segment: number;
}

/** One row. Updating it first makes commits of all nodes take turns, so sequence numbers follow commit order. */
export interface LedgerHeadTable {
  id: number;
  last_ledger_seq: number;
  last_series_id: number;
}
