import { sql } from 'kysely';
import type { Migration } from './migration.ts';

/** What every node keeps in memory. When a key or an account was last used is not: that is written all the time. */
const WATCHED = [
  { table: 'workspace', except: null },
  { table: 'project', except: null },
  { table: 'api_key', except: 'last_used_at_ms' },
  { table: 'account', except: 'last_used_at_ms' },
  { table: 'account_oauth', except: null },
  { table: 'price_override', except: null },
  { table: 'setting', except: null },
  { table: 'budget', except: null },
  { table: 'rate_limit', except: null },
  { table: 'pool', except: null },
  { table: 'pool_member', except: null },
  { table: 'routing_rule', except: null },
] as const;

/** A number that every change of the configuration raises, in its own transaction: other nodes look for it. */
export const addConfigTurn: Migration = {
  version: 19,
  name: 'turn of the configuration',
  async up(db, dialect) {
    await sql`insert into store_lock (name, turn) values ('config', 0)`.execute(db);
    for (const { table, except } of WATCHED)
      await dialect.countChanges(db, { table, except, counter: 'config' });
  },
};
