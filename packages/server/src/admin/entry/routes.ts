import { meResponse } from '@tallygate/contract/api/auth';
import { entryAcceptRequest, entryRequest, entryResponse } from '@tallygate/contract/api/people';
import { acceptEntryLink, findEntryLink } from '../../identity/entry-link.ts';
import { sessionCredential } from '../../identity/principal.ts';
import { startSession } from '../../identity/sign-in.ts';
import type { AdminContext } from '../admin-deps.ts';
import { meView, owedBy, setCookie } from '../auth/me-view.ts';
import { toIso } from '../instant.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';

/** Where one-time links lead: whoever has the code, and nobody else, may use it. */
export function entryRoutes(context: AdminContext): AdminRoute[] {
  const open = { access: 'public', csrf: 'origin', rateClass: 'sign-in', method: 'POST' } as const;
  return [
    jsonRoute({
      ...open,
      path: '/api/entry/look',
      summary: 'What a one-time link is for; does not use it up',
      audit: 'none',
      body: entryRequest,
      response: entryResponse,
      async handler({ body }) {
        const { link, user } = await findEntryLink(context, body.code);
        return {
          body: {
            purpose: user === null ? ('invitation' as const) : ('new_password' as const),
            role:
              user === null
                ? (link.role ?? '')
                : ((await context.access.standingOf(user.id, null))?.role ?? ''),
            username: user?.username ?? null,
            expiresAt: toIso(link.expiresAtMs),
          },
        };
      },
    }),
    jsonRoute({
      ...open,
      path: '/api/entry/accept',
      summary: 'Use a one-time link: make the user or set the new password, and sign in',
      audit: 'secret',
      status: 201,
      body: entryAcceptRequest,
      response: meResponse,
      async handler({ body, origin, principal }) {
        const user = await acceptEntryLink(context, body);
        if (principal.kind === 'session') {
          await context.sessions.end(principal.session.row.idHash);
          context.endStreamsOf(sessionCredential(principal.session.row.idHash));
        }
        const { token, session } = await startSession(context, user, { origin, method: 'link' });
        const owed = await owedBy(context, session);
        return { body: meView(session, owed), session: setCookie(token, session) };
      },
    }),
  ];
}
