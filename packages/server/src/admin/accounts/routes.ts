import {
  accountCreateRequest,
  accountListResponse,
  accountResponse,
  accountTestResponse,
  accountUpdateRequest,
} from '@tallygate/contract/api/accounts';
import { emptySchema, idSchema } from '@tallygate/contract/api/common';
import { z } from 'zod';
import type { Principal } from '../../identity/principal.ts';
import { AppError } from '../../kernel/errors.ts';
import { Secret } from '../../kernel/secret.ts';
import type { AccountRow, OwnedRef } from '../../store/store.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { invalidInput } from '../parse-input.ts';
import { assertMayReachPrivate } from '../private-destination.ts';
import { type AdminRoute, type Call, jsonRoute } from '../route.ts';
import {
  type AccountCreate,
  checkBindings,
  checkedCredential,
  checkedPins,
  resolveAccount,
} from './account-input.ts';
import { viewAccounts, viewOfAccount } from './account-view.ts';

const DEFAULT_PRIORITY = 100;
const withId = z.object({ id: idSchema });
const GUARDED = { access: 'permitted', permission: 'accounts.manage' } as const;

function sealCredential(deps: Pick<AdminDeps, 'vault'>, accountId: string, apiKey: string | undefined) {
  if (apiKey === undefined) return { sealedCredential: null, credentialHint: null };
  const secret = new Secret(checkedCredential(apiKey));
  return {
    sealedCredential: deps.vault.seal(secret, { table: 'account', row: accountId, column: 'credential' }),
    credentialHint: secret.hint(),
  };
}

/** @throws AppError `resource_not_found` */
export async function findAccount(deps: AdminDeps, { id, workspaceId }: OwnedRef): Promise<AccountRow> {
  const row = (await deps.store.config.listAccounts(workspaceId)).find((account) => account.id === id);
  if (!row) throw new AppError('resource_not_found');
  return row;
}

/** The row of a new account; one that signs in with OAuth has no credential of its own. */
export function newAccount(
  deps: Pick<AdminDeps, 'providers' | 'egressPolicy' | 'vault' | 'clock' | 'newId'>,
  workspaceId: string,
  input: AccountCreate,
  oauth = false,
): AccountRow {
  const { providers, egressPolicy } = deps;
  const resolved = resolveAccount(input, { providers, egressPolicy, oauth });
  const { provider, preset, baseUrl, allowPrivateUpstream } = resolved;
  const id = deps.newId();
  return {
    id,
    workspaceId,
    name: input.name,
    provider: provider.id,
    preset: preset?.id ?? null,
    baseUrl,
    ...sealCredential(deps, id, input.apiKey),
    allowPrivateUpstream,
    pinSha256: checkedPins(input.pinSha256, baseUrl),
    models: input.models ?? [],
    priority: input.priority ?? DEFAULT_PRIORITY,
    weight: input.weight ?? 1,
    tier: input.tier ?? 1,
    notes: input.notes ?? null,
    boundTo: input.boundTo ?? [],
    paused: false,
    createdAtMs: deps.clock.now(),
    lastUsedAtMs: null,
  };
}

/** @throws AppError `permission_denied` for a way inside that whoever makes the account may not open */
export function assertAccountMayReach(
  principal: Principal,
  { allowPrivateUpstream }: Pick<AccountRow, 'allowPrivateUpstream'>,
): void {
  const opens = { field: 'allowPrivateUpstream', asked: allowPrivateUpstream };
  assertMayReachPrivate(principal, GUARDED.permission, opens);
}

type UpdateCall = Pick<
  Call<z.output<typeof withId>, unknown, z.output<typeof accountUpdateRequest>>,
  'params' | 'body' | 'audit' | 'workspaceId'
>;

async function updateAccount(
  deps: AdminDeps,
  { params: { id }, body: { apiKey, ...plain }, audit, workspaceId }: UpdateCall,
): Promise<AccountRow> {
  const before = await findAccount(deps, { id, workspaceId });
  if (apiKey !== undefined && deps.oauth.status(id) !== null) {
    const message = 'is not taken: this account signs in with OAuth';
    throw invalidInput([{ in: 'body', path: 'apiKey', message }]);
  }
  checkedPins(plain.pinSha256, before.baseUrl);
  await checkBindings(plain.boundTo, workspaceId, deps);
  const change = apiKey === undefined ? plain : { ...plain, ...sealCredential(deps, id, apiKey) };
  if (Object.keys(change).length > 0) {
    if (!(await deps.store.config.updateAccount(before, change))) throw new AppError('resource_not_found');
    if (apiKey !== undefined) deps.accountState(id).reset(); // what was said of the old credential says nothing of the new one
    await deps.refreshSnapshot();
  }
  const after = await findAccount(deps, before);
  audit.changed('account', id, { before, after });
  return after;
}

function testRoute(deps: AdminDeps): AdminRoute {
  return jsonRoute({
    ...GUARDED,
    method: 'POST',
    path: '/api/accounts/:id/test',
    summary: 'Make one call that costs nothing, to see whether the account works',
    rateClass: 'heavy',
    audit: 'access',
    params: withId,
    response: accountTestResponse,
    async handler({ params, audit, workspaceId }) {
      const account = await findAccount(deps, { ...params, workspaceId });
      audit.about('account', account.id);
      return { body: await deps.testAccount(account) };
    },
  });
}

function resetRoute(deps: AdminDeps): AdminRoute {
  return jsonRoute({
    ...GUARDED,
    method: 'POST',
    path: '/api/accounts/:id/reset',
    summary: 'Forget limits and failures of an account: the next request finds out anew',
    params: withId,
    response: accountResponse,
    async handler({ params, audit, workspaceId }) {
      const row = await findAccount(deps, { ...params, workspaceId });
      audit.about('account', row.id);
      deps.accountState(row.id).reset();
      return { body: await viewOfAccount(deps, row) };
    },
  });
}

/** Upstream accounts. A credential goes in, sealed, and never comes out again. */
export function accountRoutes(deps: AdminDeps): AdminRoute[] {
  const { config } = deps.store;
  const view = (row: AccountRow) => viewOfAccount(deps, row);
  return [
    jsonRoute({
      ...GUARDED,
      method: 'GET',
      path: '/api/accounts',
      summary: 'All upstream accounts',
      response: accountListResponse,
      handler: async ({ workspaceId }) => ({
        body: { accounts: await viewAccounts(deps, await config.listAccounts(workspaceId)) },
      }),
    }),
    jsonRoute({
      ...GUARDED,
      method: 'POST',
      path: '/api/accounts',
      summary: 'Add an upstream account',
      audit: 'secret',
      status: 201,
      body: accountCreateRequest,
      response: accountResponse,
      async handler({ body, audit, workspaceId, principal }) {
        await checkBindings(body.boundTo, workspaceId, deps);
        const row = newAccount(deps, workspaceId, body);
        assertAccountMayReach(principal, row);
        audit.changed('account', row.id, { after: row });
        await config.insertAccount(row);
        await deps.refreshSnapshot();
        return { body: await view(row) };
      },
    }),
    jsonRoute({
      ...GUARDED,
      method: 'PATCH',
      path: '/api/accounts/:id',
      summary: 'Rename, pause, resume or re-prioritise an account, or give it a new credential',
      audit: 'secret',
      params: withId,
      body: accountUpdateRequest,
      response: accountResponse,
      handler: async (call) => ({ body: await view(await updateAccount(deps, call)) }),
    }),
    jsonRoute({
      ...GUARDED,
      method: 'DELETE',
      path: '/api/accounts/:id',
      summary: 'Remove an account and its credential; its past requests stay',
      params: withId,
      response: emptySchema,
      async handler({ params, audit, workspaceId }) {
        const before = await findAccount(deps, { ...params, workspaceId });
        audit.changed('account', params.id, { before });
        if (!(await config.deleteAccount(before))) throw new AppError('resource_not_found');
        await deps.refreshSnapshot();
        return { body: {} };
      },
    }),
    testRoute(deps),
    resetRoute(deps),
  ];
}
