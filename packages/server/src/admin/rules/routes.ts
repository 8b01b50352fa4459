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

async function findRule(deps: AdminDeps, id: string): Promise<RuleRow> {
  const row = (await deps.store.rules.listRules()).find((rule) => rule.id === id);
  if (!row) throw new AppError('resource_not_found');
  return row;
}

async function listView(deps: AdminDeps): Promise<RuleListView> {
  return { rules: (await deps.store.rules.listRules()).map(view) };
}

async function createRule(deps: AdminDeps, body: z.output<typeof ruleCreateRequest>): Promise<RuleRow> {
  await checkRule(body, deps);
  if ((await deps.store.rules.listRules()).length >= MAX_RULES)
    throw new AppError('conflict', { detail: `There are ${MAX_RULES} rules, which is the most.` });
  return {
    id: deps.newId(),
    workspaceId: deps.workspaceId,
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
  await checkRule({ conditions, actions }, deps);
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
      handler: async () => ({ body: await listView(deps) }),
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
      handler: async ({ body }) => ({ body: deps.testRules(body) }),
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
      async handler({ body, audit }) {
        const row = await createRule(deps, body);
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
      async handler({ body, audit }) {
        const ids = async () => ({ order: (await rules.listRules()).map((rule) => rule.name) });
        const before = await ids();
        await rules.orderRules(body.ids);
        audit.changed('rule', null, { before, after: await ids() });
        await deps.refreshSnapshot();
        return { body: await listView(deps) };
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
      async handler({ params, body, audit }) {
        const before = await findRule(deps, params.id);
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
      async handler({ params, audit }) {
        audit.changed('rule', params.id, { before: await findRule(deps, params.id) });
        if (!(await rules.deleteRule(params.id))) throw new AppError('resource_not_found');
        await deps.refreshSnapshot();
        return { body: {} };
      },
    }),
  ];
}
