import type { AdminDeps } from '../admin-deps.ts';
import type { AdminRoute } from '../route.ts';
import { alertChannelRoutes } from './channel-routes.ts';
import { alertHistoryRoutes } from './history-routes.ts';
import { alertRuleRoutes } from './rule-routes.ts';

/** Alerts: rules, what they found, where they go and how they got there (TW-16). */
export function alertRoutes(deps: AdminDeps): AdminRoute[] {
  return [...alertRuleRoutes(deps), ...alertHistoryRoutes(deps), ...alertChannelRoutes(deps)];
}
