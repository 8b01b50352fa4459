import { healthResponse, readyResponse } from '@tallygate/contract/api/system';
import type { AdminDeps } from '../admin-deps.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';

/** Liveness and readiness, for whoever watches the process; they tell nothing else. */
export function healthRoutes(deps: AdminDeps): AdminRoute[] {
  return [
    jsonRoute({
      method: 'GET',
      listener: 'both',
      path: '/healthz',
      summary: 'The process is alive',
      access: 'public',
      rateClass: 'none',
      response: healthResponse,
      handler: async () => ({ body: { ok: true as const } }),
    }),
    jsonRoute({
      method: 'GET',
      listener: 'both',
      path: '/readyz',
      summary: 'Store, journal, migrations and disk are ready for traffic; 503 when one is not',
      access: 'public',
      rateClass: 'none',
      response: readyResponse,
      handler: async () => {
        const { ok, checks } = await deps.readiness();
        return { body: { ok, checks: [...checks] }, status: ok ? 200 : 503 };
      },
    }),
  ];
}
