import type {
  AccountHourTable,
  AccountOauthTable,
  AccountStateTable,
  AccountTable,
  LeaseTable,
  OauthSessionTable,
  PoolMemberTable,
  PoolTable,
  RoutingRuleTable,
} from './tables/account-tables.ts';
import type {
  AlertChannelTable,
  AlertDeliveryTable,
  AlertEventTable,
  AlertRuleTable,
  AlertStateTable,
} from './tables/alert-tables.ts';
import type { AuditEntryTable, AuditHeadTable, KeyAddressTable } from './tables/audit-tables.ts';
import type {
  ApiKeyTable,
  BudgetTable,
  PriceOverrideTable,
  ProjectTable,
  RateLimitTable,
  SettingTable,
  VaultDataKeyTable,
  WorkspaceTable,
} from './tables/config-tables.ts';
import type { JobTable, NodeTable } from './tables/node-tables.ts';
import type {
  AppUserTable,
  CustomRoleTable,
  EntryLinkTable,
  MembershipTable,
  PasskeyTable,
  RecoveryCodeTable,
  SessionTable,
  SpentChallengeTable,
  SsoIdentityTable,
  UserTotpTable,
} from './tables/people-tables.ts';
import type {
  AttemptTable,
  EventTagTable,
  LedgerCheckpointTable,
  LedgerHeadTable,
  RollupTable,
  UsageEventTable,
  UsageSeriesTable,
} from './tables/usage-tables.ts';

export interface StoreLockTable {
  name: string;
  turn: number;
}

export interface SchemaMigrationTable {
  version: number;
  name: string;
  applied_at_ms: number;
}

/**
 * Tables as the program sees them. Whole numbers and text only, so that every engine stores them alike: times
 * are epoch milliseconds, flags 0 or 1, lists JSON text, money an integer that is read back as text.
 */
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
  node: NodeTable;
  job: JobTable;
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
