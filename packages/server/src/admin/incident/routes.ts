import { emptySchema } from '@tallygate/contract/api/common';
import {
  incidentExportResponse,
  incidentStatusResponse,
  pauseRequest,
  pauseResponse,
  revokeSessionsRequest,
  revokeSessionsResponse,
  rotateAllRequest,
  rotateAllResponse,
} from '@tallygate/contract/api/incident';
import { keyCredential, sessionCredential } from '../../identity/principal.ts';
import type { TrafficPause } from '../../store/ports/incident.ts';
import type { AdminContext } from '../admin-deps.ts';
import { nameOfCaller } from '../caller-name.ts';
import { toIso } from '../instant.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';
import { incidentState } from './incident-state.ts';

const pauseView = (pause: TrafficPause | null) =>
  pause === null ? null : { since: toIso(pause.sinceMs), reason: pause.reason, by: pause.by };

const GUARDED = { access: 'permitted', permission: 'system.manage' } as const;
const pausedField = (pause: TrafficPause | null) => ({
  paused: pause !== null,
  reason: pause?.reason ?? null,
});

function pauseRoutes(context: AdminContext): AdminRoute[] {
  const { incident, config } = context.store;
  return [
    jsonRoute({
      ...GUARDED,
      method: 'GET',
      path: '/api/incident',
      summary: 'Whether traffic is paused, and how many keys work',
      response: incidentStatusResponse,
      handler: async () => ({
        body: {
          paused: pauseView(await incident.readPause()),
          workingKeys: (await config.listKeys(null)).filter((key) => key.revokedAtMs === null).length,
        },
      }),
    }),
    jsonRoute({
      ...GUARDED,
      method: 'POST',
      path: '/api/incident/pause',
      summary: 'Stop all proxied traffic at once, running requests included; it stays stopped over a restart',
      body: pauseRequest,
      response: pauseResponse,
      async handler({ body, principal, audit }) {
        const before = await incident.readPause();
        const pause = {
          sinceMs: context.clock.now(),
          reason: body.reason ?? null,
          by: nameOfCaller(principal),
        };
        const now = before ?? pause; // who paused first, and why, stands
        if (before === null) await incident.writePause(pause);
        await context.refreshSnapshot();
        const ended = context.endRunningRequests();
        audit.changed('traffic', null, { before: pausedField(before), after: pausedField(now) });
        return { body: { paused: pauseView(now), ended } };
      },
    }),
    jsonRoute({
      ...GUARDED,
      method: 'POST',
      path: '/api/incident/resume',
      summary: 'Let traffic through again',
      body: emptySchema,
      response: pauseResponse,
      async handler({ audit }) {
        const before = await incident.readPause();
        await incident.writePause(null);
        await context.refreshSnapshot();
        audit.changed('traffic', null, { before: pausedField(before), after: pausedField(null) });
        return { body: { paused: null, ended: 0 } };
      },
    }),
  ];
}

function revokeRoutes(context: AdminContext): AdminRoute[] {
  const { incident } = context.store;
  return [
    jsonRoute({
      ...GUARDED,
      method: 'POST',
      path: '/api/incident/rotate-all',
      summary: 'Revoke every API key, the caller’s own included',
      audit: 'secret',
      body: rotateAllRequest,
      response: rotateAllResponse,
      async handler({ audit }) {
        const ids = await incident.revokeAllKeys(context.clock.now());
        await context.refreshSnapshot();
        for (const id of ids) {
          context.endCallsOf(id);
          context.endStreamsOf(keyCredential(id));
        }
        audit.changed('all_keys', null, { after: { revoked: ids.length } });
        return { body: { revoked: ids.length } };
      },
    }),
    jsonRoute({
      ...GUARDED,
      method: 'POST',
      path: '/api/incident/revoke-sessions',
      summary: 'End every session: everybody signs in again, the caller included',
      audit: 'secret',
      body: revokeSessionsRequest,
      response: revokeSessionsResponse,
      async handler({ audit }) {
        const ended = await incident.endAllSessions();
        for (const idHash of ended) context.endStreamsOf(sessionCredential(idHash));
        audit.changed('all_sessions', null, { after: { ended: ended.length } });
        return { body: { ended: ended.length }, session: { action: 'clear' } };
      },
    }),
    jsonRoute({
      ...GUARDED,
      method: 'GET',
      path: '/api/incident/export',
      summary: 'Settings, keys, accounts, security counters and proof of the audit log, without any secret',
      audit: 'access',
      rateClass: 'heavy',
      response: incidentExportResponse,
      handler: async () => ({ body: await incidentState(context) }),
    }),
  ];
}

/** What to do when something leaked (CF-18): stop, take away, and keep the evidence. */
export function incidentRoutes(context: AdminContext): AdminRoute[] {
  return [...pauseRoutes(context), ...revokeRoutes(context)];
}
