import { csrfResponse, loginRequest, meResponse } from '@tallygate/contract/api/auth';
import { emptySchema } from '@tallygate/contract/api/common';
import { credentialId, type Principal } from '../../identity/principal.ts';
import { signIn } from '../../identity/sign-in.ts';
import { AppError } from '../../kernel/errors.ts';
import type { AdminContext } from '../admin-deps.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';
import { meView, setCookie } from './me-view.ts';

function personOf(principal: Principal): Extract<Principal, { kind: 'session' }> {
  if (principal.kind !== 'session') throw new AppError('session_required');
  return principal;
}

/** Sign in, sign out, who am I, CSRF token. */
export function authRoutes(context: AdminContext): AdminRoute[] {
  return [
    jsonRoute({
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
        const { token, session } = await signIn({ ...context, store: context.store.identity }, body, origin);
        audit.actor({ kind: 'user', id: session.user.id, name: session.user.username });
        if (principal.kind === 'session') await endSession(context, principal);
        return { body: meView(session), session: setCookie(token, session) };
      },
    }),
    jsonRoute({
      method: 'POST',
      path: '/api/auth/logout',
      summary: 'Sign out: the session ends on the server, everywhere at once',
      access: 'session',
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
      response: meResponse,
      handler: async ({ principal }) => ({ body: meView(personOf(principal).session) }),
    }),
    jsonRoute({
      method: 'GET',
      path: '/api/auth/csrf',
      summary: 'The token that writes of this session send as X-CSRF-Token',
      access: 'session',
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
