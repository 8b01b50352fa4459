import { secondFactorRule } from '@tallygate/contract/api/people';
import type { AdminContext } from '../admin-deps.ts';
import { invalidInput } from '../parse-input.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';
import { recheckStreamsOf } from '../sessions/end-sessions.ts';

/** Rules about how people sign in. */
export function secondFactorRoutes(context: AdminContext): AdminRoute[] {
  const { access, store } = context;
  const guarded = { access: 'permitted', permission: 'security.manage' } as const;
  return [
    jsonRoute({
      ...guarded,
      method: 'GET',
      path: '/api/security/second-factor',
      summary: 'The roles that need a second factor',
      response: secondFactorRule,
      handler: async () => ({ body: { roles: [...(await access.secondFactorRoles())] } }),
    }),
    jsonRoute({
      ...guarded,
      method: 'PATCH',
      path: '/api/security/second-factor',
      summary: 'Set the roles that need a second factor; whoever has none can do nothing but set one up',
      body: secondFactorRule,
      response: secondFactorRule,
      async handler({ body }) {
        for (const role of body.roles) {
          if ((await access.permissionsOfRole(role, context.firstWorkspaceId)) !== null) continue;
          throw invalidInput([{ in: 'body', path: 'roles', message: 'names a role that does not exist' }]);
        }
        const bound = (await store.people.listMemberships(null)).filter(({ role }) =>
          body.roles.includes(role),
        );
        await recheckStreamsOf(
          context,
          bound.map(({ userId }) => userId),
          () => access.requireSecondFactor(body.roles),
        );
        return { body: { roles: [...(await access.secondFactorRoles())] } };
      },
    }),
  ];
}
