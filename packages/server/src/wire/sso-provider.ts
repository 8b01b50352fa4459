import type { ServiceOptions } from '../http/admin-services.ts';
import { createOidcClient } from '../identity/oidc-client.ts';
import type { SsoRules } from '../identity/sso.ts';
import type { Core } from './core.ts';
import { createGuardedFetch } from './guarded-fetch.ts';

/** `group=role` or `group=role@workspace`; the last `=` parts them, since groups may hold one. */
function roleMap(pairs: readonly string[]): SsoRules['roleMap'] {
  return pairs.map((pair) => {
    const at = pair.lastIndexOf('=');
    const [role = '', workspace] = pair.slice(at + 1).split('@');
    return { group: pair.slice(0, at), role, ...(workspace === undefined ? {} : { workspace }) };
  });
}

/** The identity provider of the settings; null when none is set. Nothing is asked of it yet. */
export function createSsoProvider({ config, egress, clock }: Core): ServiceOptions['ssoProvider'] {
  const { oidcIssuer, oidcClientId } = config;
  if (oidcIssuer === null || oidcClientId === null) return null;
  const issuer = new URL(oidcIssuer);
  const client = createOidcClient(
    {
      issuer: oidcIssuer,
      clientId: oidcClientId,
      clientSecret: config.oidcClientSecret,
      scopes: config.oidcScopes,
      fetch: createGuardedFetch(egress, issuer.origin),
      allowHttp: issuer.protocol === 'http:', // refused with the settings where it is not meant
    },
    clock,
  );
  return {
    client,
    rules: {
      name: config.oidcName ?? issuer.hostname,
      userClaim: config.oidcUserClaim,
      roleClaim: config.oidcRoleClaim,
      roleMap: roleMap(config.oidcRoleMap),
      defaultRole: config.oidcDefaultRole,
      settlesSecondFactor: config.oidcSecondFactor === 'provider',
      redirectUrl: config.oidcRedirectUrl,
    },
  };
}
