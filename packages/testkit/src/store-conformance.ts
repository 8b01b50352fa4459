import type { Store, StoreEngine } from '@tallygate/server/store/store';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { alertsConformance } from './store-conformance-alerts.ts';
import { auditConformance } from './store-conformance-audit.ts';
import { budgetsConformance } from './store-conformance-budgets.ts';
import { configConformance } from './store-conformance-config.ts';
import { leasesConformance } from './store-conformance-leases.ts';
import { ledgerConformance } from './store-conformance-ledger.ts';
import { limitsConformance } from './store-conformance-limits.ts';
import { maintenanceConformance } from './store-conformance-maintenance.ts';
import { nodesConformance } from './store-conformance-nodes.ts';
import { oauthConformance } from './store-conformance-oauth.ts';
import { passkeyConformance } from './store-conformance-passkeys.ts';
import { peopleConformance } from './store-conformance-people.ts';
import { poolConformance } from './store-conformance-pool.ts';
import { redactionConformance } from './store-conformance-redaction.ts';
import { requestsConformance } from './store-conformance-requests.ts';
import { ssoConformance } from './store-conformance-sso.ts';
import { usageConformance } from './store-conformance-usage.ts';
import { vaultConformance } from './store-conformance-vault.ts';
import type { StoreTarget } from './store-target.ts';

/**
 * What the parts of the suite work with: `open` gives a migrated store that is closed after the test. Role
 * `ledger` is for one store a test: it may block its thread, which two in one thread would do to each other.
 */
export interface StoreBench {
  engine: StoreEngine;
  target: StoreTarget;
  open(role: 'main' | 'ledger', url?: string): Promise<Store>;
  /** URL of the store that `open` uses without one; new for each test. */
  url(): string;
}

/**
 * Everything that every engine has to do, run against a real store. An engine's own test calls this, and adds
 * only what is its own.
 */
export function describeStore(engine: StoreEngine, target: StoreTarget): void {
  describe.skipIf(target.skipped !== null)(`${engine.kind} store (WT-09)`, { timeout: 120_000 }, () => {
    let url = '';
    const opened: Store[] = [];
    const bench: StoreBench = {
      engine,
      target,
      url: () => url,
      async open(role, at = url) {
        const store = await engine.open(at, { role });
        opened.push(store);
        await store.migrate();
        return store;
      },
    };
    const migrate = async (at: string): Promise<void> => {
      const store = await engine.open(at, { role: 'ledger' });
      await store.migrate();
      await store.close();
    };
    beforeEach(async () => {
      url = await target.copy(migrate);
    });
    afterEach(async () => {
      for (const store of opened.splice(0)) await store.close();
      await target.clear();
    });
    afterAll(() => target.cleanUp());

    it('says what it is and answers', async () => {
      const store = await bench.open('main');
      expect(store.capabilities.kind).toBe(engine.kind);
      await expect(store.ping()).resolves.toBeUndefined();
      expect(await store.schemaVersion()).toBeGreaterThan(0);
    });
    configConformance(bench);
    peopleConformance(bench);
    passkeyConformance(bench);
    ssoConformance(bench);
    ledgerConformance(bench);
    usageConformance(bench);
    requestsConformance(bench);
    redactionConformance(bench);
    maintenanceConformance(bench);
    auditConformance(bench);
    budgetsConformance(bench);
    limitsConformance(bench);
    vaultConformance(bench);
    poolConformance(bench);
    alertsConformance(bench);
    oauthConformance(bench);
    leasesConformance(bench);
    nodesConformance(bench);
  });
}
