import { meResponse } from '@tallygate/contract/api/auth';
import {
  type OwnWorkspace,
  ownWorkspacesResponse,
  workspaceChoice,
} from '@tallygate/contract/api/workspaces';
import { credentialId } from '../../identity/principal.ts';
import type { LiveSession } from '../../identity/sessions.ts';
import { AppError } from '../../kernel/errors.ts';
import type { AdminContext } from '../admin-deps.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';
import { meView, personOf } from './me-view.ts';

/** Where this person may look: where they belong, and everywhere for an owner of the installation. */
async function ownWorkspaces(
  { store, access }: AdminContext,
  { user, workspaceId }: LiveSession,
): Promise<OwnWorkspace[]> {
  const found: OwnWorkspace[] = [];
  for (const { id, slug, name } of await store.config.listWorkspaces()) {
    const standing = await access.standingOf(user.id, id);
    if (standing?.workspaceId !== id) continue;
    found.push({ id, slug, name, role: standing.role, current: id === workspaceId });
  }
  return found;
}

/** Which workspace a session looks at. */
export function workspaceChoiceRoutes(context: AdminContext): AdminRoute[] {
  return [
    jsonRoute({
      method: 'GET',
      path: '/api/auth/workspaces',
      summary: 'The workspaces that the signed-in person may look at',
      access: 'session',
      stages: ['full', 'enrol'],
      response: ownWorkspacesResponse,
      handler: async ({ principal }) => ({
        body: { workspaces: await ownWorkspaces(context, personOf(principal).session) },
      }),
    }),
    jsonRoute({
      method: 'POST',
      path: '/api/auth/workspace',
      summary: 'Look at another workspace from now on, in this session',
      access: 'session',
      audit: 'access',
      body: workspaceChoice,
      response: meResponse,
      async handler({ principal, body, audit }) {
        const person = personOf(principal);
        const { session } = person;
        const wanted = (await ownWorkspaces(context, session)).find(
          ({ id, slug }) => id === body.workspace || slug === body.workspace,
        );
        // One that exists and one that does not get the same answer: neither is theirs.
        if (wanted === undefined) throw new AppError('resource_not_found');
        audit.about('workspace', wanted.id);
        await context.store.identity.chooseWorkspace(session.row.idHash, wanted.id);
        context.endStreamsOf(credentialId(person)); // they show the workspace that was looked at before
        const now = await context.sessions.find(person.token);
        if (now === null) throw new AppError('session_required');
        return { body: meView(now) };
      },
    }),
  ];
}
