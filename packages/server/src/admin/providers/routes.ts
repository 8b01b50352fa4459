import { providerListResponse } from '@tallygate/contract/api/accounts';
import type { AdminDeps } from '../admin-deps.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';

/** What upstream accounts can be made of. */
export function providerRoutes(deps: AdminDeps): AdminRoute[] {
  return [
    jsonRoute({
      method: 'GET',
      path: '/api/providers',
      summary: 'Providers and the presets of compatible servers',
      access: 'permitted',
      permission: 'accounts.manage',
      response: providerListResponse,
      handler: async () => ({
        body: {
          providers: deps.providers.map((provider) => ({
            id: provider.id,
            name: provider.name,
            defaultBaseUrl: provider.defaultBaseUrl,
            credentialRequired: provider.credentialRequired,
            presets: [...provider.presets],
          })),
        },
      }),
    }),
  ];
}
