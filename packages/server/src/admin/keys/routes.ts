import { idSchema } from '@tallygate/contract/api/common';
import {
  keyCreatedResponse,
  keyCreateRequest,
  keyListResponse,
  keyResponse,
  keyRotateRequest,
  keyUpdateRequest,
} from '@tallygate/contract/api/keys';
import { z } from 'zod';
import type { AdminContext } from '../admin-deps.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';
import { createKey, revokeKey, rotateKey, updateKey } from './key-acts.ts';
import { keyViews } from './key-view.ts';

const withId = z.object({ id: idSchema });
const guarded = { access: 'permitted', permission: 'keys.manage' } as const;

/** Where keys are listed, created and revoked: scripts know both (WT-04). */
const KEY_PATHS = [
  { path: '/api/keys', note: '' },
  { path: '/api/admin/tokens', note: ' (the same as under /api/keys, for scripts that know this path)' },
] as const;

function listRoute(context: AdminContext, path: string, note: string): AdminRoute {
  return jsonRoute({
    ...guarded,
    method: 'GET',
    path,
    summary: `All API keys, revoked ones included${note}`,
    response: keyListResponse,
    handler: async ({ workspaceId }) => ({ body: { keys: await keyViews(context, workspaceId) } }),
  });
}

function revokeRoute(context: AdminContext, path: string, note: string): AdminRoute {
  return jsonRoute({
    ...guarded,
    method: 'DELETE',
    path: `${path}/:id`,
    summary: `Revoke an API key: it fails from now on, its running calls are cut, and it stays listed${note}`,
    params: withId,
    response: keyResponse,
    handler: async (call) => ({ body: await revokeKey(context, call.params.id, call) }),
  });
}

function createRoute(context: AdminContext, path: string, note: string): AdminRoute {
  return jsonRoute({
    ...guarded,
    method: 'POST',
    path,
    summary: `Create an API key; the answer shows it this once${note}`,
    audit: 'secret',
    status: 201,
    body: keyCreateRequest,
    response: keyCreatedResponse,
    handler: async (call) => ({ body: await createKey(context, call.body, call) }),
  });
}

/** API keys (TW-05): shown once, stored as a hash, rotated with overlap, revoked at once, listed for ever. */
export function keyRoutes(context: AdminContext): AdminRoute[] {
  return [
    ...KEY_PATHS.flatMap(({ path, note }) => [
      listRoute(context, path, note),
      createRoute(context, path, note),
      revokeRoute(context, path, note),
    ]),
    jsonRoute({
      ...guarded,
      method: 'PATCH',
      path: '/api/keys/:id',
      summary: 'Rename an API key or replace its limits',
      params: withId,
      body: keyUpdateRequest,
      response: keyResponse,
      handler: async (call) => ({ body: await updateKey(context, call.params.id, call.body, call) }),
    }),
    jsonRoute({
      ...guarded,
      method: 'POST',
      path: '/api/keys/:id/rotate',
      summary: 'Give an API key a new secret, shown this once; the old one may work on for a while',
      audit: 'secret',
      params: withId,
      body: keyRotateRequest,
      response: keyCreatedResponse,
      handler: async (call) => ({ body: await rotateKey(context, call.params.id, call.body, call) }),
    }),
  ];
}
