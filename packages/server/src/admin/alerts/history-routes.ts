import {
  alertEventListResponse,
  alertEventQuery,
  deliveryListResponse,
  deliveryQuery,
  deliveryResponse,
} from '@tallygate/contract/api/alerts';
import { idSchema } from '@tallygate/contract/api/common';
import { z } from 'zod';
import { DELIVERY_LIFE_MS } from '../../alerts/retry-schedule.ts';
import { AppError } from '../../kernel/errors.ts';
import type { DeliveryRow } from '../../store/ports/alerts.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { toMs } from '../instant.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';
import { deliveryView, eventView } from './alert-views.ts';

/** Deliveries of this workspace's events, with what they are about. */
async function deliveryViews({ store }: AdminDeps, workspaceId: string, rows: readonly DeliveryRow[]) {
  const [events, channels] = await Promise.all([
    store.alerts.findAlertEvents([...new Set(rows.map(({ eventId }) => eventId))]),
    store.alerts.listAlertChannels(workspaceId),
  ]);
  const byId = new Map(events.map((event) => [event.id, event]));
  const channelsById = new Map(channels.map((channel) => [channel.id, channel]));
  return rows
    .filter(({ eventId }) => byId.get(eventId)?.workspaceId === workspaceId)
    .map((row) => deliveryView(row, byId.get(row.eventId), channelsById.get(row.channelId)));
}

/** What was told, and how it got there (TW-16). */
export function alertHistoryRoutes(deps: AdminDeps): AdminRoute[] {
  const { alerts } = deps.store;
  return [
    jsonRoute({
      method: 'GET',
      path: '/api/alerts/events',
      summary: 'What alerts have told, newest first',
      access: 'permitted',
      permission: 'alerts.view',
      query: alertEventQuery,
      response: alertEventListResponse,
      async handler({ workspaceId, query: { rule, environment, before, limit } }) {
        const events = await alerts.listAlertEvents({
          workspaceId,
          limit,
          ...(rule === undefined ? {} : { ruleId: rule }),
          ...(environment === undefined ? {} : { environment }),
          ...(before === undefined ? {} : { beforeMs: toMs(before) }),
        });
        return { body: { events: events.map(eventView) } };
      },
    }),
    jsonRoute({
      method: 'GET',
      path: '/api/alerts/deliveries',
      summary: 'Deliveries with every try, newest first',
      access: 'permitted',
      permission: 'alerts.manage',
      query: deliveryQuery,
      response: deliveryListResponse,
      async handler({ workspaceId, query: { status, event, before, limit } }) {
        const rows = await alerts.listDeliveries({
          workspaceId,
          limit,
          ...(status === undefined ? {} : { status }),
          ...(event === undefined ? {} : { eventId: event }),
          ...(before === undefined ? {} : { beforeMs: toMs(before) }),
        });
        return { body: { deliveries: await deliveryViews(deps, workspaceId, rows) } };
      },
    }),
    jsonRoute({
      method: 'POST',
      path: '/api/alerts/deliveries/:id/redeliver',
      summary: 'Send a finished delivery again, with the same event id',
      access: 'permitted',
      permission: 'alerts.manage',
      params: z.object({ id: idSchema }),
      response: deliveryResponse,
      async handler({ workspaceId, params }) {
        const find = async () =>
          (await deliveryViews(deps, workspaceId, await alerts.findDeliveries([params.id])))[0] ?? null;
        const before = await find();
        if (before === null) throw new AppError('resource_not_found');
        const nowMs = deps.clock.now();
        if (!(await alerts.redeliver(params.id, { nowMs, expiresAtMs: nowMs + DELIVERY_LIFE_MS })))
          throw new AppError('conflict', { detail: 'This delivery is on its way already.' });
        const after = await find();
        deps.alerting.deliver();
        return { body: after ?? before };
      },
    }),
  ];
}
