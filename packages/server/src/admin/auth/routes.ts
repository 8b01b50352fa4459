import { csrfResponse, loginRequest, meResponse, secondFactorRequest } from '@tallygate/contract/api/auth';
import { emptySchema } from '@tallygate/contract/api/common';
import { credentialId, type Principal } from '../../identity/principal.ts';
import { completeSignIn, signIn } from '../../identity/sign-in.ts';
import type { AdminContext } from '../admin-deps.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';
import { meView, owedBy, personOf, setCookie } from './me-view.ts';

const EVERY_STAGE = ['full', 'second_factor', 'enrol'] as const;

function loginRoute(context: AdminContext): AdminRoute {
  return jsonRoute({
    method: 'POST',
    path: '/api/auth/login',
    summary: 'Sign in; the answer sets the session cookie',
    access: 'public',
    csrf: 'origin',
    rateClass: 'sign-in',
    audit: 'access',
    body: loginRequest,
    response: meResponse,
    async handler({ body, origin, principal, audit }) {
      // Only a name that exists is recorded: what was typed into the wrong field may be a password (TW-14).
      const known = await context.store.identity.findUserByName(body.username);
      if (known !== null) audit.about('user', known.id);
      const { token, session } = await signIn(context, body, origin);
      audit.actor({ kind: 'user', id: session.user.id, name: session.user.username });
      if (principal.kind === 'session') await endSession(context, principal);
      const owed = await owedBy(context, session);
      return { body: meView(session, owed), session: setCookie(token, session) };
    },
  });
}

/** Sign in, in one step or two, sign out, who am I, CSRF token. */
export function authRoutes(context: AdminContext): AdminRoute[] {
  return [
    loginRoute(context),
    jsonRoute({
      method: 'POST',
      path: '/api/auth/second-factor',
      summary: 'The second step of signing in: a code of the app, or a recovery code',
      access: 'session',
      stages: ['full', 'second_factor'],
      rateClass: 'sign-in',
      audit: 'access',
      body: secondFactorRequest,
      response: meResponse,
      async handler({ body, origin, principal }) {
        const { token, session } = await completeSignIn(context, personOf(principal).session, {
          code: body.code,
          origin,
        });
        return { body: meView(session), session: setCookie(token, session) };
      },
    }),
    jsonRoute({
      method: 'POST',
      path: '/api/auth/logout',
      summary: 'Sign out: the session ends on the server, everywhere at once',
      access: 'session',
      stages: EVERY_STAGE,
      audit: 'access',
      response: emptySchema,
      async handler({ principal }) {
        await endSession(context, personOf(principal));
        return { body: {}, session: { action: 'clear' } };
      },
    }),
    jsonRoute({
      method: 'GET',
      path: '/api/auth/me',
      summary: 'The signed-in person and their session',
      access: 'session',
      stages: ['full', 'enrol'],
      response: meResponse,
      handler: async ({ principal }) => ({ body: meView(personOf(principal).session) }),
    }),
    jsonRoute({
      method: 'GET',
      path: '/api/auth/csrf',
      summary: 'The token that writes of this session send as X-CSRF-Token',
      access: 'session',
      stages: EVERY_STAGE,
      response: csrfResponse,
      handler: async ({ principal }) => ({
        body: { csrfToken: context.sessions.csrfToken(personOf(principal).token) },
      }),
    }),
  ];
}

async function endSession(
  context: AdminContext,
  principal: Extract<Principal, { kind: 'session' }>,
): Promise<void> {
  await context.sessions.end(principal.session.row.idHash);
  context.endStreamsOf(credentialId(principal));
}
