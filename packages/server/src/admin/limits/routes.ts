import { emptySchema, idSchema } from '@tallygate/contract/api/common';
import {
  type LimitView,
  limitCreateRequest,
  limitListResponse,
  limitResponse,
  limitUpdateRequest,
} from '@tallygate/contract/api/limits';
import { z } from 'zod';
import { type Principal, visibleProject } from '../../identity/principal.ts';
import { AppError } from '../../kernel/errors.ts';
import type { LimitRow } from '../../store/ports/limits.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';
import { loadScopeNames } from '../scope-input.ts';
import { checkBurst, readLimit } from './limit-input.ts';
import { limitView } from './limit-view.ts';

const withId = z.object({ id: idSchema });

/** A caller that may see one project sees that project's own limits. */
async function visibleRows(deps: AdminDeps, principal: Principal): Promise<LimitRow[]> {
  const only = visibleProject(principal);
  const rows = await deps.store.limits.listLimits();
  if (only === null) return rows;
  return rows.filter(({ scope }) => scope.some(({ kind, value }) => kind === 'project' && value === only));
}

async function oneRow(deps: AdminDeps, principal: Principal, id: string): Promise<LimitRow> {
  const row = (await visibleRows(deps, principal)).find((limit) => limit.id === id);
  if (!row) throw new AppError('resource_not_found');
  return row;
}

async function views(deps: AdminDeps, rows: readonly LimitRow[]): Promise<LimitView[]> {
  const at = { names: await loadScopeNames(deps.store), nowMs: deps.clock.monotonicMs() };
  return Promise.all(rows.map((row) => limitView(row, deps.limits.state, at)));
}

async function oneView(deps: AdminDeps, row: LimitRow): Promise<LimitView> {
  const [view] = await views(deps, [row]);
  if (!view) throw new AppError('resource_not_found');
  return view;
}

function readRoutes(deps: AdminDeps): AdminRoute[] {
  const guarded = { access: 'permitted', permission: 'budgets.view', method: 'GET' } as const;
  return [
    jsonRoute({
      ...guarded,
      path: '/api/limits',
      summary: 'All limits with what is counted right now',
      response: limitListResponse,
      handler: async ({ principal }) => ({
        body: { limits: await views(deps, await visibleRows(deps, principal)) },
      }),
    }),
    jsonRoute({
      ...guarded,
      path: '/api/limits/:id',
      summary: 'One limit',
      params: withId,
      response: limitResponse,
      handler: async ({ principal, params }) => ({
        body: await oneView(deps, await oneRow(deps, principal, params.id)),
      }),
    }),
  ];
}

/** Limits on requests, tokens and what runs at once (CF-13). */
export function limitRoutes(deps: AdminDeps): AdminRoute[] {
  const guarded = { access: 'permitted', permission: 'budgets.manage' } as const;
  return [
    ...readRoutes(deps),
    jsonRoute({
      ...guarded,
      method: 'POST',
      path: '/api/limits',
      summary: 'Create a limit; it counts from now on',
      status: 201,
      body: limitCreateRequest,
      response: limitResponse,
      async handler({ body, audit }) {
        const row = await readLimit(body, deps);
        audit.changed('limit', row.id, { after: row });
        await deps.store.limits.insertLimit(row);
        await deps.limits.load();
        return { body: await oneView(deps, row) };
      },
    }),
    jsonRoute({
      ...guarded,
      method: 'PATCH',
      path: '/api/limits/:id',
      summary: 'Change the name, the limit or the burst; what is counted goes on',
      params: withId,
      body: limitUpdateRequest,
      response: limitResponse,
      async handler({ principal, params, body, audit }) {
        const before = await oneRow(deps, principal, params.id);
        const change = {
          ...(body.name === undefined ? {} : { name: body.name }),
          ...(body.limit === undefined ? {} : { limit: body.limit }),
          ...(body.burst === undefined ? {} : { burst: body.burst }),
        };
        const after = { ...before, ...change };
        checkBurst(after);
        audit.changed('limit', before.id, { before, after });
        if (Object.keys(change).length > 0 && !(await deps.store.limits.updateLimit(before.id, change)))
          throw new AppError('resource_not_found');
        await deps.limits.load();
        return { body: await oneView(deps, after) };
      },
    }),
    jsonRoute({
      ...guarded,
      method: 'DELETE',
      path: '/api/limits/:id',
      summary: 'Remove a limit',
      params: withId,
      response: emptySchema,
      async handler({ principal, params, audit }) {
        const before = await oneRow(deps, principal, params.id);
        audit.changed('limit', before.id, { before });
        if (!(await deps.store.limits.deleteLimit(before.id))) throw new AppError('resource_not_found');
        await deps.limits.load();
        return { body: {} };
      },
    }),
  ];
}
