import { emptySchema, idSchema } from '@tallygate/contract/api/common';
import {
  healthQuery,
  healthResponse,
  MAX_POOLS,
  type NamedPoolView,
  namedPoolResponse,
  namedPoolUpdateRequest,
  poolCreateRequest,
  poolListResponse,
} from '@tallygate/contract/api/pools';
import { ruleActions } from '@tallygate/contract/api/rules';
import { z } from 'zod';
import { AppError } from '../../kernel/errors.ts';
import type { AccountHourRow, PoolRow } from '../../store/ports/pool.ts';
import type { RuleRow } from '../../store/ports/rules.ts';
import type { OwnedRef } from '../../store/store.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { toIso } from '../instant.ts';
import { invalidInput } from '../parse-input.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';
import { healthHours, sumHours } from './health-view.ts';

const WEEK_MS = 7 * 24 * 3_600_000;
const MAX_HEALTH_MS = 31 * 24 * 3_600_000;
const withId = z.object({ id: idSchema });
const GUARDED = { access: 'permitted', permission: 'accounts.manage' } as const;

type Week = readonly AccountHourRow[];
type AccountNames = ReadonlyMap<string, string>;

/** Hours of the accounts of the workspace. */
async function lastWeek({ store, clock }: AdminDeps, names: AccountNames): Promise<AccountHourRow[]> {
  const toMs = clock.now() + 1;
  const hours = await store.pool.listAccountHours({ fromMs: toMs - WEEK_MS, toMs });
  return hours.filter((hour) => names.has(hour.accountId));
}

function poolView(row: PoolRow, week: Week, names: ReadonlyMap<string, string>): NamedPoolView {
  return {
    id: row.id,
    name: row.name,
    strategy: row.strategy,
    notes: row.notes,
    accounts: row.accountIds.map((id) => ({ id, name: names.get(id) ?? id })),
    createdAt: toIso(row.createdAtMs),
    week: sumHours(week.filter((hour) => hour.poolId === row.id)),
  };
}

async function accountNames({ store }: AdminDeps, workspaceId: string): Promise<Map<string, string>> {
  return new Map((await store.config.listAccounts(workspaceId)).map((row) => [row.id, row.name]));
}

async function findPool(deps: AdminDeps, { id, workspaceId }: OwnedRef): Promise<PoolRow> {
  const row = (await deps.store.pool.listPools(workspaceId)).find((pool) => pool.id === id);
  if (!row) throw new AppError('resource_not_found');
  return row;
}

async function oneView(deps: AdminDeps, ref: OwnedRef): Promise<NamedPoolView> {
  const names = await accountNames(deps, ref.workspaceId);
  return poolView(await findPool(deps, ref), await lastWeek(deps, names), names);
}

/** @throws AppError `invalid_request` for an account that is not there */
async function checkedMembers(
  deps: AdminDeps,
  workspaceId: string,
  ids: readonly string[],
): Promise<string[]> {
  const names = await accountNames(deps, workspaceId);
  const at = ids.findIndex((id) => !names.has(id));
  if (at !== -1)
    throw invalidInput([
      { in: 'body', path: `accountIds.${at}`, message: 'there is no account with that id' },
    ]);
  return [...new Set(ids)];
}

function usesPool(rule: RuleRow, poolId: string): boolean {
  const actions = ruleActions.safeParse(JSON.parse(rule.actions));
  if (!actions.success) return false;
  const { pool, fallbacks = [] } = actions.data;
  return pool === poolId || fallbacks.some((link) => link.pool === poolId);
}

/** A rule that names a pool which is gone would serve nothing any more: that is somebody's decision, not a side effect. */
async function assertUnused(deps: AdminDeps, { id, workspaceId }: OwnedRef): Promise<void> {
  const users = (await deps.store.rules.listRules(workspaceId)).filter((rule) => usesPool(rule, id));
  if (users.length === 0) return;
  const names = users.map((rule) => `"${rule.name}"`).join(', ');
  throw new AppError('conflict', {
    detail: `Rules send requests to this pool: ${names}. Change or remove them first.`,
  });
}

function readRoutes(deps: AdminDeps): AdminRoute[] {
  return [
    jsonRoute({
      ...GUARDED,
      method: 'GET',
      path: '/api/pools',
      summary: 'All pools, how their accounts are chosen and how they fared in the last seven days',
      response: poolListResponse,
      async handler({ workspaceId }) {
        const rows = await deps.store.pool.listPools(workspaceId);
        const names = await accountNames(deps, workspaceId);
        const week = await lastWeek(deps, names);
        const rest = sumHours(week.filter((hour) => hour.poolId === ''));
        return {
          body: {
            pools: rows.map((row) => poolView(row, week, names)),
            all: { ...deps.pool.view(), week: rest },
          },
        };
      },
    }),
    jsonRoute({
      ...GUARDED,
      method: 'GET',
      path: '/api/accounts/:id/health',
      summary: 'How an account fared, hour by hour; at most 31 days at once',
      params: withId,
      query: healthQuery,
      response: healthResponse,
      async handler({ params, query, workspaceId }) {
        if (!(await accountNames(deps, workspaceId)).has(params.id)) throw new AppError('resource_not_found');
        const [fromMs, toMs] = [Date.parse(query.from), Date.parse(query.to)];
        if (toMs <= fromMs || toMs - fromMs > MAX_HEALTH_MS)
          throw invalidInput([
            { in: 'query', path: 'to', message: 'must be after from, by at most 31 days' },
          ]);
        const rows = await deps.store.pool.listAccountHours({ fromMs, toMs, accountId: params.id });
        return { body: { from: toIso(fromMs), to: toIso(toMs), hours: healthHours(rows) } };
      },
    }),
  ];
}

/** Named pools: which accounts serve what a rule sends to them, and how they take turns (CF-05). */
export function namedPoolRoutes(deps: AdminDeps): AdminRoute[] {
  const { pool: pools } = deps.store;
  return [
    ...readRoutes(deps),
    jsonRoute({
      ...GUARDED,
      method: 'POST',
      path: '/api/pools',
      summary: 'Make a pool of some accounts; rules send requests to it',
      status: 201,
      body: poolCreateRequest,
      response: namedPoolResponse,
      async handler({ body, audit, workspaceId }) {
        if ((await pools.listPools(workspaceId)).length >= MAX_POOLS)
          throw new AppError('conflict', { detail: `There are ${MAX_POOLS} pools, which is the most.` });
        const row: PoolRow = {
          id: deps.newId(),
          workspaceId,
          name: body.name,
          strategy: body.strategy ?? 'session',
          notes: body.notes ?? null,
          accountIds: await checkedMembers(deps, workspaceId, body.accountIds),
          createdAtMs: deps.clock.now(),
        };
        audit.changed('pool', row.id, { after: row });
        await pools.insertPool(row);
        await deps.refreshSnapshot();
        return { body: await oneView(deps, row) };
      },
    }),
    jsonRoute({
      ...GUARDED,
      method: 'PATCH',
      path: '/api/pools/:id',
      summary: "Change a pool's name, accounts or strategy; the next request goes by it",
      params: withId,
      body: namedPoolUpdateRequest,
      response: namedPoolResponse,
      async handler({ params: { id }, body: { accountIds, ...plain }, audit, workspaceId }) {
        const before = await findPool(deps, { id, workspaceId });
        const members =
          accountIds === undefined ? {} : { accountIds: await checkedMembers(deps, workspaceId, accountIds) };
        if (!(await pools.updatePool(id, { ...plain, ...members }))) throw new AppError('resource_not_found');
        audit.changed('pool', id, { before, after: await findPool(deps, before) });
        await deps.refreshSnapshot();
        return { body: await oneView(deps, before) };
      },
    }),
    jsonRoute({
      ...GUARDED,
      method: 'DELETE',
      path: '/api/pools/:id',
      summary: 'Remove a pool that no rule names; its accounts stay',
      params: withId,
      response: emptySchema,
      async handler({ params: { id }, audit, workspaceId }) {
        const before = await findPool(deps, { id, workspaceId });
        audit.changed('pool', id, { before });
        await assertUnused(deps, before);
        if (!(await pools.deletePool(id))) throw new AppError('resource_not_found');
        await deps.refreshSnapshot();
        return { body: {} };
      },
    }),
  ];
}
