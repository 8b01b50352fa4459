import type { Migration } from './migration.ts';

/** Other nodes look for changes of limits as they do for those of budgets. */
export const watchLimits: Migration = {
  version: 20,
  name: 'watch limits',
  async up(db, dialect) {
    await dialect.countChanges(db, { table: 'rate_limit', except: null, counter: 'config' });
  },
};
