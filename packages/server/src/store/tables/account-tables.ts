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
