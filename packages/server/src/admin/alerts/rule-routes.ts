import {
  alertEvaluateResponse,
  alertRehearsalRequest,
  alertRehearsalResponse,
  alertRuleCreateRequest,
  alertRuleListResponse,
  alertRuleResponse,
  alertRuleUpdateRequest,
} from '@tallygate/contract/api/alerts';
import { emptySchema, idSchema } from '@tallygate/contract/api/common';
import { z } from 'zod';
import { REHEARSAL_DAYS } from '../../alerts/rule-rehearsal.ts';
import { AppError } from '../../kernel/errors.ts';
import type { AlertRuleRow } from '../../store/ports/alerts.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { toIso } from '../instant.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';
import { ruleView } from './alert-views.ts';
import { loadFilterNames } from './filter-names.ts';
import { checkRule, newRule } from './rule-input.ts';

const withId = z.object({ id: idSchema });
const MAX_RULES = 500;

async function oneRule(deps: AdminDeps, workspaceId: string, id: string): Promise<AlertRuleRow> {
  const row = (await deps.store.alerts.listAlertRules(workspaceId)).find((rule) => rule.id === id);
  if (!row) throw new AppError('resource_not_found');
  return row;
}

function changeOf(row: AlertRuleRow, body: z.output<typeof alertRuleUpdateRequest>): AlertRuleRow {
  const { cooldownMinutes, ...rest } = body;
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  const cooldownMs = cooldownMinutes === undefined ? row.cooldownMs : cooldownMinutes * 60_000;
  return { ...row, ...given, cooldownMs };
}

function writeRoutes(deps: AdminDeps): AdminRoute[] {
  const { alerts } = deps.store;
  const view = async (row: AlertRuleRow) =>
    ruleView(row, await alerts.listAlertStates(), await loadFilterNames(deps, row.workspaceId));
  const managed = { access: 'permitted', permission: 'alerts.manage' } as const;
  return [
    jsonRoute({
      ...managed,
      method: 'POST',
      path: '/api/alerts/rules',
      summary: 'Create an alert rule',
      status: 201,
      body: alertRuleCreateRequest,
      response: alertRuleResponse,
      async handler({ workspaceId, body, audit }) {
        if ((await alerts.listAlertRules(workspaceId)).length >= MAX_RULES)
          throw new AppError('conflict', {
            detail: `There are ${MAX_RULES} alert rules already. Remove some.`,
          });
        const row = await newRule(body, deps, workspaceId);
        audit.changed('alert_rule', row.id, { after: row });
        await alerts.insertAlertRule(row);
        deps.alerting.evaluateSoon();
        return { body: await view(row) };
      },
    }),
    jsonRoute({
      ...managed,
      method: 'PATCH',
      path: '/api/alerts/rules/:id',
      summary: 'Change an alert rule',
      params: withId,
      body: alertRuleUpdateRequest,
      response: alertRuleResponse,
      async handler({ workspaceId, params, body, audit }) {
        const before = await oneRule(deps, workspaceId, params.id);
        const after = await checkRule(changeOf(before, body), deps);
        audit.changed('alert_rule', after.id, { before, after });
        if (!(await alerts.updateAlertRule(after.id, after))) throw new AppError('resource_not_found');
        deps.alerting.evaluateSoon();
        return { body: await view(after) };
      },
    }),
    jsonRoute({
      ...managed,
      method: 'DELETE',
      path: '/api/alerts/rules/:id',
      summary: 'Remove an alert rule; what it has told stays in the history',
      params: withId,
      response: emptySchema,
      async handler({ workspaceId, params, audit }) {
        const before = await oneRule(deps, workspaceId, params.id);
        audit.changed('alert_rule', before.id, { before });
        // Off first, so that nothing fires between the last notice and the end.
        await alerts.updateAlertRule(before.id, { enabled: false });
        await deps.alerting.evaluator.retire(before);
        if (!(await alerts.deleteAlertRule(before.id))) throw new AppError('resource_not_found');
        deps.alerting.deliver();
        return { body: {} };
      },
    }),
  ];
}

const MAX_SHOWN = 5;

function rehearsalRoute(deps: AdminDeps): AdminRoute {
  return jsonRoute({
    access: 'permitted',
    permission: 'alerts.manage',
    method: 'POST',
    path: '/api/alerts/rules/rehearse',
    summary: 'How often a rule would have told people over the last seven days',
    audit: 'none',
    body: alertRehearsalRequest,
    response: alertRehearsalResponse,
    async handler({ workspaceId, body }) {
      const untold = { severity: 'info' as const, channelIds: [], notifyRecovery: true, enabled: true };
      const rule = await newRule({ name: 'rehearsal', ...body, ...untold }, deps, workspaceId);
      const result = await deps.alerting.rehearse(rule);
      const days = REHEARSAL_DAYS;
      if (!result.possible) return { body: { days, told: null, reason: result.reason, last: [] } };
      const last = result.told.slice(-MAX_SHOWN).reverse();
      return {
        body: {
          days,
          told: result.told.length,
          reason: null,
          last: last.map(({ atMs, title }) => ({ at: toIso(atMs), title })),
        },
      };
    },
  });
}

/** Rules: what is watched (TW-16). */
export function alertRuleRoutes(deps: AdminDeps): AdminRoute[] {
  const { alerts } = deps.store;
  return [
    jsonRoute({
      method: 'GET',
      path: '/api/alerts/rules',
      summary: 'All alert rules, and what fires',
      access: 'permitted',
      permission: 'alerts.view',
      response: alertRuleListResponse,
      async handler({ workspaceId }) {
        const states = await alerts.listAlertStates();
        const names = await loadFilterNames(deps, workspaceId);
        const rules = await alerts.listAlertRules(workspaceId);
        return { body: { rules: rules.map((row) => ruleView(row, states, names)) } };
      },
    }),
    ...writeRoutes(deps),
    rehearsalRoute(deps),
    jsonRoute({
      access: 'permitted',
      permission: 'alerts.manage',
      method: 'POST',
      path: '/api/alerts/evaluate',
      summary: 'Judge every rule now',
      response: alertEvaluateResponse,
      async handler() {
        const result = await deps.alerting.evaluator.evaluate({ all: true });
        deps.alerting.deliver();
        return { body: result };
      },
    }),
  ];
}
