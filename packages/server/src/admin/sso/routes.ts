import { emptySchema } from '@tallygate/contract/api/common';
import {
  ssoConnectRequest,
  ssoStartRequest,
  ssoStartResponse,
  ssoStatusResponse,
} from '@tallygate/contract/api/sso';
import { originsOf, type VisitedSite } from '../../identity/relying-party.ts';
import { assertPassword } from '../../identity/sign-in.ts';
import type { SingleSignOn } from '../../identity/sso.ts';
import { AppError } from '../../kernel/errors.ts';
import type { AdminContext } from '../admin-deps.ts';
import { personOf } from '../auth/me-view.ts';
import { toIso } from '../instant.ts';
import { type AdminRoute, type FlowChange, jsonRoute, redirectRoute } from '../route.ts';
import { finishReturn } from './finish-return.ts';

const RETURN_PATH = '/api/auth/sso/return';
const FLOW_SECONDS = 600;

/** Signing in through an identity provider (CF-14): OpenID Connect, code flow with PKCE. */
export function ssoRoutes(context: AdminContext): AdminRoute[] {
  return [...flowRoutes(context), ...ownRoutes(context)];
}

/** @throws AppError `resource_not_found` when no provider is set */
function ssoOf({ sso }: AdminContext): SingleSignOn {
  if (sso === null) throw new AppError('resource_not_found', { detail: 'No identity provider is set here.' });
  return sso;
}

/** @throws AppError `sso_unavailable` */
async function begin(
  context: AdminContext,
  site: VisitedSite,
  flow: { returnPath: string; userId: string | null },
): Promise<{ body: { url: string }; flow: FlowChange }> {
  const sso = ssoOf(context);
  const [origin] = originsOf(site);
  const redirectUri = sso.rules.redirectUrl ?? `${origin}${RETURN_PATH}`;
  const { url, kept } = await sso.begin({ ...flow, redirectUri }).catch((error: unknown) => {
    const reason = error instanceof AppError && error.cause instanceof Error ? error.cause.message : '';
    context.logger.warn('the identity provider cannot be used', { reason });
    throw error;
  });
  return { body: { url }, flow: { action: 'set', kept, maxAgeSeconds: FLOW_SECONDS } };
}

function flowRoutes(context: AdminContext): AdminRoute[] {
  return [
    jsonRoute({
      method: 'POST',
      path: '/api/auth/sso/start',
      summary: 'Where a browser goes to sign in through the identity provider',
      access: 'public',
      csrf: 'origin',
      rateClass: 'sign-in',
      audit: 'none',
      body: ssoStartRequest,
      response: ssoStartResponse,
      handler: ({ body, site }) => begin(context, site, { returnPath: body.return ?? '/', userId: null }),
    }),
    redirectRoute({
      method: 'GET',
      path: RETURN_PATH,
      summary: 'Where the identity provider sends the browser back to; goes on to the dashboard',
      access: 'public',
      rateClass: 'sign-in',
      audit: 'access',
      handler: (call) => finishReturn(context, call),
    }),
  ];
}

function ownRoutes(context: AdminContext): AdminRoute[] {
  const { sso: store } = context.store;
  return [
    jsonRoute({
      method: 'GET',
      path: '/api/auth/sso',
      summary: 'One’s own account at the identity provider',
      access: 'session',
      response: ssoStatusResponse,
      async handler({ principal }) {
        const row = await store.findSsoIdentityOf(personOf(principal).session.user.id);
        const connected = row && {
          issuer: row.issuer,
          subject: row.subject,
          managed: row.managed,
          lastUsedAt: toIso(row.lastUsedAtMs),
        };
        return { body: { provider: context.sso?.rules.name ?? null, connected } };
      },
    }),
    jsonRoute({
      method: 'POST',
      path: '/api/auth/sso/connect',
      summary: 'Where a browser goes to connect one’s account at the identity provider',
      access: 'session',
      rateClass: 'sign-in',
      audit: 'secret',
      body: ssoConnectRequest,
      response: ssoStartResponse,
      async handler({ body, principal, origin, site }) {
        const { session } = personOf(principal);
        await assertPassword(context, session, { password: body.password, address: origin.address });
        return begin(context, site, { returnPath: '/my-security', userId: session.user.id });
      },
    }),
    jsonRoute({
      method: 'POST',
      path: '/api/auth/sso/disconnect',
      summary: 'Stop signing in through the identity provider; needs a password to be left',
      access: 'session',
      rateClass: 'sign-in',
      audit: 'secret',
      body: ssoConnectRequest,
      response: emptySchema,
      async handler({ body, principal, origin, audit }) {
        const { session } = personOf(principal);
        await assertPassword(context, session, { password: body.password, address: origin.address });
        const row = await store.findSsoIdentityOf(session.user.id);
        if (row === null) throw new AppError('resource_not_found');
        if (row.managed) {
          throw new AppError('conflict', {
            detail: 'Your provider brought you here, so it cannot be disconnected.',
          });
        }
        audit.changed('sso_identity', row.id, { before: row });
        await store.deleteSsoIdentityOf(session.user.id);
        return { body: {} };
      },
    }),
  ];
}
