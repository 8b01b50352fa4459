import { emptySchema, idSchema } from '@tallygate/contract/api/common';
import {
  entryLinkResponse,
  type InvitationView,
  invitationCreateRequest,
  invitationListResponse,
} from '@tallygate/contract/api/people';
import { z } from 'zod';
import { makeEntryLink } from '../../identity/entry-link.ts';
import { AppError } from '../../kernel/errors.ts';
import type { AdminContext } from '../admin-deps.ts';
import { entryLinkView } from '../entry/link-view.ts';
import { toIso } from '../instant.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';
import { assertMayGrant } from '../users/user-access.ts';

const HOUR_MS = 3600_000;

async function views({ store, clock }: AdminContext, workspaceId: string): Promise<InvitationView[]> {
  const [links, users] = await Promise.all([
    store.people.listLinks(workspaceId, clock.now()),
    store.people.listMembers(workspaceId),
  ]);
  const names = new Map(users.map((user) => [user.id, user.username]));
  return links.flatMap((link) =>
    link.role === null
      ? []
      : {
          id: link.id,
          role: link.role,
          note: link.note,
          createdBy: link.createdBy === null ? null : (names.get(link.createdBy) ?? link.createdBy),
          createdAt: toIso(link.createdAtMs),
          expiresAt: toIso(link.expiresAtMs),
        },
  );
}

/** Invitations: one-time links that whoever invites hands over, so no mail server is needed (CF-14). */
export function invitationRoutes(context: AdminContext): AdminRoute[] {
  const guarded = { access: 'permitted', permission: 'users.manage' } as const;
  return [
    jsonRoute({
      ...guarded,
      method: 'GET',
      path: '/api/invitations',
      summary: 'Invitations that nobody has used yet',
      response: invitationListResponse,
      handler: async ({ workspaceId }) => ({ body: { invitations: await views(context, workspaceId) } }),
    }),
    jsonRoute({
      ...guarded,
      method: 'POST',
      path: '/api/invitations',
      summary: 'Invite somebody; the answer shows the one-time link this once',
      audit: 'secret',
      status: 201,
      body: invitationCreateRequest,
      response: entryLinkResponse,
      async handler({ body, ...caller }) {
        await assertMayGrant(context, caller, body.role);
        const { principal, workspaceId } = caller;
        const made = await makeEntryLink(
          context,
          { workspaceId, role: body.role, note: body.note ?? null },
          {
            createdBy: principal.kind === 'session' ? principal.session.user.id : null,
            lifetimeMs: body.expiresInHours * HOUR_MS,
          },
        );
        return { body: entryLinkView(made) };
      },
    }),
    jsonRoute({
      ...guarded,
      method: 'DELETE',
      path: '/api/invitations/:id',
      summary: 'Withdraw an invitation: its link is worth nothing from now on',
      params: z.object({ id: idSchema }),
      response: emptySchema,
      async handler({ params, workspaceId }) {
        const open = (await views(context, workspaceId)).some((invitation) => invitation.id === params.id);
        if (!open || !(await context.store.people.deleteLink(params.id)))
          throw new AppError('resource_not_found');
        return { body: {} };
      },
    }),
  ];
}
