import { idSchema } from '@tallygate/contract/api/common';
import {
  type ApiKeyCreated,
  type ApiKeyView,
  keyCreatedResponse,
  keyCreateRequest,
  keyListResponse,
  keyResponse,
  keyUpdateRequest,
} from '@tallygate/contract/api/keys';
import { z } from 'zod';
import { DEFAULT_PROJECT_SLUG } from '../../identity/key-lookup.ts';
import { assertHolds, keyCredential, type Principal, permissionsOfScopes } from '../../identity/principal.ts';
import { createApiKey } from '../../identity/token.ts';
import { AppError } from '../../kernel/errors.ts';
import type { ApiKeyRow } from '../../store/store.ts';
import type { AdminContext } from '../admin-deps.ts';
import { toIso, toIsoOrNull, toMs } from '../instant.ts';
import { invalidInput } from '../parse-input.ts';
import { ensureProject } from '../projects/project-access.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';

const withId = z.object({ id: idSchema });

function view(row: ApiKeyRow, slugOf: (projectId: string) => string): ApiKeyView {
  return {
    id: row.id,
    name: row.name,
    prefix: row.prefix,
    scopes: row.scopes,
    project: { id: row.projectId, slug: slugOf(row.projectId) },
    createdAt: toIso(row.createdAtMs),
    expiresAt: toIsoOrNull(row.expiresAtMs),
    revokedAt: toIsoOrNull(row.revokedAtMs),
    lastUsedAt: toIsoOrNull(row.lastUsedAtMs),
  };
}

async function views(context: AdminContext): Promise<ApiKeyView[]> {
  const [keys, projects] = await Promise.all([
    context.store.config.listKeys(),
    context.store.config.listProjects(),
  ]);
  const slugs = new Map(projects.map((project) => [project.id, project.slug]));
  return keys.map((row) => view(row, (id) => slugs.get(id) ?? id));
}

async function oneView(context: AdminContext, id: string): Promise<ApiKeyView> {
  const found = (await views(context)).find((key) => key.id === id);
  if (!found) throw new AppError('resource_not_found');
  return found;
}

async function createKey(
  context: AdminContext,
  principal: Principal,
  body: z.output<typeof keyCreateRequest>,
): Promise<ApiKeyCreated> {
  assertHolds(principal, permissionsOfScopes(body.scopes), 'such a key');
  const nowMs = context.clock.now();
  const expiresAtMs = body.expiresAt === undefined ? null : toMs(body.expiresAt);
  if (expiresAtMs !== null && expiresAtMs <= nowMs) {
    throw invalidInput([{ in: 'body', path: 'expiresAt', message: 'must be in the future' }]);
  }
  const project = await ensureProject(context, body.project ?? DEFAULT_PROJECT_SLUG);
  const { key, prefix, hash } = createApiKey(context.randomBytes);
  const row: ApiKeyRow = {
    id: context.newId(),
    workspaceId: context.workspaceId,
    projectId: project.id,
    name: body.name,
    prefix,
    keyHash: hash,
    scopes: [...new Set(body.scopes)],
    createdAtMs: nowMs,
    expiresAtMs,
    revokedAtMs: null,
    lastUsedAtMs: null,
  };
  await context.store.config.insertKey(row);
  await context.refreshSnapshot();
  return { ...view(row, () => project.slug), key: key.reveal() };
}

/** API keys (TW-05): shown once, stored as a hash, revoked at once, listed for ever. */
export function keyRoutes(context: AdminContext): AdminRoute[] {
  const { config } = context.store;
  const guarded = { access: 'permitted', permission: 'keys.manage' } as const;
  return [
    jsonRoute({
      ...guarded,
      method: 'GET',
      path: '/api/keys',
      summary: 'All API keys, revoked ones included',
      response: keyListResponse,
      handler: async () => ({ body: { keys: await views(context) } }),
    }),
    jsonRoute({
      ...guarded,
      method: 'POST',
      path: '/api/keys',
      summary: 'Create an API key; the answer shows it this once',
      audit: 'secret',
      status: 201,
      body: keyCreateRequest,
      response: keyCreatedResponse,
      handler: async ({ principal, body }) => ({ body: await createKey(context, principal, body) }),
    }),
    jsonRoute({
      ...guarded,
      method: 'PATCH',
      path: '/api/keys/:id',
      summary: 'Rename an API key',
      params: withId,
      body: keyUpdateRequest,
      response: keyResponse,
      async handler({ params, body }) {
        if (!(await config.updateKey(params.id, { name: body.name })))
          throw new AppError('resource_not_found');
        await context.refreshSnapshot();
        return { body: await oneView(context, params.id) };
      },
    }),
    jsonRoute({
      ...guarded,
      method: 'DELETE',
      path: '/api/keys/:id',
      summary: 'Revoke an API key: it fails from now on and stays listed',
      params: withId,
      response: keyResponse,
      async handler({ params }) {
        const before = await oneView(context, params.id);
        if (before.revokedAt === null) {
          await config.updateKey(params.id, { revokedAtMs: context.clock.now() });
          await context.refreshSnapshot();
          context.endStreamsOf(keyCredential(params.id));
        }
        return { body: await oneView(context, params.id) };
      },
    }),
  ];
}
