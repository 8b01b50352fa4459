import {
  alertPreviewRequest,
  alertPreviewResponse,
  channelCreatedResponse,
  channelCreateRequest,
  channelListResponse,
  channelResponse,
  channelTestResponse,
  channelUpdateRequest,
} from '@tallygate/contract/api/alerts';
import { emptySchema, idSchema } from '@tallygate/contract/api/common';
import { z } from 'zod';
import { applyTemplate } from '../../alerts/template.ts';
import type { ChannelSetup } from '../../delivery/channel-adapter.ts';
import { AppError } from '../../kernel/errors.ts';
import type { AlertChannelRow } from '../../store/ports/alerts.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { invalidInput } from '../parse-input.ts';
import { assertMayReachPrivate } from '../private-destination.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';
import { channelView } from './alert-views.ts';
import { assertTemplate, setUpChannel } from './channel-input.ts';

const withId = z.object({ id: idSchema });
const MAX_CHANNELS = 200;

async function oneChannel(deps: AdminDeps, workspaceId: string, id: string): Promise<AlertChannelRow> {
  const row = (await deps.store.alerts.listAlertChannels(workspaceId)).find((channel) => channel.id === id);
  if (!row) throw new AppError('resource_not_found');
  return row;
}

/** The columns that a target becomes; what is secret is sealed for this row. */
function targetColumns(
  { vault }: AdminDeps,
  id: string,
  { config, secret, destination }: ChannelSetup,
): Pick<AlertChannelRow, 'config' | 'sealedSecret' | 'destination'> {
  const at = { table: 'alert_channel', row: id, column: 'secret' };
  return { config, sealedSecret: secret === null ? null : vault.seal(secret, at), destination };
}

function changed(
  before: AlertChannelRow,
  body: z.output<typeof channelUpdateRequest>,
  deps: AdminDeps,
): AlertChannelRow {
  const refuse = (path: string, message: string): never => {
    throw invalidInput([{ in: 'body', path, message }]);
  };
  const { target, allowPrivate = before.allowPrivate } = body;
  if (target !== undefined && target.kind !== before.kind)
    refuse('target.kind', 'stays what it is: make another channel');
  // What was judged under one permission is judged anew under the other, and only whoever knows it can give it.
  if (target === undefined && allowPrivate !== before.allowPrivate)
    refuse('target', 'is needed when allowPrivate changes');
  const { name = before.name, template = before.template, enabled = before.enabled } = body;
  assertTemplate(template);
  const columns =
    target === undefined ? {} : targetColumns(deps, before.id, setUpChannel(target, allowPrivate, deps));
  return { ...before, name, template, enabled, allowPrivate, ...columns };
}

const MANAGED = { access: 'permitted', permission: 'alerts.manage' } as const;
const opening = (asked: boolean) => ({ field: 'allowPrivate', asked });

function updateRoute(deps: AdminDeps): AdminRoute {
  return jsonRoute({
    ...MANAGED,
    method: 'PATCH',
    path: '/api/alerts/channels/:id',
    summary: 'Change a channel: its name, its target, its template, or switch it off',
    audit: 'secret',
    params: withId,
    body: channelUpdateRequest,
    response: channelResponse,
    async handler({ workspaceId, principal, params, body, audit }) {
      const before = await oneChannel(deps, workspaceId, params.id);
      const after = changed(before, body, deps);
      const asked = body.target !== undefined && after.allowPrivate;
      assertMayReachPrivate(principal, MANAGED.permission, opening(asked));
      audit.changed('alert_channel', after.id, { before, after });
      if (!(await deps.store.alerts.updateAlertChannel(after.id, after)))
        throw new AppError('resource_not_found');
      return { body: channelView(after) };
    },
  });
}

function writeRoutes(deps: AdminDeps): AdminRoute[] {
  const { alerts } = deps.store;
  return [
    jsonRoute({
      ...MANAGED,
      method: 'POST',
      path: '/api/alerts/channels',
      summary: 'Create a channel: where alerts go',
      status: 201,
      audit: 'secret',
      body: channelCreateRequest,
      response: channelCreatedResponse,
      async handler({ workspaceId, principal, body, audit }) {
        if ((await alerts.listAlertChannels(workspaceId)).length >= MAX_CHANNELS)
          throw new AppError('conflict', {
            detail: `There are ${MAX_CHANNELS} channels already. Remove some.`,
          });
        const { target, ...rest } = body;
        assertTemplate(rest.template);
        assertMayReachPrivate(principal, MANAGED.permission, opening(rest.allowPrivate));
        const setup = setUpChannel(target, rest.allowPrivate, deps);
        const id = deps.newId();
        const row: AlertChannelRow = {
          ...rest,
          ...targetColumns(deps, id, setup),
          id,
          workspaceId,
          kind: target.kind,
          createdAtMs: deps.clock.now(),
        };
        audit.changed('alert_channel', id, { after: row });
        await alerts.insertAlertChannel(row);
        return { body: { ...channelView(row), signingSecret: setup.madeSecret?.reveal() ?? null } };
      },
    }),
    updateRoute(deps),
    jsonRoute({
      ...MANAGED,
      method: 'DELETE',
      path: '/api/alerts/channels/:id',
      summary: 'Remove a channel; what is on its way there is not sent any more',
      params: withId,
      response: emptySchema,
      async handler({ workspaceId, params, audit }) {
        const before = await oneChannel(deps, workspaceId, params.id);
        audit.changed('alert_channel', before.id, { before });
        if (!(await alerts.deleteAlertChannel(before.id))) throw new AppError('resource_not_found');
        return { body: {} };
      },
    }),
  ];
}

/** Channels: where alerts go (TW-16). */
export function alertChannelRoutes(deps: AdminDeps): AdminRoute[] {
  const managed = { access: 'permitted', permission: 'alerts.manage' } as const;
  return [
    jsonRoute({
      ...managed,
      method: 'GET',
      path: '/api/alerts/channels',
      summary: 'All channels',
      response: channelListResponse,
      async handler({ workspaceId }) {
        const channels = await deps.store.alerts.listAlertChannels(workspaceId);
        return { body: { channels: channels.map(channelView) } };
      },
    }),
    ...writeRoutes(deps),
    jsonRoute({
      ...managed,
      method: 'POST',
      path: '/api/alerts/channels/:id/test',
      summary: 'Send a test to a channel and say what came of it',
      params: withId,
      response: channelTestResponse,
      async handler({ workspaceId, params }) {
        const channel = await oneChannel(deps, workspaceId, params.id);
        const startedMs = deps.clock.monotonicMs();
        const notice = deps.alerting.sample(deps.newId());
        const { ok, status, message } = await deps.alerting.trySend(notice, channel);
        const durationMs = Math.round(deps.clock.monotonicMs() - startedMs);
        return { body: { ok, status, message, durationMs } };
      },
    }),
    jsonRoute({
      ...managed,
      method: 'POST',
      path: '/api/alerts/preview',
      summary: 'What a channel of a kind would be sent, with a template',
      audit: 'none',
      body: alertPreviewRequest,
      response: alertPreviewResponse,
      async handler({ body }) {
        assertTemplate(body.template);
        const adapter = deps.alerting.channels.find(({ kind }) => kind === body.kind);
        if (!adapter) throw new AppError('resource_not_found');
        const notice = deps.alerting.sample('00000000-0000-7000-8000-000000000000');
        return { body: adapter.render(applyTemplate(notice, body.template)) };
      },
    }),
  ];
}
