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

/** Creating a key, under both of the paths that scripts know. */
function createRoute(context: AdminContext, path: string, summary: string): AdminRoute {
  return jsonRoute({
    ...guarded,
    method: 'POST',
    path,
    summary,
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
    jsonRoute({
      ...guarded,
      method: 'GET',
      path: '/api/keys',
      summary: 'All API keys, revoked ones included',
      response: keyListResponse,
      handler: async ({ workspaceId }) => ({ body: { keys: await keyViews(context, workspaceId) } }),
    }),
    createRoute(context, '/api/keys', 'Create an API key; the answer shows it this once'),
    createRoute(context, '/api/admin/tokens', 'The same as POST /api/keys, for scripts that know this path'),
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
    jsonRoute({
      ...guarded,
      method: 'DELETE',
      path: '/api/keys/:id',
      summary: 'Revoke an API key: it fails from now on, its running calls are cut, and it stays listed',
      params: withId,
      response: keyResponse,
      handler: async (call) => ({ body: await revokeKey(context, call.params.id, call) }),
    }),
  ];
}
