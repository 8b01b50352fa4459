import { emptySchema, idSchema } from '@tallygate/contract/api/common';
import {
  MAX_RULES,
  type RuleListView,
  type RuleView,
  ruleActions,
  ruleConditions,
  ruleCreateRequest,
  ruleListResponse,
  ruleOrderRequest,
  ruleResponse,
  ruleTestRequest,
  ruleTestResponse,
  ruleUpdateRequest,
} from '@tallygate/contract/api/rules';
import { z } from 'zod';
import { AppError } from '../../kernel/errors.ts';
import type { RuleRow } from '../../store/ports/rules.ts';
import type { OwnedRef } from '../../store/store.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { toIso } from '../instant.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';
import { checkRule } from './rule-input.ts';

const withId = z.object({ id: idSchema });
const GUARDED = { access: 'permitted', permission: 'accounts.manage' } as const;

function view(row: RuleRow): RuleView {
  return {
    id: row.id,
    name: row.name,
    enabled: row.enabled,
    conditions: ruleConditions.parse(JSON.parse(row.conditions)),
    actions: ruleActions.parse(JSON.parse(row.actions)),
    createdAt: toIso(row.createdAtMs),
  };
}

async function findRule(deps: AdminDeps, { id, workspaceId }: OwnedRef): Promise<RuleRow> {
  const row = (await deps.store.rules.listRules(workspaceId)).find((rule) => rule.id === id);
  if (!row) throw new AppError('resource_not_found');
  return row;
}

async function listView(deps: AdminDeps, workspaceId: string): Promise<RuleListView> {
  return { rules: (await deps.store.rules.listRules(workspaceId)).map(view) };
}

async function createRule(
  deps: AdminDeps,
  workspaceId: string,
  body: z.output<typeof ruleCreateRequest>,
): Promise<RuleRow> {
  await checkRule(body, workspaceId, deps);
  if ((await deps.store.rules.listRules(workspaceId)).length >= MAX_RULES)
    throw new AppError('conflict', { detail: `There are ${MAX_RULES} rules, which is the most.` });
  return {
    id: deps.newId(),
    workspaceId,
    name: body.name,
    enabled: body.enabled ?? true,
    conditions: JSON.stringify(body.conditions),
    actions: JSON.stringify(body.actions),
    createdAtMs: deps.clock.now(),
  };
}

async function updateRule(
  deps: AdminDeps,
  before: RuleRow,
  body: z.output<typeof ruleUpdateRequest>,
): Promise<RuleRow> {
  const old = view(before);
  const { conditions = old.conditions, actions = old.actions, name, enabled } = body;
  await checkRule({ conditions, actions }, before.workspaceId, deps);
  const change = {
    ...(name === undefined ? {} : { name }),
    ...(enabled === undefined ? {} : { enabled }),
    conditions: JSON.stringify(conditions),
    actions: JSON.stringify(actions),
  };
  if (!(await deps.store.rules.updateRule(before.id, change))) throw new AppError('resource_not_found');
  return { ...before, ...change };
}

function readRoutes(deps: AdminDeps): AdminRoute[] {
  return [
    jsonRoute({
      ...GUARDED,
      method: 'GET',
      path: '/api/rules',
      summary: 'All rules, in the order in which they are tried',
      response: ruleListResponse,
      handler: async ({ workspaceId }) => ({ body: await listView(deps, workspaceId) }),
    }),
    jsonRoute({
      ...GUARDED,
      method: 'POST',
      path: '/api/rules/test',
      summary: 'Which rule would apply to a request, and why; nothing is sent',
      rateClass: 'heavy',
      audit: 'access',
      body: ruleTestRequest,
      response: ruleTestResponse,
      handler: async ({ body, workspaceId }) => ({ body: deps.testRules(workspaceId, body) }),
    }),
  ];
}

/** Rules: what becomes of requests before an account is chosen (CF-09). */
export function ruleRoutes(deps: AdminDeps): AdminRoute[] {
  const { rules } = deps.store;
  return [
    ...readRoutes(deps),
    jsonRoute({
      ...GUARDED,
      method: 'POST',
      path: '/api/rules',
      summary: 'Add a rule at the end',
      status: 201,
      body: ruleCreateRequest,
      response: ruleResponse,
      async handler({ body, audit, workspaceId }) {
        const row = await createRule(deps, workspaceId, body);
        audit.changed('rule', row.id, { after: row });
        await rules.insertRule(row);
        await deps.refreshSnapshot();
        return { body: view(row) };
      },
    }),
    jsonRoute({
      ...GUARDED,
      method: 'POST',
      path: '/api/rules/order',
      summary: 'Put the rules in another order; those left out follow',
      body: ruleOrderRequest,
      response: ruleListResponse,
      async handler({ body, audit, workspaceId }) {
        const ids = async () => ({ order: (await rules.listRules(workspaceId)).map((rule) => rule.name) });
        const before = await ids();
        await rules.orderRules(workspaceId, body.ids);
        audit.changed('rule', null, { before, after: await ids() });
        await deps.refreshSnapshot();
        return { body: await listView(deps, workspaceId) };
      },
    }),
    jsonRoute({
      ...GUARDED,
      method: 'PATCH',
      path: '/api/rules/:id',
      summary: 'Change a rule, or switch it on or off',
      params: withId,
      body: ruleUpdateRequest,
      response: ruleResponse,
      async handler({ params, body, audit, workspaceId }) {
        const before = await findRule(deps, { ...params, workspaceId });
        const after = await updateRule(deps, before, body);
        audit.changed('rule', params.id, { before, after });
        await deps.refreshSnapshot();
        return { body: view(after) };
      },
    }),
    jsonRoute({
      ...GUARDED,
      method: 'DELETE',
      path: '/api/rules/:id',
      summary: 'Remove a rule',
      params: withId,
      response: emptySchema,
      async handler({ params, audit, workspaceId }) {
        audit.changed('rule', params.id, { before: await findRule(deps, { ...params, workspaceId }) });
        if (!(await rules.deleteRule(params.id))) throw new AppError('resource_not_found');
        await deps.refreshSnapshot();
        return { body: {} };
      },
    }),
  ];
}
