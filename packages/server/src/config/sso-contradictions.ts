import type { ConfigProblem } from './config-error.ts';
import type { Config } from './settings.ts';

type Rule = (config: Config) => ConfigProblem | null;

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/** Plain http shows passwords and tokens to everybody on the way. */
function httpIsMeant({ oidcIssuer, egressAllowHosts }: Config): boolean {
  if (oidcIssuer === null) return true;
  const { protocol, hostname, host } = new URL(oidcIssuer);
  return (
    protocol === 'https:' ||
    isLoopback(hostname) ||
    [hostname, host].some((name) => egressAllowHosts.includes(name))
  );
}

const RULES: readonly Rule[] = [
  (config) =>
    (config.oidcIssuer === null) === (config.oidcClientId === null)
      ? null
      : {
          what: `Only ${config.oidcIssuer === null ? 'oidcClientId' : 'oidcIssuer'} is set for single sign-on.`,
          why: 'Without both nobody could sign in through the provider.',
          fix: 'Set OIDC_ISSUER and OIDC_CLIENT_ID together, or neither.',
        },
  (config) =>
    config.oidcIssuer !== null || config.oidcClientSecret === null
      ? null
      : {
          what: 'oidcClientSecret is set, but oidcIssuer is not.',
          why: 'The secret would be ignored.',
          fix: 'Set OIDC_ISSUER and OIDC_CLIENT_ID, or remove OIDC_CLIENT_SECRET.',
        },
  (config) =>
    config.oidcIssuer === null || config.oidcRoleMap.length > 0 || config.oidcDefaultRole !== null
      ? null
      : {
          what: 'Single sign-on is set, but neither oidcRoleMap nor oidcDefaultRole is.',
          why: 'Nobody would have a role, so nobody could sign in through the provider.',
          fix: 'Set OIDC_ROLE_MAP, such as llm-admins=admin,engineering=developer, or OIDC_DEFAULT_ROLE=viewer.',
        },
  (config) =>
    config.oidcScopes.split(/\s+/).includes('openid')
      ? null
      : {
          what: 'oidcScopes lacks "openid".',
          why: 'Without it the provider does not say who somebody is.',
          fix: 'Add openid, as in OIDC_SCOPES="openid profile email".',
        },
  (config) =>
    config.oidcRedirectUrl === null || config.oidcRedirectUrl.endsWith('/api/auth/sso/return')
      ? null
      : {
          what: 'oidcRedirectUrl does not end in /api/auth/sso/return.',
          why: 'Browsers would come back to a page that does not exist.',
          fix: 'Set OIDC_REDIRECT_URL to https://YOUR-NAME/api/auth/sso/return, and the same at the provider.',
        },
  (config) =>
    httpIsMeant(config)
      ? null
      : {
          what: 'oidcIssuer speaks plain http.',
          why: 'Whoever is on the way could sign in as anybody.',
          fix: 'Use the https address of the provider. For one in your own network that has none, name its host in EGRESS_ALLOW_HOSTS as well.',
        },
];

/** Settings of single sign-on that cannot all be meant. */
export function ssoContradictions(config: Config): ConfigProblem[] {
  return RULES.map((rule) => rule(config)).filter((problem) => problem !== null);
}
