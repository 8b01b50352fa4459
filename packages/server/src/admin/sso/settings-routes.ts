import { emptySchema } from '@tallygate/contract/api/common';
import { type SsoTest, ssoSettingsResponse, ssoTestResponse } from '@tallygate/contract/api/sso';
import type { OidcMetadata } from '../../identity/oidc-client.ts';
import type { SingleSignOn } from '../../identity/sso.ts';
import { checkedGrants } from '../../identity/sso-roles.ts';
import { AppError } from '../../kernel/errors.ts';
import type { AdminContext } from '../admin-deps.ts';
import { type AdminRoute, jsonRoute } from '../route.ts';

type Checks = SsoTest['checks'];

/** What is missing at the provider shows here rather than to the first person who cannot sign in. */
function checksOf(found: OidcMetadata, { about }: SingleSignOn['client']): Checks {
  const wanted = about.scopes.split(/\s+/);
  const { scopes, codeChallengeMethods, tokenAuthMethods } = found;
  const missing = scopes === null ? [] : wanted.filter((scope) => !scopes.includes(scope));
  // Without a list RFC 8414 §2 says `client_secret_basic`; many providers leave it out and take both.
  const takesSecret = tokenAuthMethods === null || tokenAuthMethods.includes('client_secret_post');
  return [
    { name: 'Answers, under the name that is set', ok: true, detail: found.issuer },
    {
      name: 'Knows what is asked of it (scopes)',
      ok: missing.length === 0,
      detail: missing.length === 0 ? about.scopes : `does not list: ${missing.join(' ')}`,
    },
    {
      name: 'Protects the sign-in with PKCE (S256)',
      ok: codeChallengeMethods?.includes('S256') ?? about.hasClientSecret,
      detail: codeChallengeMethods?.join(' ') ?? 'does not say',
    },
    ...(about.hasClientSecret
      ? [
          {
            name: 'Takes the client secret as it is sent (client_secret_post)',
            ok: takesSecret,
            detail: tokenAuthMethods?.join(' ') ?? 'does not say',
          },
        ]
      : []),
  ];
}

async function grantChecks(context: AdminContext, sso: SingleSignOn): Promise<Checks> {
  const grants = await checkedGrants({ ...context, rules: sso.rules });
  const broken = grants.filter(({ problem }) => problem !== null);
  return [
    {
      name: 'Every group leads to a role that exists',
      ok: broken.length === 0,
      detail: broken.map(({ group, problem }) => `${group ?? 'everybody else'}: ${problem}`).join(' '),
    },
  ];
}

/** What is set about single sign-on, and whether the provider is as it should be (CF-14). */
export function ssoSettingsRoutes(context: AdminContext): AdminRoute[] {
  const { sso } = context;
  return [
    jsonRoute({
      method: 'GET',
      path: '/api/security/sso',
      summary: 'What is set about single sign-on: provider, groups and roles',
      access: 'permitted',
      permission: 'system.view',
      response: ssoSettingsResponse,
      async handler() {
        if (sso === null) return { body: { provider: null } };
        const { name, userClaim, roleClaim, redirectUrl, settlesSecondFactor } = sso.rules;
        const grants = await checkedGrants({ ...context, rules: sso.rules });
        return {
          body: {
            provider: {
              ...sso.client.about,
              name,
              userClaim,
              roleClaim,
              returnUrl: redirectUrl,
              secondFactor: settlesSecondFactor ? ('provider' as const) : ('gate' as const),
              grants: grants.map(({ workspaceId: _id, ...grant }) => grant),
            },
          },
        };
      },
    }),
    jsonRoute({
      method: 'POST',
      path: '/api/security/sso/test',
      summary: 'Ask the identity provider what it says of itself, and check it against the settings',
      access: 'permitted',
      permission: 'security.manage',
      rateClass: 'heavy',
      body: emptySchema,
      response: ssoTestResponse,
      async handler() {
        if (sso === null) {
          throw new AppError('resource_not_found', { detail: 'No identity provider is set here.' });
        }
        const checks = [...(await providerChecks(sso)), ...(await grantChecks(context, sso))];
        return { body: { ok: checks.every(({ ok }) => ok), checks } };
      },
    }),
  ];
}

async function providerChecks({ client }: SingleSignOn): Promise<Checks> {
  try {
    return checksOf(await client.probe(), client);
  } catch (error) {
    const cause = error instanceof AppError ? error.cause : error;
    const detail = cause instanceof Error ? cause.message : 'the reason is not known';
    return [{ name: 'Answers, under the name that is set', ok: false, detail }];
  }
}
