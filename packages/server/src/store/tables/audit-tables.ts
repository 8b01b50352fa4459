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
