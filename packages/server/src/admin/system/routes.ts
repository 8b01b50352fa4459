import { systemResponse } from '@tallygate/contract/api/system';
import type { AdminDeps } from '../admin-deps.ts';
import { toIso } from '../instant.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';

/** What runs here. */
export function systemRoutes(deps: AdminDeps): AdminRoute[] {
  return [
    jsonRoute({
      method: 'GET',
      path: '/api/system',
      summary: 'Version, store, journal and price book of this server',
      access: 'permitted',
      permission: 'system.view',
      response: systemResponse,
      handler: async () => ({
        body: {
          version: deps.info.version,
          startedAt: toIso(deps.info.startedAtMs),
          store: { kind: deps.info.storeKind, schemaVersion: await deps.store.schemaVersion() },
          journal: deps.journalStatus(),
          prices: deps.priceInfo(),
          warnings: [...deps.systemWarnings()],
        },
      }),
    }),
  ];
}
