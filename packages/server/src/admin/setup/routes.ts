import { meResponse, setupRequest, setupStatusResponse } from '@tallygate/contract/api/auth';
import { setUpOwner } from '../../identity/owner.ts';
import type { AdminContext } from '../admin-deps.ts';
import { meView, setCookie } from '../auth/me-view.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';

/** First run: the one-time code of the terminal makes its holder the owner (WT-11). */
export function setupRoutes(context: AdminContext): AdminRoute[] {
  return [
    jsonRoute({
      method: 'GET',
      path: '/api/setup/status',
      summary: 'Whether an owner has still to be set up',
      access: 'public',
      response: setupStatusResponse,
      handler: async () => ({
        body: {
          needsSetup: (await context.store.identity.countUsers()) === 0,
          version: context.info.version,
          db: { kind: context.info.storeKind },
          sso: context.sso === null ? null : { name: context.sso.rules.name },
        },
      }),
    }),
    jsonRoute({
      method: 'POST',
      path: '/api/setup',
      summary: 'Create the owner with the one-time set-up code and sign in',
      access: 'public',
      csrf: 'origin',
      rateClass: 'sign-in',
      audit: 'access',
      status: 201,
      body: setupRequest,
      response: meResponse,
      async handler({ body, origin, audit }) {
        const owner = await setUpOwner(
          { ...context, store: context.store.identity },
          { code: body.code, username: body.username, password: body.password },
        );
        audit.actor({ kind: 'user', id: owner.id, name: owner.username });
        audit.changed('user', owner.id, { after: owner });
        const { token, session } = await context.sessions.start(owner, origin, {
          secondFactor: 'settled',
          method: 'password',
        });
        return { body: meView(session), session: setCookie(token, session) };
      },
    }),
  ];
}
