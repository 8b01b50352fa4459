import { emptySchema, idSchema } from '@tallygate/contract/api/common';
import {
  type LimitView,
  limitCreateRequest,
  limitListResponse,
  limitResponse,
  limitUpdateRequest,
} from '@tallygate/contract/api/limits';
import { z } from 'zod';
import { AppError } from '../../kernel/errors.ts';
import type { LimitRow } from '../../store/ports/limits.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { type AdminRoute, type Caller, jsonRoute } from '../route.ts';
import { loadScopeNames } from '../scope-input.ts';
import { visibleRow, visibleRows } from '../scoped-rows.ts';
import { checkBurst, readLimit } from './limit-input.ts';
import { limitView } from './limit-view.ts';

const withId = z.object({ id: idSchema });

async function rowsFor(deps: AdminDeps, caller: Caller): Promise<LimitRow[]> {
  return visibleRows(await deps.store.limits.listLimits(caller.workspaceId), caller);
}

async function oneRow(deps: AdminDeps, caller: Caller, id: string): Promise<LimitRow> {
  return visibleRow(await deps.store.limits.listLimits(caller.workspaceId), caller, id);
}

async function views(deps: AdminDeps, workspaceId: string, rows: readonly LimitRow[]): Promise<LimitView[]> {
  const at = { names: await loadScopeNames(deps.store, workspaceId), nowMs: deps.clock.monotonicMs() };
  return Promise.all(rows.map((row) => limitView(row, deps.limits.state, at)));
}

async function oneView(deps: AdminDeps, row: LimitRow): Promise<LimitView> {
  const [view] = await views(deps, row.workspaceId, [row]);
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
      handler: async (call) => ({
        body: { limits: await views(deps, call.workspaceId, await rowsFor(deps, call)) },
      }),
    }),
    jsonRoute({
      ...guarded,
      path: '/api/limits/:id',
      summary: 'One limit',
      params: withId,
      response: limitResponse,
      handler: async (call) => ({
        body: await oneView(deps, await oneRow(deps, call, call.params.id)),
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
      async handler({ workspaceId, body, audit }) {
        const row = await readLimit(body, deps, workspaceId);
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
      async handler(call) {
        const { params, body, audit } = call;
        const before = await oneRow(deps, call, params.id);
        const change = {
          ...(body.name === undefined ? {} : { name: body.name }),
          ...(body.limit === undefined ? {} : { limit: body.limit }),
          ...(body.burst === undefined ? {} : { burst: body.burst }),
        };
        const after = { ...before, ...change };
        checkBurst(after);
        audit.changed('limit', before.id, { before, after });
        if (Object.keys(change).length > 0 && !(await deps.store.limits.updateLimit(before, change)))
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
      async handler(call) {
        const before = await oneRow(deps, call, call.params.id);
        call.audit.changed('limit', before.id, { before });
        if (!(await deps.store.limits.deleteLimit(before))) throw new AppError('resource_not_found');
        await deps.limits.load();
        return { body: {} };
      },
    }),
  ];
}
