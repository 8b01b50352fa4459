import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteEngine } from '@tallygate/server/store/sqlite/engine';
import type { Store } from '@tallygate/server/store/store';

/**
 * A migrated SQLite store in a folder of its own, which goes when the store is closed. It works in the caller's
 * thread: starting threads takes longer than most tests, and has tests of its own.
 */
export async function openTestStore(): Promise<Store> {
  const dir = await mkdtemp(join(tmpdir(), 'tallygate-store-'));
  const store = await sqliteEngine.open(`sqlite:${join(dir, 'test.db')}`, { role: 'ledger' });
  await store.migrate();
  return {
    capabilities: store.capabilities,
    config: store.config,
    identity: store.identity,
    people: store.people,
    passkeys: store.passkeys,
    sso: store.sso,
    ledger: store.ledger,
    usage: store.usage,
    maintenance: store.maintenance,
    audit: store.audit,
    incident: store.incident,
    vault: store.vault,
    budgets: store.budgets,
    limits: store.limits,
    pool: store.pool,
    rules: store.rules,
    alerts: store.alerts,
    oauth: store.oauth,
    leases: store.leases,
    nodes: store.nodes,
    jobs: store.jobs,
    migrate: () => store.migrate(),
    schemaVersion: () => store.schemaVersion(),
    ping: () => store.ping(),
    async close() {
      await store.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** The part of a store with some methods replaced, for failures that cannot be made otherwise. */
export function withMethods<T extends object>(part: T, methods: Partial<T>): T {
  return new Proxy(part, { get: (target, name) => Reflect.get(name in methods ? methods : target, name) });
}
