import { z } from 'zod';
import type { Secret } from '../kernel/secret.ts';
import { listOf } from './network-kinds.ts';
import { type Kind, oneOf, printable, secretText, setting, text } from './setting.ts';

/** An address without what a browser would add: no query, no fragment, no password. */
function plainUrl(what: string): Kind<string | null> {
  const accepts = (value: string): boolean => {
    if (!URL.canParse(value)) return false;
    const { protocol, search, hash, username, password } = new URL(value);
    return /^https?:$/.test(protocol) && `${search}${hash}${username}${password}` === '';
  };
  return {
    expected: `${what}, without query and password`,
    placeholder: 'url',
    schema: () => z.string().max(2048).refine(accepts),
    show: (value) => value ?? '(not set)',
  };
}

const words = (maxLength: number): Kind<string> => ({
  ...text(maxLength),
  schema: () => z.string().min(1).max(maxLength).refine(printable),
  show: String,
});

/** `group=role` or `group=role@workspace`; a group may hold anything but commas, also `=` and blanks. */
const rolePairs = (): Kind<string[]> =>
  listOf((entry) => /^.+=[a-z][a-z0-9-]{1,39}(@[a-z0-9][a-z0-9-]{0,62})?$/.test(entry), {
    expected: 'pairs such as llm-admins=admin,engineering=developer@research, with commas between them',
    entry: 'group=role',
  });

/** Signing in through an identity provider: OpenID Connect. */
export const SSO_SETTINGS = {
  oidcIssuer: setting<string | null>({
    kind: plainUrl('the address of the identity provider as it names itself (its issuer)'),
    default: null,
    defaultDoc: 'not set: no single sign-on',
    group: 'Access',
    aliases: ['OIDC_ISSUER'],
    doc: 'Identity provider (OpenID Connect) that people sign in through; its other addresses are discovered.',
  }),
  oidcClientId: setting<string | null>({
    kind: text(256),
    default: null,
    defaultDoc: 'not set',
    group: 'Access',
    aliases: ['OIDC_CLIENT_ID'],
    doc: 'What the provider knows this installation as; set together with the issuer.',
  }),
  oidcClientSecret: setting<Secret | null>({
    kind: secretText(1024),
    default: null,
    defaultDoc: 'not set: a public client, protected by PKCE alone',
    group: 'Access',
    aliases: ['OIDC_CLIENT_SECRET'],
    channels: ['environment'],
    doc: 'Secret the provider gave this installation.',
  }),
  oidcRedirectUrl: setting<string | null>({
    kind: plainUrl('an address of this installation ending in /api/auth/sso/return'),
    default: null,
    defaultDoc: 'the address the dashboard was opened at, with /api/auth/sso/return',
    group: 'Access',
    aliases: ['OIDC_REDIRECT_URL'],
    doc: 'Where the provider sends browsers back to; needed behind a proxy that ends TLS and is not trusted.',
  }),
  oidcName: setting<string | null>({
    kind: text(60),
    default: null,
    defaultDoc: 'the host name of the issuer',
    group: 'Access',
    aliases: ['OIDC_NAME'],
    doc: 'What the button on the sign-in page calls the provider.',
  }),
  oidcScopes: setting<string>({
    kind: words(500),
    default: 'openid profile email',
    group: 'Access',
    aliases: ['OIDC_SCOPES'],
    doc: 'What is asked of the provider, with blanks between; openid has to be among it.',
  }),
  oidcUserClaim: setting<string>({
    kind: words(100),
    default: 'preferred_username',
    group: 'Access',
    aliases: ['OIDC_USER_CLAIM'],
    doc: 'Claim that names the user; email is taken where it holds no user name.',
  }),
  oidcRoleClaim: setting<string>({
    kind: words(100),
    default: 'groups',
    group: 'Access',
    aliases: ['OIDC_ROLE_CLAIM'],
    doc: 'Claim that lists groups or roles; dots lead into objects, as in realm_access.roles.',
  }),
  oidcRoleMap: setting<string[]>({
    kind: rolePairs(),
    default: [],
    defaultDoc: 'none',
    group: 'Access',
    aliases: ['OIDC_ROLE_MAP'],
    doc: 'Which group of the provider has which role: group=role in the first workspace, group=role@workspace in another; in each the first that fits decides, anew with every sign-in.',
  }),
  oidcDefaultRole: setting<string | null>({
    kind: text(40),
    default: null,
    defaultDoc: 'not set: they are not let in',
    group: 'Access',
    aliases: ['OIDC_DEFAULT_ROLE'],
    doc: 'Role of people in none of these groups.',
  }),
  oidcSecondFactor: setting<'gate' | 'provider'>({
    kind: oneOf(['gate', 'provider']),
    default: 'gate',
    group: 'Access',
    aliases: ['OIDC_SECOND_FACTOR'],
    doc: 'Who asks for the second factor: gate = as after a password; provider = nothing is asked here after it.',
  }),
};
