import type { AdminContext } from '../admin/admin-deps.ts';
import { adminRoutes } from '../admin/admin-routes.ts';
import type { AdminRoute } from '../admin/route.ts';
import type { DashboardFile } from './dashboard-files.ts';
import { dashboardRoutes } from './dashboard-routes.ts';
import { openApiRoute } from './openapi.ts';

/**
 * Every path of the admin side. The app is built from this table and nothing else: a path without a row does not
 * exist. The rows of the data plane (`listener: 'data'`) have the same shape and stand in `data-routes.ts`.
 */
export function adminRouteTable(
  context: AdminContext,
  dashboard: { headless: boolean; files: ReadonlyMap<string, DashboardFile> },
): AdminRoute[] {
  const resources = adminRoutes(context);
  return [...resources, openApiRoute(resources, context.info.version), ...dashboardRoutes(dashboard)];
}
