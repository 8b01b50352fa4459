import { passwordProof } from '@tallygate/contract/api/auth';
import {
  dataKeyRotationResponse,
  masterKeyChangeResponse,
  masterKeyGivenUpResponse,
  masterKeyRotateRequest,
  masterKeyRotationResponse,
  vaultResponse,
} from '@tallygate/contract/api/vault';
import { assertPassword } from '../../identity/sign-in.ts';
import { Secret } from '../../kernel/secret.ts';
import type { AdminContext } from '../admin-deps.ts';
import { personOf } from '../auth/me-view.ts';
import { toIso } from '../instant.ts';
import { type AdminRoute, type Call, jsonRoute } from '../route.ts';
import { changeMasterKey } from './change-master-key.ts';

/**
 * The keys that seal credentials (CF-13). Keys themselves never come out, but for a new master key that the server has
 * just made for its operator, once.
 */
export function vaultRoutes(context: AdminContext): AdminRoute[] {
  return [...keeperRoutes(context), ...masterKeyRoutes(context)];
}

function keeperRoutes({ keeper }: AdminContext): AdminRoute[] {
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

/** A change of the master key by a person: an open browser is not enough, and no API key will do. */
function masterKeyRoutes(context: AdminContext): AdminRoute[] {
  const { keeper } = context;
  const asked = {
    method: 'POST',
    access: 'session',
    permission: 'system.manage',
    rateClass: 'heavy',
    audit: 'secret',
    body: passwordProof,
  } as const;
  const prove = ({ principal, body, origin }: Call<unknown, unknown, { password?: string | undefined }>) =>
    assertPassword(context, personOf(principal).session, {
      password: body.password,
      address: origin.address,
    });
  return [
    jsonRoute({
      ...asked,
      path: '/api/vault/change-master-key',
      summary:
        'Wrap the data keys with a master key that the server makes; where it comes from the environment the answer shows it this once',
      response: masterKeyChangeResponse,
      handler: async (call) => ({ body: await changeMasterKey(context, call, () => prove(call)) }),
    }),
    jsonRoute({
      ...asked,
      path: '/api/vault/give-up-master-key',
      summary: 'Take back a change of the master key that waits for its restart',
      response: masterKeyGivenUpResponse,
      async handler(call) {
        await prove(call);
        const given = await keeper.giveUpMasterRotation();
        call.audit.about('master_key', given.keyId);
        return { body: given };
      },
    }),
  ];
}
