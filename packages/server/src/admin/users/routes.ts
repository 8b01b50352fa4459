import { sessionsEndedResponse } from '@tallygate/contract/api/auth';
import { idSchema } from '@tallygate/contract/api/common';
import {
  entryLinkResponse,
  type UserView,
  userListResponse,
  userResponse,
  userUpdateRequest,
} from '@tallygate/contract/api/people';
import { z } from 'zod';
import { makeEntryLink } from '../../identity/entry-link.ts';
import { NO_PASSWORD } from '../../identity/password-hash.ts';
import { AppError } from '../../kernel/errors.ts';
import type { MemberRow, UserChange } from '../../store/ports/people.ts';
import type { AdminContext } from '../admin-deps.ts';
import { entryLinkView } from '../entry/link-view.ts';
import { toIso, toIsoOrNull } from '../instant.ts';
import { type AdminRoute, type Caller, jsonRoute } from '../route.ts';
import { endSessionsOf, recheckStreamsOf } from '../sessions/end-sessions.ts';
import { assertMayGrant, assertMayManage } from './user-access.ts';

const withId = z.object({ id: idSchema });
/** Long enough to hand the link over, short enough that a forgotten one is worth nothing. */
const NEW_PASSWORD_LINK_MS = 24 * 3600_000;

function view(row: MemberRow): UserView {
  return {
    id: row.id,
    username: row.username,
    role: row.role,
    createdAt: toIso(row.createdAtMs),
    disabledAt: toIsoOrNull(row.disabledAtMs),
    secondFactor: row.secondFactor,
    password: row.passwordHash !== NO_PASSWORD,
    app: row.app,
    passkeys: row.passkeys,
    sso: row.sso,
    lastSeenAt: toIsoOrNull(row.lastSeenAtMs),
  };
}

async function oneView({ store }: AdminContext, workspaceId: string, id: string): Promise<UserView> {
  const row = (await store.people.listMembers(workspaceId)).find((user) => user.id === id);
  if (!row) throw new AppError('resource_not_found');
  return view(row);
}

function assertChanged(change: UserChange): void {
  if (change === 'missing') throw new AppError('resource_not_found');
  if (change === 'last_owner') throw new AppError('last_owner');
}

async function updateUser(
  context: AdminContext,
  call: Caller & { params: { id: string }; body: z.output<typeof userUpdateRequest> },
): Promise<UserView> {
  const { id } = call.params;
  const { role, disabled } = call.body;
  const as = disabled === undefined ? 'member' : 'person';
  const before = await assertMayManage(context, call, { userId: id, as });
  if (role !== undefined) await assertMayGrant(context, call, role);
  const ref = { userId: id, workspaceId: call.workspaceId };
  const change = {
    ...(role === undefined ? {} : { role }),
    ...(disabled === undefined ? {} : { disabledAtMs: disabledAt(before, disabled, context.clock.now()) }),
  };
  assertChanged(await recheckStreamsOf(context, [id], () => context.store.people.updateMember(ref, change)));
  return oneView(context, call.workspaceId, id);
}

/** Disabling somebody who is disabled keeps the time it happened. */
function disabledAt(before: MemberRow, disabled: boolean, nowMs: number): number | null {
  return disabled ? (before.disabledAtMs ?? nowMs) : null;
}

const guarded = { access: 'permitted', permission: 'users.manage' } as const;

/** People of the workspace (CF-14). Nobody manages somebody who may do more. */
export function userRoutes(context: AdminContext): AdminRoute[] {
  const { people } = context.store;
  return [
    jsonRoute({
      ...guarded,
      method: 'GET',
      path: '/api/users',
      summary: 'Everybody who belongs to the workspace, and whoever of them is disabled',
      response: userListResponse,
      handler: async ({ workspaceId }) => ({
        body: { users: (await people.listMembers(workspaceId)).map(view) },
      }),
    }),
    jsonRoute({
      ...guarded,
      method: 'PATCH',
      path: '/api/users/:id',
      summary: 'Give a user another role, or disable or enable them; disabling ends their sessions',
      params: withId,
      body: userUpdateRequest,
      response: userResponse,
      handler: async (call) => ({ body: await updateUser(context, call) }),
    }),
    jsonRoute({
      ...guarded,
      method: 'DELETE',
      path: '/api/users/:id',
      summary:
        'Remove a user from the workspace, and altogether if it was their last; what they did stays in the ledger and the log',
      params: withId,
      response: userResponse,
      async handler({ params, ...caller }) {
        const user = await assertMayManage(context, caller, { userId: params.id, as: 'member' });
        const ref = { userId: user.id, workspaceId: caller.workspaceId };
        assertChanged(await recheckStreamsOf(context, [user.id], () => people.removeMember(ref)));
        return { body: view(user) };
      },
    }),
    ...entryRoutes(context),
  ];
}

function entryRoutes(context: AdminContext): AdminRoute[] {
  return [
    jsonRoute({
      ...guarded,
      method: 'POST',
      path: '/api/users/:id/reset-password',
      summary: 'A one-time link with which the user sets a new password; the answer shows it this once',
      audit: 'secret',
      status: 201,
      params: withId,
      response: entryLinkResponse,
      async handler({ params, ...caller }) {
        const user = await assertMayManage(context, caller, { userId: params.id, as: 'person' });
        const { principal } = caller;
        if (user.disabledAtMs !== null) {
          throw new AppError('conflict', { detail: 'This user is disabled. Enable them first.' });
        }
        const createdBy = principal.kind === 'session' ? principal.session.user.id : null;
        const made = await makeEntryLink(
          context,
          { userId: user.id },
          { createdBy, lifetimeMs: NEW_PASSWORD_LINK_MS },
        );
        return { body: entryLinkView(made) };
      },
    }),
    jsonRoute({
      ...guarded,
      method: 'DELETE',
      path: '/api/users/:id/second-factor',
      summary: 'Remove a user’s app, passkeys and recovery codes, for a lost phone; ends their sessions',
      audit: 'secret',
      params: withId,
      response: userResponse,
      async handler({ params, ...caller }) {
        await assertMayManage(context, caller, { userId: params.id, as: 'person' });
        await context.secondFactor.removeAll(params.id);
        await endSessionsOf(context, params.id, null);
        return { body: await oneView(context, caller.workspaceId, params.id) };
      },
    }),
    jsonRoute({
      ...guarded,
      method: 'DELETE',
      path: '/api/users/:id/sessions',
      summary: 'End all sessions of a user',
      params: withId,
      response: sessionsEndedResponse,
      async handler({ params, ...caller }) {
        await assertMayManage(context, caller, { userId: params.id, as: 'person' });
        return { body: { ended: await endSessionsOf(context, params.id, null) } };
      },
    }),
  ];
}
