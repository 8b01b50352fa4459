import {
  dataKeyRotationResponse,
  masterKeyRotateRequest,
  masterKeyRotationResponse,
  vaultResponse,
} from '@tallygate/contract/api/vault';
import { Secret } from '../../kernel/secret.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { toIso } from '../instant.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';

/** The keys that seal credentials (CF-13). Keys themselves never come out; master keys are a matter of this machine. */
export function vaultRoutes({ keeper }: AdminDeps): AdminRoute[] {
  return [
    jsonRoute({
      method: 'GET',
      path: '/api/vault',
      summary: 'Which keys seal the stored credentials, by id, and what a rotation is doing',
      access: 'permitted',
      permission: 'system.view',
      response: vaultResponse,
      async handler() {
        const { dataKeys, ...status } = await keeper.status();
        const views = dataKeys.map(({ createdAtMs, ...key }) => ({ ...key, createdAt: toIso(createdAtMs) }));
        return { body: { ...status, dataKeys: views } };
      },
    }),
    jsonRoute({
      method: 'POST',
      path: '/api/vault/rotate-data-key',
      summary: 'Make a new data key and seal every stored credential with it',
      access: 'permitted',
      permission: 'system.manage',
      rateClass: 'heavy',
      audit: 'secret',
      response: dataKeyRotationResponse,
      handler: async () => ({ body: await keeper.rotateDataKey() }),
    }),
    jsonRoute({
      method: 'POST',
      path: '/api/vault/rotate-master-key',
      summary: 'Wrap the data keys with another master key',
      access: 'local',
      rateClass: 'heavy',
      audit: 'secret',
      body: masterKeyRotateRequest,
      response: masterKeyRotationResponse,
      handler: async ({ body }) => ({
        body: await keeper.rotateMasterKey(body.newKey === undefined ? null : new Secret(body.newKey)),
      }),
    }),
  ];
}
