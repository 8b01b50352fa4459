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

export interface SettingTable {
  name: string;
  value: string;
}
