import {
  type SessionView,
  sessionListResponse,
  sessionResponse,
  sessionsEndedResponse,
} from '@tallygate/contract/api/auth';
import { emptySchema, idSchema } from '@tallygate/contract/api/common';
import { z } from 'zod';
import { type Principal, sessionCredential } from '../../identity/principal.ts';
import { AppError } from '../../kernel/errors.ts';
import type { SessionRow, UserRow } from '../../store/store.ts';
import type { AdminContext } from '../admin-deps.ts';
import { personOf } from '../auth/me-view.ts';
import { toIso } from '../instant.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';
import { assertMayManage, managedPeople } from '../users/user-access.ts';
import { endSessionsOf } from './end-sessions.ts';

const withId = z.object({ id: idSchema });
/** A part of the stored hash: enough to name a session, of no use for anything else. */
const PUBLIC_ID_CHARS = 24;
const publicId = (row: SessionRow): string => row.idHash.slice(0, PUBLIC_ID_CHARS);

interface Found {
  row: SessionRow;
  view: SessionView;
}

/** Sessions of these people, whom the caller may know of. */
async function liveViews(
  context: AdminContext,
  principal: Principal,
  users: readonly Pick<UserRow, 'id' | 'username'>[],
): Promise<Found[]> {
  const rows = await context.store.people.listSessions(users.length === 1 ? (users[0]?.id ?? null) : null);
  const names = new Map(users.map((user) => [user.id, user.username]));
  const own = principal.kind === 'session' ? principal.session.row.idHash : null;
  return rows
    .filter((row) => names.has(row.userId))
    .filter((row) => context.sessions.isLive(row) && row.secondFactorTries === null)
    .map((row) => ({
      row,
      view: {
        id: publicId(row),
        user: { id: row.userId, username: names.get(row.userId) ?? row.userId },
        current: row.idHash === own,
        createdAt: toIso(row.createdAtMs),
        lastSeenAt: toIso(row.lastSeenAtMs),
        expiresAt: toIso(row.expiresAtMs),
        address: row.address,
        userAgent: row.userAgent,
        method: row.method,
      },
    }));
}

async function endOne(context: AdminContext, row: SessionRow): Promise<void> {
  await context.sessions.end(row.idHash);
  context.endStreamsOf(sessionCredential(row.idHash));
}

/** One's own sessions, and everybody's for whoever manages users. */
export function sessionRoutes(context: AdminContext): AdminRoute[] {
  return [...ownRoutes(context), ...allRoutes(context)];
}

function ownRoutes(context: AdminContext): AdminRoute[] {
  return [
    jsonRoute({
      method: 'GET',
      path: '/api/auth/sessions',
      summary: 'One’s own sessions, most recently used first',
      access: 'session',
      response: sessionListResponse,
      async handler({ principal }) {
        const found = await liveViews(context, principal, [personOf(principal).session.user]);
        return { body: { sessions: found.map(({ view }) => view) } };
      },
    }),
    jsonRoute({
      method: 'DELETE',
      path: '/api/auth/sessions/:id',
      summary: 'End one of one’s own sessions',
      access: 'session',
      audit: 'access',
      params: withId,
      response: emptySchema,
      async handler({ principal, params }) {
        const found = await liveViews(context, principal, [personOf(principal).session.user]);
        const wanted = found.find(({ view }) => view.id === params.id);
        if (!wanted) throw new AppError('resource_not_found');
        await endOne(context, wanted.row);
        return { body: {} };
      },
    }),
    jsonRoute({
      method: 'POST',
      path: '/api/auth/sessions/end-others',
      summary: 'End all of one’s own sessions but this one',
      access: 'session',
      audit: 'access',
      response: sessionsEndedResponse,
      async handler({ principal }) {
        const { user, row } = personOf(principal).session;
        return { body: { ended: await endSessionsOf(context, user.id, row.idHash) } };
      },
    }),
  ];
}

function allRoutes(context: AdminContext): AdminRoute[] {
  const guarded = { access: 'permitted', permission: 'users.manage' } as const;
  return [
    jsonRoute({
      ...guarded,
      method: 'GET',
      path: '/api/sessions',
      summary: 'Sessions of the people of the workspace, or of one of them',
      query: z.object({ user: idSchema.optional() }),
      response: sessionListResponse,
      async handler({ query, ...caller }) {
        const people = await managedPeople(context, caller);
        const asked = people.filter(({ id }) => query.user === undefined || id === query.user);
        const found = await liveViews(context, caller.principal, asked);
        return { body: { sessions: found.map(({ view }) => view) } };
      },
    }),
    jsonRoute({
      ...guarded,
      method: 'DELETE',
      path: '/api/sessions/:id',
      summary: 'End somebody’s session',
      params: withId,
      response: sessionResponse,
      async handler({ params, ...caller }) {
        const people = await managedPeople(context, caller);
        const found = await liveViews(context, caller.principal, people);
        const wanted = found.find(({ view }) => view.id === params.id);
        if (!wanted) throw new AppError('resource_not_found');
        await assertMayManage(context, caller, { userId: wanted.row.userId, as: 'person' });
        await endOne(context, wanted.row);
        return { body: wanted.view };
      },
    }),
  ];
}
