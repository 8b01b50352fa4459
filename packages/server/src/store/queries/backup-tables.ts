import type { BulkColumn, BulkTable } from '../dialect.ts';
import { ATTEMPT_ROWS, EVENT_TAG_ROWS, USAGE_EVENT_ROWS } from './event-columns.ts';
import { ROLLUP_SUM_COLUMNS } from './rollup-columns.ts';

export interface BackupTable extends BulkTable {
  /** Primary key: the order in which rows are read. */
  key: readonly string[];
}

/** `name` for text, `name#` for whole numbers. */
function columns(...names: string[]): BulkColumn[] {
  return names.map((name) =>
    name.endsWith('#') ? { name: name.slice(0, -1), kind: 'int' } : { name, kind: 'text' },
  );
}

const rollup = columns(
  'series_id#',
  'bucket_ms#',
  ...ROLLUP_SUM_COLUMNS.map((name) => `${name}#`),
  'latency_bins',
  'ttft_bins',
);

/**
 * What a backup holds, in an order that foreign keys allow. Left out: sessions (people sign in again), and the
 * journal checkpoints: with none, a restored store reads its journal from the start, and every row it has is
 * skipped by id, whereas a checkpoint of another journal would skip rows it has not.
 */
export const BACKUP_TABLES: readonly BackupTable[] = [
  { name: 'workspace', key: ['id'], columns: columns('id', 'name', 'created_at_ms#') },
  {
    name: 'project',
    key: ['id'],
    columns: columns('id', 'workspace_id', 'slug', 'name', 'disconnect_policy', 'created_at_ms#'),
  },
  {
    name: 'api_key',
    key: ['id'],
    columns: columns(
      'id',
      'workspace_id',
      'project_id',
      'name',
      'prefix',
      'key_hash',
      'scopes',
      'created_at_ms#',
      'expires_at_ms#',
      'revoked_at_ms#',
      'last_used_at_ms#',
      'kind',
      'restrictions',
      'rotated_at_ms#',
      'previous_key_hash',
      'previous_prefix',
      'previous_expires_at_ms#',
    ),
  },
  {
    name: 'account',
    key: ['id'],
    columns: columns(
      'id',
      'workspace_id',
      'name',
      'provider',
      'preset',
      'base_url',
      'sealed_credential',
      'credential_hint',
      'allow_private_upstream#',
      'models',
      'priority#',
      'paused#',
      'weight#',
      'created_at_ms#',
      'last_used_at_ms#',
      'pin_sha256',
      'tier#',
      'notes',
      'bound_to',
    ),
  },
  {
    name: 'account_state',
    key: ['account_id'],
    columns: columns('account_id', 'state', 'updated_at_ms#'),
  },
  {
    name: 'pool',
    key: ['id'],
    columns: columns('id', 'workspace_id', 'name', 'strategy', 'notes', 'created_at_ms#'),
  },
  { name: 'pool_member', key: ['pool_id', 'account_id'], columns: columns('pool_id', 'account_id') },
  {
    name: 'routing_rule',
    key: ['id'],
    columns: columns(
      'id',
      'workspace_id',
      'name',
      'position#',
      'enabled#',
      'conditions',
      'actions',
      'created_at_ms#',
    ),
  },
  {
    name: 'app_user',
    key: ['id'],
    columns: columns('id', 'username', 'password_hash', 'role', 'created_at_ms#', 'disabled_at_ms#'),
  },
  { name: 'custom_role', key: ['name'], columns: columns('name', 'permissions', 'created_at_ms#') },
  {
    name: 'entry_link',
    key: ['id'],
    columns: columns(
      'id',
      'code_hash',
      'role',
      'user_id',
      'note',
      'created_by',
      'created_at_ms#',
      'expires_at_ms#',
    ),
  },
  {
    name: 'user_totp',
    key: ['user_id'],
    columns: columns('user_id', 'sealed_secret', 'confirmed_at_ms#', 'last_step#', 'created_at_ms#'),
  },
  {
    name: 'recovery_code',
    key: ['user_id', 'code_hash'],
    columns: columns('user_id', 'code_hash', 'used_at_ms#'),
  },
  {
    name: 'price_override',
    key: ['id'],
    columns: columns(
      'id',
      'provider',
      'model',
      'valid_from_ms#',
      'valid_to_ms#',
      'rates',
      'note',
      'created_at_ms#',
    ),
  },
  {
    name: 'budget',
    key: ['id'],
    columns: columns(
      'id',
      'workspace_id',
      'name',
      'scope_kind',
      'scope_value',
      'measure',
      'limit_amount#',
      'window_kind',
      'time_zone',
      'mode',
      'unpriced',
      'created_at_ms#',
    ),
  },
  { name: 'setting', key: ['name'], columns: columns('name', 'value') },
  {
    name: 'audit_entry',
    key: ['seq'],
    columns: columns(
      'seq#',
      'at_ms#',
      'actor_kind',
      'actor_id',
      'actor_name',
      'action',
      'audit_class',
      'outcome',
      'status#',
      'error_code',
      'request_id',
      'address',
      'user_agent',
      'resource',
      'resource_id',
      'changes',
      'prev_hash',
      'hash',
    ),
  },
  { name: 'audit_head', key: ['id'], columns: columns('id#', 'last_seq#', 'last_hash') },
  {
    name: 'key_address',
    key: ['key_id', 'address_bucket'],
    columns: columns('key_id', 'address_bucket', 'first_seen_ms#'),
  },
  // Wrapped: a backup opens nothing without the master key.
  {
    name: 'vault_data_key',
    key: ['id', 'master_key_id'],
    columns: columns('id', 'master_key_id', 'wrapped', 'created_at_ms#'),
  },
  { name: 'ledger_head', key: ['id'], columns: columns('id#', 'last_ledger_seq#', 'last_series_id#') },
  {
    name: 'usage_series',
    key: ['id'],
    columns: columns(
      'id#',
      'series_hash',
      'grain',
      'workspace_id',
      'project_id',
      'api_key_id',
      'user_id',
      'source',
      'provider',
      'account_id',
      'model_served',
      'status',
    ),
  },
  { ...USAGE_EVENT_ROWS, key: ['ledger_seq'] },
  { ...ATTEMPT_ROWS, key: ['ledger_seq', 'attempt_index'] },
  { ...EVENT_TAG_ROWS, key: ['tag', 'started_at_ms', 'ledger_seq'] },
  { name: 'rollup_hour', key: ['series_id', 'bucket_ms'], columns: rollup },
  {
    name: 'account_hour',
    key: ['account_id', 'pool_id', 'bucket_ms'],
    columns: columns(
      'account_id',
      'pool_id',
      'bucket_ms#',
      'attempts#',
      'served#',
      'limited#',
      'refused#',
      'failed#',
      'sessions_moved#',
      'cache_lost_tokens#',
      'cache_loss_nano_usd#',
    ),
  },
  { name: 'rollup_day', key: ['series_id', 'bucket_ms'], columns: rollup },
];

/** A store that has rows here is in use: nothing is restored over it. */
export const IN_USE_TABLES = ['usage_event', 'app_user', 'account', 'api_key', 'price_override'] as const;
