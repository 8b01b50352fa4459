import {
  oauthCompleteRequest,
  oauthCompleteResponse,
  oauthSessionCreateRequest,
  oauthSessionResponse,
  oauthSettingsResponse,
} from '@tallygate/contract/api/oauth';
import { OAUTH_CALLBACK_PATH } from '@tallygate/contract/api/oauth-paths';
import { viewOfAccount } from '../accounts/account-view.ts';
import type { AdminDeps } from '../admin-deps.ts';
import { toIso } from '../instant.ts';
import { type AdminRoute, jsonRoute, redirectRoute } from '../route.ts';
import { pageForCallback } from './callback.ts';
import { beginSignIn, completeSignIn } from './sign-in.ts';

const GUARDED = { access: 'permitted', permission: 'accounts.manage' } as const;

/** What everybody who signs in is told. */
const NOTICE =
  'The terms of some providers forbid to use a subscription through other programs, or to share it among several ' +
  'people, and accounts were closed for it. Read the terms of yours first. An API key is the safer choice. ' +
  'Use a client id that was registered for this gate, never that of another product.';

/** Signing upstream accounts in with OAuth (CF-03). */
export function oauthRoutes(deps: AdminDeps): AdminRoute[] {
  return [
    jsonRoute({
      ...GUARDED,
      method: 'GET',
      path: '/api/oauth/settings',
      summary: 'Whether accounts may sign in with OAuth, and what the settings say about it',
      response: oauthSettingsResponse,
      async handler() {
        const { enabled, scopes, clientId, tokenUrl, ...rest } = deps.oauth.defaults;
        const defaults = {
          ...rest,
          scopes: [...scopes],
          ...(clientId === null ? {} : { clientId }),
          ...(tokenUrl === null ? {} : { tokenUrl }),
        };
        return { body: { enabled, notice: NOTICE, defaults } };
      },
    }),
    jsonRoute({
      ...GUARDED,
      method: 'POST',
      path: '/api/oauth/sessions',
      summary: 'Begin to sign an upstream account in with OAuth',
      audit: 'secret',
      status: 201,
      body: oauthSessionCreateRequest,
      response: oauthSessionResponse,
      async handler({ body, audit, ...caller }) {
        audit.about('account', body.accountId ?? null);
        const begun = await beginSignIn(deps, body, caller);
        const { id, authorizeUrl, redirectUri, expiresAtMs } = begun;
        return { body: { sessionId: id, authorizeUrl, redirectUri, expiresAt: toIso(expiresAtMs) } };
      },
    }),
    redirectRoute({
      method: 'GET',
      path: OAUTH_CALLBACK_PATH,
      summary:
        'Where a provider sends the browser back to after a sign-in; goes on to the dashboard, which completes it',
      // The browser comes from another site, so it brings no session; nothing is read or changed here.
      access: 'public',
      rateClass: 'sign-in',
      audit: 'access',
      handler: async ({ query }) => ({ location: pageForCallback(query) }),
    }),
    jsonRoute({
      ...GUARDED,
      method: 'POST',
      path: '/api/oauth/complete',
      summary: 'Complete a sign-in with the code that the provider gave',
      audit: 'secret',
      rateClass: 'heavy',
      body: oauthCompleteRequest,
      response: oauthCompleteResponse,
      async handler({ body, audit, ...caller }) {
        const { row, created } = await completeSignIn(deps, body, caller);
        if (created) audit.changed('account', row.id, { after: row });
        else audit.about('account', row.id);
        return { body: await viewOfAccount(deps, row) };
      },
    }),
  ];
}
