import { accountRoutes } from './accounts/routes.ts';
import type { AdminContext } from './admin-deps.ts';
import { authRoutes } from './auth/routes.ts';
import { backupRoutes } from './backup/routes.ts';
import { healthRoutes } from './health/routes.ts';
import { keyRoutes } from './keys/routes.ts';
import { metricsRoutes } from './metrics/routes.ts';
import { poolRoutes } from './pool/routes.ts';
import { priceRoutes } from './prices/routes.ts';
import { projectRoutes } from './projects/routes.ts';
import { providerRoutes } from './providers/routes.ts';
import { requestRoutes } from './requests/routes.ts';
import { rollupRoutes } from './rollups/routes.ts';
import type { AdminRoute } from './route.ts';
import { setupRoutes } from './setup/routes.ts';
import { systemRoutes } from './system/routes.ts';
import { usageRoutes } from './usage/routes.ts';

/** Every resource of the admin API: one folder and one line each. */
export function adminRoutes(context: AdminContext): AdminRoute[] {
  return [
    healthRoutes,
    metricsRoutes,
    setupRoutes,
    authRoutes,
    keyRoutes,
    projectRoutes,
    accountRoutes,
    poolRoutes,
    providerRoutes,
    usageRoutes,
    requestRoutes,
    systemRoutes,
    rollupRoutes,
    backupRoutes,
    priceRoutes,
  ].flatMap((routesOf) => routesOf(context));
}
