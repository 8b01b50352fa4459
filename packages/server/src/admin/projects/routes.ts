import { idSchema } from '@tallygate/contract/api/common';
import {
  type ProjectView,
  projectCreateRequest,
  projectListResponse,
  projectResponse,
  projectUpdateRequest,
} from '@tallygate/contract/api/projects';
import { z } from 'zod';
import { AppError } from '../../kernel/errors.ts';
import type { ProjectRow } from '../../store/store.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { toIso } from '../instant.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';
import { newProject } from './project-access.ts';

const view = (row: ProjectRow): ProjectView => ({
  id: row.id,
  slug: row.slug,
  name: row.name,
  environment: row.environment,
  disconnectPolicy: row.disconnectPolicy,
  createdAt: toIso(row.createdAtMs),
});

/** Projects: what keys belong to and figures are split by. */
export function projectRoutes(deps: AdminDeps): AdminRoute[] {
  const { config } = deps.store;
  return [
    jsonRoute({
      method: 'GET',
      path: '/api/projects',
      summary: 'All projects',
      access: 'permitted',
      permission: 'projects.manage',
      response: projectListResponse,
      handler: async ({ workspaceId }) => ({
        body: { projects: (await config.listProjects(workspaceId)).map(view) },
      }),
    }),
    jsonRoute({
      method: 'POST',
      path: '/api/projects',
      summary: 'Create a project',
      access: 'permitted',
      permission: 'projects.manage',
      status: 201,
      body: projectCreateRequest,
      response: projectResponse,
      async handler({ workspaceId, body, audit }) {
        const base = newProject(deps, workspaceId, body.slug);
        const row: ProjectRow = {
          ...base,
          name: body.name ?? base.name,
          environment: body.environment ?? base.environment,
          disconnectPolicy: body.disconnectPolicy ?? base.disconnectPolicy,
        };
        audit.changed('project', row.id, { after: row });
        await config.insertProject(row);
        await deps.refreshSnapshot();
        return { body: view(row) };
      },
    }),
    jsonRoute({
      method: 'PATCH',
      path: '/api/projects/:id',
      summary: 'Change a project: its name, its environment, what happens when its clients leave',
      access: 'permitted',
      permission: 'projects.manage',
      params: z.object({ id: idSchema }),
      body: projectUpdateRequest,
      response: projectResponse,
      async handler({ workspaceId, params, body, audit }) {
        const before = (await config.listProjects(workspaceId)).find((project) => project.id === params.id);
        if (!before) throw new AppError('resource_not_found');
        const change: Parameters<typeof config.updateProject>[1] = {};
        if (body.name !== undefined) change.name = body.name;
        if (body.environment !== undefined) change.environment = body.environment;
        if (body.disconnectPolicy !== undefined) change.disconnectPolicy = body.disconnectPolicy;
        const changed = Object.keys(change).length > 0;
        if (changed && !(await config.updateProject(before, change)))
          throw new AppError('resource_not_found');
        const row = (await config.listProjects(workspaceId)).find((project) => project.id === params.id);
        if (!row) throw new AppError('resource_not_found');
        audit.changed('project', row.id, { before, after: row });
        if (changed) await deps.refreshSnapshot();
        return { body: view(row) };
      },
    }),
  ];
}
