import type { TokenBucket, UnitCount } from '@tallygate/contract/usage';

/**
 * Tables as the program sees them. Whole numbers and text only, so that every engine stores them alike: times
 * are epoch milliseconds, flags 0 or 1, lists JSON text, money an integer that is read back as text.
 */
export interface WorkspaceTable {
  id: string;
  slug: string;
  name: string;
  /** JSON list; null holds for an empty one. */
  allowed_addresses: string | null;
  created_at_ms: number;
}
export interface ProjectTable {
  id: string;
  workspace_id: string;
  slug: string;
  name: string;
  disconnect_policy: string;
  environment: string;
  created_at_ms: number;
}
export interface ApiKeyTable {
  id: string;
  workspace_id: string;
  project_id: string;
  name: string;
  prefix: string;
  key_hash: string;
  user_id: string | null;
  scopes: string;
  created_at_ms: number;
  expires_at_ms: number | null;
  revoked_at_ms: number | null;
  last_used_at_ms: number | null;
  /** Null for keys that were issued here. */
  kind: string | null;
  /** JSON text; null when the key has no limits. */
  restrictions: string | null;
  rotated_at_ms: number | null;
  previous_key_hash: string | null;
  previous_prefix: string | null;
  previous_expires_at_ms: number | null;
}
export interface VaultDataKeyTable {
  id: string;
  master_key_id: string;
  wrapped: string;
  created_at_ms: number;
}
export interface AccountTable {
  id: string;
  workspace_id: string;
  name: string;
  provider: string;
  preset: string | null;
  base_url: string;
  sealed_credential: string | null;
  credential_hint: string | null;
  allow_private_upstream: number;
  /** JSON list; null holds for an empty one. */
  pin_sha256: string | null;
  models: string;
  priority: number;
  paused: number;
  weight: number;
  tier: number;
  notes: string | null;
  /** JSON list; null holds for an empty one. */
  bound_to: string | null;
  created_at_ms: number;
  last_used_at_ms: number | null;
}
export interface AccountStateTable {
  account_id: string;
  state: string;
  updated_at_ms: number;
}
export interface PoolTable {
  id: string;
  workspace_id: string;
  name: string;
  strategy: string;
  notes: string | null;
  created_at_ms: number;
}
export interface PoolMemberTable {
  pool_id: string;
  account_id: string;
}
export interface RoutingRuleTable {
  id: string;
  workspace_id: string;
  name: string;
  position: number;
  enabled: number;
  conditions: string;
  actions: string;
  created_at_ms: number;
}
/** How an account fared in one UTC hour; `pool_id` is empty for the pool of all accounts. */
export interface AccountHourTable {
  account_id: string;
  pool_id: string;
  bucket_ms: number;
  attempts: number;
  served: number;
  limited: number;
  refused: number;
  failed: number;
  sessions_moved: number;
  cache_lost_tokens: number;
  /** Written as bigint, read as text. */
  cache_loss_nano_usd: bigint | string;
}
export interface AccountOauthTable {
  account_id: string;
  client: string;
  sealed_secrets: string;
  expires_at_ms: number | null;
  version: number;
  reauth_reason: string | null;
  updated_at_ms: number;
}
export interface OauthSessionTable {
  id: string;
  sealed_payload: string;
  created_at_ms: number;
  expires_at_ms: number;
}
export interface LeaseTable {
  name: string;
  holder: string;
  token: number;
  expires_at_ms: number;
}
export interface AppUserTable {
  id: string;
  username: string;
  password_hash: string;
  created_at_ms: number;
  disabled_at_ms: number | null;
}
export interface MembershipTable {
  user_id: string;
  workspace_id: string;
  role: string;
  created_at_ms: number;
}
export interface CustomRoleTable {
  name: string;
  permissions: string;
  created_at_ms: number;
}
export interface EntryLinkTable {
  id: string;
  code_hash: string;
  /** Of an invitation. */
  workspace_id: string | null;
  role: string | null;
  user_id: string | null;
  note: string | null;
  created_by: string | null;
  created_at_ms: number;
  expires_at_ms: number;
}
export interface UserTotpTable {
  user_id: string;
  sealed_secret: string;
  confirmed_at_ms: number | null;
  last_step: number;
  created_at_ms: number;
}
export interface RecoveryCodeTable {
  user_id: string;
  code_hash: string;
  used_at_ms: number | null;
}
export interface PasskeyTable {
  id: string;
  user_id: string;
  credential_id: string;
  public_key: string;
  sign_count: number;
  transports: string;
  rp_id: string;
  name: string;
  created_at_ms: number;
  last_used_at_ms: number | null;
}
export interface SpentChallengeTable {
  id: string;
  expires_at_ms: number;
}
export interface SsoIdentityTable {
  id: string;
  user_id: string;
  issuer: string;
  subject: string;
  managed: number;
  created_at_ms: number;
  last_used_at_ms: number;
}
export interface SessionTable {
  id_hash: string;
  user_id: string;
  csrf_hash: string;
  created_at_ms: number;
  last_seen_at_ms: number;
  expires_at_ms: number;
  address: string | null;
  user_agent: string | null;
  second_factor_tries: number | null;
  method: string | null;
  /** The one last chosen; null until somebody chose. */
  workspace_id: string | null;
}
export interface PriceOverrideTable {
  id: string;
  provider: string;
  model: string;
  valid_from_ms: number | null;
  valid_to_ms: number | null;
  rates: string;
  note: string | null;
  created_at_ms: number;
}
export interface BudgetTable {
  id: string;
  workspace_id: string;
  name: string;
  scope_kind: string;
  scope_value: string;
  /** JSON list of `{kind, value}`; null in rows of before budgets had several parts. */
  scope: string | null;
  measure: string;
  limit_amount: number;
  window_kind: string;
  window_hours: number | null;
  /** 0 or 1. */
  sliding: number;
  time_zone: string;
  mode: string;
  unpriced: string;
  on_outage: string;
  provisional_nano_per_mtok: number | null;
  created_at_ms: number;
}
export interface SettingTable {
  name: string;
  value: string;
}

type Snake<S extends string> = S extends `${infer Head}${infer Tail}`
  ? Head extends Uncapitalize<Head>
    ? `${Head}${Snake<Tail>}`
    : `_${Uncapitalize<Head>}${Snake<Tail>}`
  : S;
/** `cacheWrite5m` is stored as `cache_write5m_tokens`. */
export type TokenColumn = `${Snake<TokenBucket>}_tokens`;
export type UnitColumn = Snake<UnitCount>;

/** One distinct combination of dimensions at one grain; rows and rollups point at it by number. */
export interface RateLimitTable {
  id: string;
  workspace_id: string;
  name: string;
  /** JSON list of `{kind, value}`. */
  scope: string;
  counted_per: string;
  measure: string;
  limit_amount: number;
  window_kind: string | null;
  burst_amount: number | null;
  created_at_ms: number;
}
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
export interface AuditEntryTable {
  seq: number;
  at_ms: number;
  actor_kind: string;
  actor_id: string | null;
  actor_name: string | null;
  action: string;
  audit_class: string;
  outcome: string;
  status: number | null;
  error_code: string | null;
  request_id: string | null;
  address: string | null;
  user_agent: string | null;
  resource: string | null;
  resource_id: string | null;
  /** Null for the first workspace and the installation. */
  workspace_id: string | null;
  /** JSON list of `[field, before, after]`. */
  changes: string;
  prev_hash: string;
  hash: string;
}
/** One row: the last entry of the chain. Updating it first makes writers take turns. */
export interface AuditHeadTable {
  id: number;
  last_seq: number;
  last_hash: string;
}
export interface KeyAddressTable {
  key_id: string;
  address_bucket: string;
  first_seen_ms: number;
}
export interface AlertRuleTable {
  id: string;
  workspace_id: string;
  name: string;
  environment: string | null;
  severity: string;
  /** JSON texts. */
  filter: string;
  condition_json: string;
  channel_ids: string;
  cooldown_ms: number;
  notify_recovery: number;
  enabled: number;
  created_at_ms: number;
}
export interface AlertStateTable {
  rule_id: string;
  subject: string;
  version: number;
  firing: number;
  since_ms: number;
  last_fired_at_ms: number | null;
  last_seen_at_ms: number;
}
export interface AlertEventTable {
  id: string;
  workspace_id: string;
  rule_id: string | null;
  rule_name: string;
  subject: string;
  version: number;
  state: string;
  severity: string;
  environment: string | null;
  at_ms: number;
  since_ms: number;
  /** JSON text: title, text and facts. */
  body: string;
}
export interface AlertChannelTable {
  id: string;
  workspace_id: string;
  name: string;
  kind: string;
  config: string;
  sealed_secret: string | null;
  destination: string;
  allow_private: number;
  template: string | null;
  enabled: number;
  created_at_ms: number;
}
export interface AlertDeliveryTable {
  id: string;
  event_id: string;
  channel_id: string;
  status: string;
  attempts: number;
  created_at_ms: number;
  next_attempt_at_ms: number;
  expires_at_ms: number;
  finished_at_ms: number | null;
  claim_token: string | null;
  claimed_until_ms: number;
  log: string;
}
export interface StoreLockTable {
  name: string;
  turn: number;
}
export interface SchemaMigrationTable {
  version: number;
  name: string;
  applied_at_ms: number;
}

export interface Schema {
  workspace: WorkspaceTable;
  project: ProjectTable;
  api_key: ApiKeyTable;
  account: AccountTable;
  account_state: AccountStateTable;
  pool: PoolTable;
  pool_member: PoolMemberTable;
  routing_rule: RoutingRuleTable;
  account_hour: AccountHourTable;
  account_oauth: AccountOauthTable;
  oauth_session: OauthSessionTable;
  lease: LeaseTable;
  app_user: AppUserTable;
  membership: MembershipTable;
  custom_role: CustomRoleTable;
  entry_link: EntryLinkTable;
  user_totp: UserTotpTable;
  recovery_code: RecoveryCodeTable;
  passkey: PasskeyTable;
  spent_challenge: SpentChallengeTable;
  sso_identity: SsoIdentityTable;
  session: SessionTable;
  price_override: PriceOverrideTable;
  setting: SettingTable;
  vault_data_key: VaultDataKeyTable;
  budget: BudgetTable;
  rate_limit: RateLimitTable;
  usage_series: UsageSeriesTable;
  usage_event: UsageEventTable;
  attempt: AttemptTable;
  event_tag: EventTagTable;
  rollup_hour: RollupTable;
  rollup_day: RollupTable;
  ledger_checkpoint: LedgerCheckpointTable;
  ledger_head: LedgerHeadTable;
  audit_entry: AuditEntryTable;
  audit_head: AuditHeadTable;
  key_address: KeyAddressTable;
  alert_rule: AlertRuleTable;
  alert_state: AlertStateTable;
  alert_event: AlertEventTable;
  alert_channel: AlertChannelTable;
  alert_delivery: AlertDeliveryTable;
  store_lock: StoreLockTable;
  schema_migration: SchemaMigrationTable;
}

/** `cacheWrite5m` → `cache_write5m_tokens`. */
export function tokenColumn(bucket: TokenBucket): TokenColumn {
  return `${snake(bucket)}_tokens` as TokenColumn;
}
/** `webSearchRequests` → `web_search_requests`. */
export function unitColumn(unit: UnitCount): UnitColumn {
  return snake(unit) as UnitColumn;
}
/** `modelServed` → `model_served`. */
export function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
