import { idSchema } from '@tallygate/contract/api/common';
import {
  memberAddRequest,
  memberResponse,
  type WorkspaceView,
  workspaceCreateRequest,
  workspaceListResponse,
  workspaceResponse,
  workspaceUpdateRequest,
} from '@tallygate/contract/api/workspaces';
import { z } from 'zod';
import { DEFAULT_PROJECT_SLUG } from '../../identity/key-lookup.ts';
import { AppError } from '../../kernel/errors.ts';
import type { WorkspaceRow } from '../../store/store.ts';
import type { AdminContext } from '../admin-deps.ts';
import { toIso } from '../instant.ts';
import { invalidInput } from '../parse-input.ts';
import { newProject } from '../projects/project-access.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';

const withId = z.object({ id: idSchema });
const guarded = { access: 'permitted', permission: 'system.manage' } as const;

/** @throws AppError `resource_not_found` */
async function workspaceOfId({ store }: AdminContext, id: string): Promise<WorkspaceRow> {
  const row = (await store.config.listWorkspaces()).find((workspace) => workspace.id === id);
  if (!row) throw new AppError('resource_not_found');
  return row;
}

function addMemberRoute(context: AdminContext): AdminRoute {
  const { store, access, clock } = context;
  return jsonRoute({
    ...guarded,
    method: 'POST',
    path: '/api/workspaces/:id/members',
    summary: 'Let somebody who can sign in already into the workspace as well',
    status: 201,
    params: withId,
    body: memberAddRequest,
    response: memberResponse,
    async handler({ params, body: { username, role }, audit }) {
      const { id: workspaceId } = await workspaceOfId(context, params.id);
      if ((await access.permissionsOfRole(role, workspaceId)) === null) {
        throw invalidInput([{ in: 'body', path: 'role', message: 'is not the name of a role' }]);
      }
      const user = await store.identity.findUserByName(username);
      if (user === null) {
        throw invalidInput([{ in: 'body', path: 'username', message: 'names nobody who can sign in' }]);
      }
      const row = { userId: user.id, workspaceId, role, createdAtMs: clock.now() };
      audit.changed('membership', workspaceId, { after: row });
      await store.people.addMember(row);
      return { body: { userId: user.id, username: user.username, role } };
    },
  });
}

/** Workspaces: each has its own keys, projects, accounts, budgets, figures and people (TW-07). */
export function workspaceRoutes(context: AdminContext): AdminRoute[] {
  const { config } = context.store;
  const view = (row: WorkspaceRow): WorkspaceView => ({
    id: row.id,
    slug: row.slug,
    name: row.name,
    first: row.id === context.firstWorkspaceId,
    allowedAddresses: row.allowedAddresses,
    createdAt: toIso(row.createdAtMs),
  });
  return [
    jsonRoute({
      method: 'GET',
      path: '/api/workspaces',
      summary: 'All workspaces of the installation',
      access: 'permitted',
      permission: 'system.view',
      response: workspaceListResponse,
      handler: async () => ({ body: { workspaces: (await config.listWorkspaces()).map(view) } }),
    }),
    jsonRoute({
      ...guarded,
      method: 'POST',
      path: '/api/workspaces',
      summary: 'Make a workspace, with a default project',
      status: 201,
      body: workspaceCreateRequest,
      response: workspaceResponse,
      async handler({ body, audit }) {
        const { newId, clock } = context;
        const names = { slug: body.slug, name: body.name ?? body.slug };
        const row = { id: newId(), ...names, allowedAddresses: [], createdAtMs: clock.now() };
        const project = { ...newProject(context, row.id, DEFAULT_PROJECT_SLUG), name: 'Default' };
        audit.changed('workspace', row.id, { after: row });
        await config.insertWorkspace(row, project);
        return { body: view(row) };
      },
    }),
    jsonRoute({
      ...guarded,
      method: 'PATCH',
      path: '/api/workspaces/:id',
      summary: 'Rename a workspace, or set the addresses its people and keys may come from; its slug stays',
      params: withId,
      body: workspaceUpdateRequest,
      response: workspaceResponse,
      async handler({ params, body, audit }) {
        const before = await workspaceOfId(context, params.id);
        const { name = before.name, allowedAddresses = before.allowedAddresses } = body;
        const after = { ...before, name, allowedAddresses };
        audit.changed('workspace', before.id, { before, after });
        await config.updateWorkspace(before.id, { name, allowedAddresses });
        await context.refreshSnapshot();
        return { body: view(after) };
      },
    }),
    addMemberRoute(context),
  ];
}
