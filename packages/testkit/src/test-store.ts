import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteEngine } from '@tallygate/server/store/sqlite/engine';
import type { Store } from '@tallygate/server/store/store';

/** The file of a migrated store without rows; every test's own begins as these bytes. */
let migrated: Promise<Buffer> | null = null;

async function migrate(): Promise<Buffer> {
  const dir = await mkdtemp(join(tmpdir(), 'tallygate-store-'));
  try {
    const path = join(dir, 'test.db');
    const store = await sqliteEngine.open(`sqlite:${path}`, { role: 'ledger' });
    await store.migrate();
    await store.close();
    return await readFile(path);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/**
 * A migrated SQLite store in a folder of its own, which goes when the store is closed. It works in the caller's
 * thread: starting threads takes longer than most tests, and has tests of its own.
 */
export async function openTestStore(): Promise<Store> {
  migrated ??= migrate();
  const dir = await mkdtemp(join(tmpdir(), 'tallygate-store-'));
  const path = join(dir, 'test.db');
  await writeFile(path, await migrated, { mode: 0o600 });
  const store = await sqliteEngine.open(`sqlite:${path}`, { role: 'ledger' });
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
    atOneMoment: store.atOneMoment,
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
