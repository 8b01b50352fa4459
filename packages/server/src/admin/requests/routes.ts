import { idSchema } from '@tallygate/contract/api/common';
import {
  requestDetailResponse,
  requestListResponse,
  requestRow,
  requestStreamQuery,
  requestsQuery,
} from '@tallygate/contract/api/usage';
import { z } from 'zod';
import { visibleProject } from '../../identity/principal.ts';
import { AppError } from '../../kernel/errors.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { assertForward, toMs } from '../instant.ts';
import { loadNames } from '../names.ts';
import { type AdminRoute, jsonRoute, streamRoute } from '../route.ts';
import { sessionsOf, toFilter } from '../usage/filters.ts';
import { createLedgerTail } from './ledger-tail.ts';
import { redactRoute } from './redact-route.ts';
import { placeNames, requestDetailView, requestView } from './request-view.ts';
import { prepareRequestStream } from './requests-stream.ts';

/** The request log: newest first by keyset, in detail, and live. */
export function requestRoutes(deps: AdminDeps): AdminRoute[] {
  const { usage, config } = deps.store;
  const guarded = { access: 'permitted', permission: 'logs.view', method: 'GET' } as const;
  const tail = createLedgerTail(deps);
  return [
    jsonRoute({
      ...guarded,
      path: '/api/requests',
      summary: 'Requests, newest first; `nextCursor` continues the list',
      query: requestsQuery,
      response: requestListResponse,
      async handler({ query, ...caller }) {
        const names = await loadNames(config, caller.workspaceId);
        const fromMs = query.from === undefined ? undefined : toMs(query.from);
        const end = query.to === undefined ? undefined : toMs(query.to);
        if (fromMs !== undefined && end !== undefined)
          assertForward(fromMs, end, { in: 'query', path: 'to' });
        const page = await usage.requests({
          ...toFilter(query, names, caller),
          ...sessionsOf(query, deps),
          ...(fromMs === undefined ? {} : { fromMs }),
          ...(end === undefined ? {} : { toMs: end }),
          limit: query.limit,
          cursor: query.cursor ?? null,
        });
        return {
          body: {
            requests: page.events.map((event) => requestView(event, names)),
            nextCursor: page.nextCursor,
          },
        };
      },
    }),
    streamRoute({
      ...guarded,
      path: '/api/requests/stream',
      summary:
        'Server-sent events `request`: each request as it is settled; resumes with Last-Event-ID or `after`',
      query: requestStreamQuery,
      response: requestRow,
      prepare: (call) => prepareRequestStream({ ...deps, tail }, call),
    }),
    redactRoute(deps),
    jsonRoute({
      ...guarded,
      path: '/api/requests/:id',
      summary: 'One request with its attempts, sub-calls and how its cost came about',
      params: z.object({ id: idSchema }),
      response: requestDetailResponse,
      async handler({ params, principal, workspaceId }) {
        const event = await usage.request(params.id, workspaceId);
        const bound = visibleProject(principal);
        // Someone else's request does not exist for a key bound to a project: 404 tells nothing, 403 would.
        if (event === null || (bound !== null && event.projectId !== bound))
          throw new AppError('resource_not_found');
        const [children, names] = await Promise.all([
          usage.children(event.id),
          loadNames(config, workspaceId),
        ]);
        const costLines = deps.costLinesOf(event);
        const places = await placeNames(deps, event);
        return { body: requestDetailView(event, { children, costLines, names, places }) };
      },
    }),
  ];
}
