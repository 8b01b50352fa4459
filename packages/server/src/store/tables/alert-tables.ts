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
