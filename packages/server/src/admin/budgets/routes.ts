import {
  type BudgetView,
  budgetCreateRequest,
  budgetHistoryResponse,
  budgetHoldsQuery,
  budgetHoldsResponse,
  budgetListResponse,
  budgetResponse,
  budgetUpdateRequest,
} from '@tallygate/contract/api/budgets';
import { emptySchema, idSchema } from '@tallygate/contract/api/common';
import { z } from 'zod';
import { AppError } from '../../kernel/errors.ts';
import type { BudgetRow } from '../../store/ports/budgets.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { invalidInput } from '../parse-input.ts';
import { type AdminRoute, type Caller, jsonRoute } from '../route.ts';
import { loadScopeNames, type ScopeNames } from '../scope-input.ts';
import { visibleRow, visibleRows } from '../scoped-rows.ts';
import { toBudget } from './budget-book.ts';
import { budgetHistory } from './budget-history.ts';
import { readBudget, readLimit, readProvisional } from './budget-input.ts';
import { budgetView, holdsView } from './budget-view.ts';

const withId = z.object({ id: idSchema });

async function rowsFor(deps: AdminDeps, caller: Caller): Promise<BudgetRow[]> {
  return visibleRows(await deps.store.budgets.listBudgets(caller.workspaceId), caller);
}

async function oneRow(deps: AdminDeps, caller: Caller, id: string): Promise<BudgetRow> {
  return visibleRow(await deps.store.budgets.listBudgets(caller.workspaceId), caller, id);
}

async function views(deps: AdminDeps, rows: readonly BudgetRow[], names: ScopeNames): Promise<BudgetView[]> {
  const nowMs = deps.clock.now();
  await deps.budgets.engine.refresh(nowMs);
  return rows.flatMap((row) => {
    const status = deps.budgets.engine.status(row.id, nowMs);
    return status === null ? [] : [budgetView(row, status, names)];
  });
}

async function oneView(deps: AdminDeps, row: BudgetRow): Promise<BudgetView> {
  const [view] = await views(deps, [row], await loadScopeNames(deps.store, row.workspaceId));
  if (!view) throw new AppError('resource_not_found');
  return view;
}

/** The policy and its price change together. */
function unpricedChange(row: BudgetRow, body: z.output<typeof budgetUpdateRequest>): Partial<BudgetRow> {
  if (body.unpriced === undefined && body.provisionalUsdPerMtok === undefined) return {};
  const unpriced = body.unpriced ?? row.unpriced;
  const provisionalNanoUsdPerMtok = readProvisional(body.provisionalUsdPerMtok, { ...row, unpriced });
  return { unpriced, provisionalNanoUsdPerMtok };
}

function changeOf(row: BudgetRow, body: z.output<typeof budgetUpdateRequest>): Partial<BudgetRow> {
  const limit = readLimit(body);
  if (limit !== null && limit.measure !== row.measure) {
    throw invalidInput([
      {
        in: 'body',
        path: 'limitUsd',
        message: `this budget counts ${row.measure}; make another one for what else to limit`,
      },
    ]);
  }
  return {
    ...(body.name === undefined ? {} : { name: body.name }),
    ...(limit === null ? {} : { limit: limit.limit }),
    ...(body.mode === undefined ? {} : { mode: body.mode }),
    ...unpricedChange(row, body),
    ...(body.onOutage === undefined ? {} : { onOutage: body.onOutage }),
  };
}

function readRoutes(deps: AdminDeps): AdminRoute[] {
  const guarded = { access: 'permitted', permission: 'budgets.view', method: 'GET' } as const;
  return [
    jsonRoute({
      ...guarded,
      path: '/api/budgets',
      summary: 'All budgets with what they have spent, hold and have left',
      response: budgetListResponse,
      async handler(call) {
        const rows = await rowsFor(deps, call);
        const names = await loadScopeNames(deps.store, call.workspaceId);
        return { body: { budgets: await views(deps, rows, names) } };
      },
    }),
    jsonRoute({
      ...guarded,
      path: '/api/budgets/holds',
      summary: 'What budgets hold for requests on their way',
      query: budgetHoldsQuery,
      response: budgetHoldsResponse,
      async handler({ query, ...caller }) {
        const rows = query.budget ? [await oneRow(deps, caller, query.budget)] : await rowsFor(deps, caller);
        return { body: holdsView(await deps.budgets.engine.holds(), rows) };
      },
    }),
    jsonRoute({
      ...guarded,
      path: '/api/budgets/:id',
      summary: 'One budget',
      params: withId,
      response: budgetResponse,
      handler: async (call) => ({
        body: await oneView(deps, await oneRow(deps, call, call.params.id)),
      }),
    }),
    jsonRoute({
      ...guarded,
      path: '/api/budgets/:id/history',
      summary: 'What a budget spent by window, and who used the current one',
      params: withId,
      response: budgetHistoryResponse,
      async handler(call) {
        const row = await oneRow(deps, call, call.params.id);
        const names = await loadScopeNames(deps.store, row.workspaceId);
        return { body: await budgetHistory(deps, toBudget(row), names) };
      },
    }),
  ];
}

/** Budgets that cannot be overshot. */
export function budgetRoutes(deps: AdminDeps): AdminRoute[] {
  const guarded = { access: 'permitted', permission: 'budgets.manage' } as const;
  return [
    ...readRoutes(deps),
    jsonRoute({
      ...guarded,
      method: 'POST',
      path: '/api/budgets',
      summary: 'Create a budget; it counts from now on and includes what its window has spent',
      status: 201,
      body: budgetCreateRequest,
      response: budgetResponse,
      async handler({ body, workspaceId, audit }) {
        const row = await readBudget(body, deps, workspaceId);
        audit.changed('budget', row.id, { after: row });
        await deps.budgets.create(row);
        return { body: await oneView(deps, row) };
      },
    }),
    jsonRoute({
      ...guarded,
      method: 'PATCH',
      path: '/api/budgets/:id',
      summary: 'Change the limit, the mode, the name or the policy for models without a price',
      params: withId,
      body: budgetUpdateRequest,
      response: budgetResponse,
      async handler({ params, body, ...caller }) {
        const row = await oneRow(deps, caller, params.id);
        const change = changeOf(row, body);
        if (change.mode === 'clamp' && row.measure === 'requests')
          throw invalidInput([{ in: 'body', path: 'mode', message: 'a budget of requests cannot clamp' }]);
        caller.audit.changed('budget', row.id, { before: row, after: { ...row, ...change } });
        if (Object.keys(change).length > 0 && !(await deps.budgets.update(row, change)))
          throw new AppError('resource_not_found');
        return { body: await oneView(deps, { ...row, ...change }) };
      },
    }),
    jsonRoute({
      ...guarded,
      method: 'DELETE',
      path: '/api/budgets/:id',
      summary: 'Remove a budget; its requests stay in the ledger',
      params: withId,
      response: emptySchema,
      async handler(call) {
        const row = await oneRow(deps, call, call.params.id);
        call.audit.changed('budget', row.id, { before: row });
        if (!(await deps.budgets.remove(row))) throw new AppError('resource_not_found');
        return { body: {} };
      },
    }),
  ];
}
