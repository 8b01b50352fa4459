import type { SystemView } from '@tallygate/contract/api/system';
import type { AdminDeps } from '../admin-deps.ts';
import { toIso } from '../instant.ts';

/** Version, store, journal and price book of this server. */
export async function systemView(deps: AdminDeps): Promise<SystemView> {
  return {
    version: deps.info.version,
    startedAt: toIso(deps.info.startedAtMs),
    store: { kind: deps.info.storeKind, schemaVersion: await deps.store.schemaVersion() },
    journal: deps.journalStatus(),
    prices: deps.priceInfo(),
    warnings: [...deps.systemWarnings()],
  };
}
