import { redactRequest, redactResponse } from '@tallygate/contract/api/usage';
import type { z } from 'zod';
import type { RedactionQuery } from '../../store/ports/redaction.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { assertForward, toMs } from '../instant.ts';
import { type AdminRoute, type Caller, jsonRoute } from '../route.ts';
import { createSingleFlight } from '../single-flight.ts';

type Asked = z.output<typeof redactRequest>;

function byOf({ tag, sessionId, requestId }: Asked, { userHash }: AdminDeps): RedactionQuery['by'] {
  if (tag !== undefined) return { kind: 'tag', value: tag };
  if (sessionId !== undefined) return { kind: 'session', value: userHash?.sought(sessionId) ?? sessionId };
  return { kind: 'request', value: requestId ?? '' };
}

function queryOf(asked: Asked, deps: AdminDeps, { workspaceId }: Caller): RedactionQuery {
  const fromMs = asked.from === undefined ? null : toMs(asked.from);
  const end = asked.to === undefined ? null : toMs(asked.to);
  if (fromMs !== null && end !== null) assertForward(fromMs, end, { in: 'body', path: 'to' });
  return { workspaceId, by: byOf(asked, deps), fromMs, toMs: end };
}

/** Removes tags and session ids from requests of the past (TW-12); the audit log gets the number, never the value. */
export function redactRoute(deps: AdminDeps): AdminRoute {
  const { maintenance } = deps.store;
  const alone = createSingleFlight('A redaction');
  return jsonRoute({
    access: 'permitted',
    permission: 'logs.redact',
    method: 'POST',
    rateClass: 'heavy',
    path: '/api/requests/redact',
    summary: 'Remove tags and session ids from requests; tokens and money stay',
    body: redactRequest,
    response: redactResponse,
    async handler({ body, audit, ...caller }) {
      const query = queryOf(body, deps, caller);
      const { dryRun } = body;
      const rows = await alone(() =>
        dryRun ? maintenance.countRedactable(query) : maintenance.redact(query),
      );
      const { fromMs, toMs: untilMs, by } = query;
      audit.changed('redaction', null, { after: { by: by.kind, fromMs, toMs: untilMs, dryRun, rows } });
      return { body: { dryRun, rows } };
    },
  });
}
