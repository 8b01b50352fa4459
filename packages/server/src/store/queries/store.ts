import { sql } from 'kysely';
import { systemClock } from '../../kernel/clock.ts';
import type { StoreDatabase } from '../dialect.ts';
import { migrate, schemaVersionOf } from '../migrations/migrate.ts';
import type { Migration } from '../migrations/migration.ts';
import type { AtOneMoment, Store, StoreCapabilities } from '../store.ts';
import { createAlertStore } from './alerts.ts';
import { createAuditStore } from './audit.ts';
import { createBudgetStore } from './budgets.ts';
import { createConfigStore } from './config.ts';
import { createIdentityStore } from './identity.ts';
import { createIncidentStore } from './incident.ts';
import { createJobStore } from './jobs.ts';
import { createLeaseStore } from './leases.ts';
import { createLedgerStore } from './ledger.ts';
import { createLimitStore } from './limits.ts';
import { createMaintenanceStore } from './maintenance.ts';
import { createNodeStore } from './nodes.ts';
import { createOauthStore } from './oauth.ts';
import { createPasskeyStore } from './passkeys.ts';
import { createPeopleStore } from './people.ts';
import { createPoolStore } from './pool.ts';
import { createRuleStore } from './rules.ts';
import { createSsoStore } from './sso.ts';
import { createUsageQueries } from './usage.ts';
import { createVaultStore } from './vault.ts';

/** The store over an open database: the queries are the same for every engine. */
export function createStore(
  database: StoreDatabase,
  capabilities: StoreCapabilities,
  migrations: readonly Migration[],
): Store {
  return {
    capabilities,
    migrate: () => migrate(database, migrations, systemClock.now()),
    schemaVersion: () => schemaVersionOf(database),
    async ping() {
      await sql`select 1`.execute(database.kysely);
    },
    config: createConfigStore(database),
    identity: createIdentityStore(database),
    people: createPeopleStore(database),
    passkeys: createPasskeyStore(database),
    sso: createSsoStore(database),
    ledger: createLedgerStore(database),
    usage: createUsageQueries(database),
    maintenance: createMaintenanceStore(database, () => systemClock.now()),
    audit: createAuditStore(database),
    incident: createIncidentStore(database),
    vault: createVaultStore(database),
    budgets: createBudgetStore(database),
    limits: createLimitStore(database),
    pool: createPoolStore(database),
    rules: createRuleStore(database),
    alerts: createAlertStore(database),
    oauth: createOauthStore(database),
    leases: createLeaseStore(database),
    nodes: createNodeStore(database),
    jobs: createJobStore(database),
    atOneMoment: atOneMoment(database),
    close: () => database.close(),
  };
}

/** The same questions, all put to one snapshot. */
function atOneMoment(database: StoreDatabase): AtOneMoment {
  return (work) =>
    database.snapshot((db) => {
      const still: StoreDatabase = { ...database, kysely: db, snapshot: (inner) => inner(db) };
      return work({ usage: createUsageQueries(still), budgets: createBudgetStore(still) });
    });
}
