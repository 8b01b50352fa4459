import { type BackupTable, columns } from './backup-columns.ts';
import { ATTEMPT_ROWS, EVENT_TAG_ROWS, USAGE_EVENT_ROWS } from './event-columns.ts';
import { ROLLUP_SUM_COLUMNS } from './rollup-columns.ts';

const rollup = columns(
  'series_id#',
  'bucket_ms#',
  ...ROLLUP_SUM_COLUMNS.map((name) => `${name}#`),
  'latency_bins',
  'ttft_bins',
);

/** The part of a backup that grows with the traffic: rows, their sums, and how accounts fared. */
export const USAGE_BACKUP_TABLES: readonly BackupTable[] = [
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
