import { systemResponse } from '@tallygate/contract/api/system';
import type { AdminDeps } from '../admin-deps.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';
import { systemView } from './system-view.ts';

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
      handler: async () => ({ body: await systemView(deps) }),
    }),
  ];
}
