import { poolResponse, poolUpdateRequest } from '@tallygate/contract/api/pool';
import type { AdminDeps } from '../admin-deps.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';

/** How accounts are chosen; a change takes effect with the next request. */
export function poolRoutes({ pool }: AdminDeps): AdminRoute[] {
  const guarded = { access: 'permitted', permission: 'accounts.manage', path: '/api/pool' } as const;
  return [
    jsonRoute({
      ...guarded,
      method: 'GET',
      summary: 'How accounts are chosen',
      response: poolResponse,
      handler: async () => ({ body: pool.view() }),
    }),
    jsonRoute({
      ...guarded,
      method: 'PATCH',
      reach: 'installation',
      summary: 'Choose another strategy, or go back to the setting of the server',
      body: poolUpdateRequest,
      response: poolResponse,
      handler: async ({ body }) => ({ body: await pool.choose(body.strategy) }),
    }),
  ];
}
