import { emptySchema } from '@tallygate/contract/api/common';
import {
  type RoleView,
  roleCreateRequest,
  roleListResponse,
  roleResponse,
  roleUpdateRequest,
} from '@tallygate/contract/api/people';
import { z } from 'zod';
import {
  BUILT_IN_ROLES,
  isPermission,
  PERMISSION_TEXTS,
  PERMISSIONS,
  type Permission,
} from '../../identity/permissions.ts';
import { assertHolds, type Principal, permissionsOf } from '../../identity/principal.ts';
import { AppError } from '../../kernel/errors.ts';
import type { AdminContext } from '../admin-deps.ts';
import { invalidInput } from '../parse-input.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';
import { recheckStreamsOf } from '../sessions/end-sessions.ts';

const withName = z.object({ name: z.string().min(1).max(40) });

function view(
  name: string,
  permissions: readonly Permission[],
  parts: { builtIn: boolean; held: ReadonlySet<Permission> },
): RoleView {
  const grantable = permissions.every((permission) => parts.held.has(permission));
  return { name, builtIn: parts.builtIn, permissions: [...permissions], grantable };
}

/** @throws AppError `invalid_request` that names what is not a permission */
function knownPermissions(names: readonly string[]): Permission[] {
  const unknown = names.filter((name) => !isPermission(name));
  if (unknown.length > 0) {
    throw invalidInput([
      { in: 'body', path: 'permissions', message: `may only hold ${PERMISSIONS.join(', ')}` },
    ]);
  }
  return [...new Set(names.filter(isPermission))];
}

function assertCustom(name: string): void {
  if (!Object.hasOwn(BUILT_IN_ROLES, name)) return;
  throw new AppError('conflict', {
    detail: `The role ${name} is built in and stays as it is. Make a role of your own instead.`,
  });
}

/** The custom role's permissions. @throws AppError `resource_not_found` */
async function customRole(
  { access, firstWorkspaceId }: AdminContext,
  name: string,
): Promise<ReadonlySet<Permission>> {
  const permissions = await access.permissionsOfRole(name, firstWorkspaceId);
  if (permissions === null) throw new AppError('resource_not_found');
  return permissions;
}

async function list(context: AdminContext, principal: Principal): Promise<RoleView[]> {
  const held = permissionsOf(principal);
  const custom = await context.store.people.listRoles();
  return [
    ...Object.entries(BUILT_IN_ROLES).map(([name, permissions]) =>
      view(name, [...permissions], { builtIn: true, held }),
    ),
    ...custom.map((row) => view(row.name, row.permissions.filter(isPermission), { builtIn: false, held })),
  ];
}

/** Roles: six that are there, and as many of one's own as wanted (CF-14). Every workspace has them all. */
export function roleRoutes(context: AdminContext): AdminRoute[] {
  const guarded = { access: 'permitted', permission: 'users.manage' } as const;
  return [
    jsonRoute({
      ...guarded,
      method: 'GET',
      path: '/api/roles',
      summary: 'Every role with what it carries, and every permission in words',
      response: roleListResponse,
      handler: async ({ principal }) => ({
        body: {
          roles: await list(context, principal),
          permissions: PERMISSIONS.map((name) => ({ name, text: PERMISSION_TEXTS[name] })),
        },
      }),
    }),
    jsonRoute({
      ...guarded,
      method: 'POST',
      path: '/api/roles',
      reach: 'installation',
      summary: 'Make a role',
      status: 201,
      body: roleCreateRequest,
      response: roleResponse,
      async handler({ principal, body }) {
        if (Object.hasOwn(BUILT_IN_ROLES, body.name)) {
          throw new AppError('name_taken', { detail: `The role ${body.name} is built in.` });
        }
        const permissions = knownPermissions(body.permissions);
        assertHolds(principal, permissions, 'this role');
        await context.store.people.insertRole({
          name: body.name,
          permissions,
          createdAtMs: context.clock.now(),
        });
        return { body: view(body.name, permissions, { builtIn: false, held: permissionsOf(principal) }) };
      },
    }),
    ...changeRoutes(context, guarded),
  ];
}

function changeRoutes(
  context: AdminContext,
  guarded: { access: 'permitted'; permission: Permission },
): AdminRoute[] {
  const { people } = context.store;
  return [
    jsonRoute({
      ...guarded,
      method: 'PATCH',
      path: '/api/roles/:name',
      reach: 'installation',
      summary: 'Change what a role carries, at once for everybody who has it',
      params: withName,
      body: roleUpdateRequest,
      response: roleResponse,
      async handler({ principal, params, body }) {
        assertCustom(params.name);
        const before = await customRole(context, params.name);
        const permissions = knownPermissions(body.permissions);
        assertHolds(principal, [...before, ...permissions], `the role ${params.name}`);
        const holders = (await people.listMemberships(null)).filter(({ role }) => role === params.name);
        const found = await recheckStreamsOf(
          context,
          holders.map(({ userId }) => userId),
          () => people.updateRole(params.name, permissions),
        );
        if (!found) throw new AppError('resource_not_found');
        return { body: view(params.name, permissions, { builtIn: false, held: permissionsOf(principal) }) };
      },
    }),
    jsonRoute({
      ...guarded,
      method: 'DELETE',
      path: '/api/roles/:name',
      reach: 'installation',
      summary: 'Remove a role that nobody has',
      params: withName,
      response: emptySchema,
      async handler({ principal, params }) {
        assertCustom(params.name);
        assertHolds(principal, await customRole(context, params.name), `the role ${params.name}`);
        const result = await people.deleteRole(params.name);
        if (result === 'missing') throw new AppError('resource_not_found');
        if (result === 'in_use') {
          throw new AppError('conflict', {
            detail: `Somebody has the role ${params.name}, or is invited to it. Give them another role first.`,
          });
        }
        return { body: {} };
      },
    }),
  ];
}
