import { visibleProject } from '../../identity/principal.ts';
import { AppError } from '../../kernel/errors.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { type AdminRoute, bytesRoute } from '../route.ts';

/** Prometheus metrics (WT-14). They cover the whole workspace, so a key bound to one project does not get them. */
export function metricsRoutes(deps: AdminDeps): AdminRoute[] {
  return [
    bytesRoute({
      method: 'GET',
      path: '/metrics',
      summary: 'Prometheus metrics of this process',
      access: 'permitted',
      permission: 'metrics.view',
      async handler({ principal }) {
        if (visibleProject(principal) !== null) {
          throw new AppError('permission_denied', {
            detail:
              'Metrics cover the whole workspace, and this key is bound to one project. Use a read key made without --project.',
          });
        }
        return {
          status: 200,
          contentType: 'text/plain; version=0.0.4; charset=utf-8',
          body: await deps.metricsText(),
          headers: {},
        };
      },
    }),
  ];
}
