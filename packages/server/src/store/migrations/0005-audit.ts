import { sql } from 'kysely';
import type { Migration } from './migration.ts';

const ID = 'varchar(64)' as const;
const HASH = 'varchar(64)' as const;

export const createAuditTables: Migration = {
  version: 5,
  name: 'audit log',
  async up(db, dialect) {
    await db.schema
      .createTable('audit_entry')
      .addColumn('seq', dialect.rowNumberType, (column) => column.primaryKey())
      .addColumn('at_ms', 'bigint', (column) => column.notNull())
      .addColumn('actor_kind', 'varchar(20)', (column) => column.notNull())
      .addColumn('actor_id', ID)
      .addColumn('actor_name', 'varchar(200)')
      .addColumn('action', 'varchar(200)', (column) => column.notNull())
      .addColumn('audit_class', 'varchar(20)', (column) => column.notNull())
      .addColumn('outcome', 'varchar(20)', (column) => column.notNull())
      .addColumn('status', 'bigint')
      .addColumn('error_code', 'varchar(60)')
      .addColumn('request_id', ID)
      .addColumn('address', 'varchar(100)')
      .addColumn('user_agent', 'text')
      .addColumn('resource', 'varchar(60)')
      .addColumn('resource_id', ID)
      .addColumn('changes', 'text', (column) => column.notNull())
      .addColumn('prev_hash', HASH, (column) => column.notNull())
      .addColumn('hash', HASH, (column) => column.notNull())
      .execute();
    await db.schema.createIndex('audit_entry_time').on('audit_entry').column('at_ms').execute();
    await db.schema.createIndex('audit_entry_actor').on('audit_entry').columns(['actor_id', 'seq']).execute();
    await db.schema
      .createIndex('audit_entry_resource')
      .on('audit_entry')
      .columns(['resource_id', 'seq'])
      .execute();
    await db.schema
      .createTable('audit_head')
      .addColumn('id', 'bigint', (column) => column.primaryKey())
      .addColumn('last_seq', 'bigint', (column) => column.notNull())
      .addColumn('last_hash', HASH, (column) => column.notNull())
      .execute();
    await sql`insert into audit_head (id, last_seq, last_hash) values (1, 0, ${'0'.repeat(64)})`.execute(db);
    await db.schema
      .createTable('key_address')
      .addColumn('key_id', ID, (column) => column.notNull())
      .addColumn('address_bucket', 'varchar(100)', (column) => column.notNull())
      .addColumn('first_seen_ms', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('key_address_key', ['key_id', 'address_bucket'])
      .execute();
  },
};
