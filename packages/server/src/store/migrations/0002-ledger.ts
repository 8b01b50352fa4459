import { type Kysely, sql } from 'kysely';
import type { SqlDialect } from '../dialect.ts';
import type { Schema } from '../schema.ts';
import type { Migration } from './migration.ts';

const ID = 'varchar(64)' as const;
const TOKEN_COLUMNS = [
  'input_uncached_tokens',
  'cache_read_tokens',
  'cache_write5m_tokens',
  'cache_write1h_tokens',
  'cache_write_other_tokens',
  'input_audio_tokens',
  'cache_read_audio_tokens',
  'input_image_tokens',
  'input_tool_tokens',
  'output_visible_tokens',
  'output_reasoning_tokens',
  'output_audio_tokens',
  'output_image_tokens',
];
const UNIT_COLUMNS = ['web_search_requests', 'web_fetch_requests', 'code_execution_requests'];

async function createSeries(db: Kysely<Schema>, dialect: SqlDialect): Promise<void> {
  await db.schema
    .createTable('usage_series')
    .addColumn('id', dialect.rowNumberType, (column) => column.primaryKey())
    .addColumn('series_hash', 'varchar(64)', (column) => column.notNull().unique())
    .addColumn('grain', 'varchar(10)', (column) => column.notNull())
    .addColumn('workspace_id', ID, (column) => column.notNull())
    .addColumn('project_id', ID)
    .addColumn('api_key_id', ID)
    .addColumn('user_id', 'varchar(200)')
    .addColumn('source', 'varchar(40)')
    .addColumn('provider', 'varchar(60)')
    .addColumn('account_id', ID)
    .addColumn('model_served', 'varchar(200)')
    .addColumn('status', 'varchar(20)')
    .execute();
  for (const dimension of ['project_id', 'api_key_id', 'provider', 'account_id', 'model_served', 'status']) {
    await db.schema
      .createIndex(`usage_series_${dimension}`)
      .on('usage_series')
      .columns(['grain', dimension])
      .execute();
  }
}

async function createEvents(db: Kysely<Schema>, dialect: SqlDialect): Promise<void> {
  let table = db.schema
    .createTable('usage_event')
    .addColumn('ledger_seq', dialect.rowNumberType, (column) => column.primaryKey())
    .addColumn('id', ID, (column) => column.notNull())
    .addColumn('parent_id', ID)
    .addColumn('series_id', 'bigint', (column) => column.notNull())
    .addColumn('started_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('first_byte_at_ms', 'bigint')
    .addColumn('ended_at_ms', 'bigint')
    .addColumn('latency_ms', 'bigint')
    .addColumn('ttft_ms', 'bigint')
    .addColumn('api_flavor', 'varchar(60)', (column) => column.notNull())
    .addColumn('model_requested', 'varchar(200)')
    .addColumn('stream', 'smallint', (column) => column.notNull())
    .addColumn('http_status', 'bigint')
    .addColumn('error_code', 'varchar(200)');
  for (const name of [...TOKEN_COLUMNS, ...UNIT_COLUMNS]) table = table.addColumn(name, 'bigint');
  await table
    .addColumn('weighted_tokens', 'bigint')
    .addColumn('service_tier', 'varchar(60)')
    .addColumn('speed', 'varchar(60)')
    .addColumn('geo', 'varchar(60)')
    .addColumn('batch', 'smallint', (column) => column.notNull())
    .addColumn('cost_nano_usd', 'bigint')
    .addColumn('price_card', 'varchar(300)')
    .addColumn('price_status', 'varchar(20)', (column) => column.notNull())
    .addColumn('settle_status', 'varchar(20)', (column) => column.notNull())
    .addColumn('provider_cost_usd', 'varchar(60)')
    .addColumn('upstream_request_id', 'varchar(200)')
    .addColumn('session_id', 'varchar(200)')
    .addColumn('conversation_id', 'varchar(200)')
    .addColumn('tags', 'text')
    .addColumn('request_bytes', 'bigint')
    .addColumn('response_bytes', 'bigint')
    .addColumn('raw_usage', 'text')
    .execute();
  await db.schema.createIndex('usage_event_id').on('usage_event').column('id').unique().execute();
  // The series in it lets a filtered scan by time skip rows without fetching them.
  await db.schema
    .createIndex('usage_event_time')
    .on('usage_event')
    .columns(['started_at_ms', 'ledger_seq', 'series_id'])
    .execute();
  await db.schema
    .createIndex('usage_event_series')
    .on('usage_event')
    .columns(['series_id', 'started_at_ms', 'ledger_seq'])
    .execute();
  const parent = db.schema.createIndex('usage_event_parent').on('usage_event').column('parent_id');
  await dialect.sparseIndex(parent, 'parent_id').execute();
}

async function createEventParts(db: Kysely<Schema>, dialect: SqlDialect): Promise<void> {
  const attempt = db.schema
    .createTable('attempt')
    .addColumn('ledger_seq', 'bigint', (column) => column.notNull())
    .addColumn('attempt_index', 'bigint', (column) => column.notNull())
    .addColumn('account_id', ID)
    .addColumn('provider', 'varchar(60)', (column) => column.notNull())
    .addColumn('started_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('first_byte_at_ms', 'bigint')
    .addColumn('ended_at_ms', 'bigint')
    .addColumn('http_status', 'bigint')
    .addColumn('outcome', 'varchar(40)', (column) => column.notNull())
    .addColumn('error_code', 'varchar(200)')
    .addColumn('upstream_request_id', 'varchar(200)')
    .addPrimaryKeyConstraint('attempt_key', ['ledger_seq', 'attempt_index']);
  await dialect.clustered(attempt).execute();
  const tag = db.schema
    .createTable('event_tag')
    .addColumn('tag', 'varchar(200)', (column) => column.notNull())
    .addColumn('started_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('ledger_seq', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('event_tag_key', ['tag', 'started_at_ms', 'ledger_seq']);
  await dialect.clustered(tag).execute();
}

const ROLLUP_MEASURES = [
  'events',
  'requests',
  'errors',
  'unpriced_requests',
  'unpriced_tokens',
  'estimated_requests',
  'interrupted_requests',
  'weighted_tokens',
  ...TOKEN_COLUMNS,
  'cost_nano_usd',
];

async function createRollup(db: Kysely<Schema>, dialect: SqlDialect, name: string): Promise<void> {
  let table = db.schema
    .createTable(name)
    .addColumn('series_id', 'bigint', (column) => column.notNull())
    .addColumn('bucket_ms', 'bigint', (column) => column.notNull());
  for (const measure of ROLLUP_MEASURES) {
    table = table.addColumn(measure, 'bigint', (column) => column.notNull().defaultTo(0));
  }
  table = table
    .addColumn('latency_bins', 'text', (column) => column.notNull())
    .addColumn('ttft_bins', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint(`${name}_key`, ['series_id', 'bucket_ms']);
  await dialect.clustered(table).execute();
}

async function createLedgerState(db: Kysely<Schema>): Promise<void> {
  await db.schema
    .createTable('ledger_checkpoint')
    .addColumn('node_id', 'varchar(100)', (column) => column.primaryKey())
    .addColumn('segment', 'bigint', (column) => column.notNull())
    .addColumn('segment_offset', 'bigint', (column) => column.notNull())
    .addColumn('low_water_segment', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('ledger_head')
    .addColumn('id', 'bigint', (column) => column.primaryKey())
    .addColumn('last_ledger_seq', 'bigint', (column) => column.notNull())
    .addColumn('last_series_id', 'bigint', (column) => column.notNull())
    .execute();
  await sql`insert into ledger_head (id, last_ledger_seq, last_series_id) values (1, 0, 0)`.execute(db);
}

export const createLedgerTables: Migration = {
  version: 2,
  name: 'ledger and rollups',
  async up(db, dialect) {
    await createSeries(db, dialect);
    await createEvents(db, dialect);
    await createEventParts(db, dialect);
    await createRollup(db, dialect, 'rollup_hour');
    await createRollup(db, dialect, 'rollup_day');
    await createLedgerState(db);
  },
};
