import type { Migration } from './migration.ts';

/** Requests of one session are found, summed and redacted without a walk through all others. */
export const addSessionIndex: Migration = {
  version: 21,
  name: 'index of sessions',
  async up(db, dialect) {
    const index = db.schema
      .createIndex('usage_event_session')
      .on('usage_event')
      .columns(['session_id', 'started_at_ms', 'ledger_seq']);
    await dialect.sparseIndex(index, 'session_id').execute();
  },
};
