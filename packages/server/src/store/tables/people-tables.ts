export interface AppUserTable {
  id: string;
  username: string;
  /** The name as it is compared, so that no two differ by case alone. Null until a start fills it in, when an older program made the user. */
  username_folded: string | null;
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
