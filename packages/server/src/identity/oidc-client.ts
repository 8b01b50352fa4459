import type { Configuration, CustomFetch } from 'openid-client';
import type { Clock } from '../kernel/clock.ts';
import { AppError } from '../kernel/errors.ts';
import type { Secret } from '../kernel/secret.ts';

export type OidcFetch = CustomFetch;

export interface OidcOptions {
  issuer: string;
  clientId: string;
  /** Null for a public client, which PKCE protects. */
  clientSecret: Secret | null;
  scopes: string;
  /** The way out: connections are guarded there. */
  fetch: OidcFetch;
  /** A provider on this machine or in a private network may speak plain http. */
  allowHttp: boolean;
}

/** Values of one sign-in that only its browser and we know. */
export interface OidcSecrets {
  state: string;
  nonce: string;
  /** Of PKCE (RFC 7636). */
  verifier: string;
}

/** What an identity provider says of somebody, verified. */
export type OidcClaims = Readonly<Record<string, unknown>> & { readonly iss: string; readonly sub: string };

/** What a provider says of itself. */
export interface OidcMetadata {
  issuer: string;
  scopes: readonly string[] | null;
  codeChallengeMethods: readonly string[] | null;
  tokenAuthMethods: readonly string[] | null;
}

/** OpenID Connect: the authorization code flow with PKCE. */
export interface OidcClient {
  /** As whom and where we sign people in; no secret. */
  readonly about: { issuer: string; clientId: string; hasClientSecret: boolean; scopes: string };
  /** Asks the provider anew what it says of itself. @throws AppError `sso_unavailable` */
  probe(): Promise<OidcMetadata>;
  /** Where the browser goes to sign in. @throws AppError `sso_unavailable` */
  authorizationUrl(redirectUri: string, secrets: OidcSecrets): Promise<string>;
  /** What the return of the browser is worth. @throws AppError `sso_failed` or `sso_unavailable` */
  claims(returned: URL, secrets: OidcSecrets): Promise<OidcClaims>;
}

/** What the provider says of itself is asked for anew after this long. */
const DISCOVERY_KEPT_MS = 3_600_000;
const TIMEOUT_SECONDS = 10;

/** Loaded with the first sign-in: most installations have no provider. */
const openid = () => import('openid-client');

/** A client of one provider. Nothing is asked of it before somebody signs in. */
export function createOidcClient(options: OidcOptions, clock: Clock): OidcClient {
  let known: { at: number; configuration: Promise<Configuration> } | null = null;

  async function discover(): Promise<Configuration> {
    const { clientSecret } = options;
    const library = await openid();
    const { allowInsecureRequests, ClientSecretPost, customFetch, discovery, None } = library;
    return discovery(
      new URL(options.issuer),
      options.clientId,
      undefined,
      clientSecret === null ? None() : ClientSecretPost(clientSecret.reveal()),
      {
        [customFetch]: options.fetch,
        timeout: TIMEOUT_SECONDS,
        // TLS alone would do (OpenID Connect Core §3.1.3.7), where it is not ended by somebody in between.
        execute: [library.enableNonRepudiationChecks, ...(options.allowHttp ? [allowInsecureRequests] : [])],
      },
    );
  }

  async function configuration(): Promise<Configuration> {
    const now = clock.monotonicMs();
    if (known === null || now - known.at > DISCOVERY_KEPT_MS) {
      known = { at: now, configuration: discover() };
    }
    const attempt = known;
    try {
      return await attempt.configuration;
    } catch (cause) {
      if (known === attempt) known = null; // the next one asks again
      throw new AppError('sso_unavailable', { cause });
    }
  }

  const { issuer, clientId, scopes } = options;
  return {
    about: { issuer, clientId, hasClientSecret: options.clientSecret !== null, scopes },
    async probe() {
      known = null;
      const found = (await configuration()).serverMetadata();
      return {
        issuer: found.issuer,
        scopes: found.scopes_supported ?? null,
        codeChallengeMethods: found.code_challenge_methods_supported ?? null,
        tokenAuthMethods: found.token_endpoint_auth_methods_supported ?? null,
      };
    },
    async authorizationUrl(redirectUri, { state, nonce, verifier }) {
      const { buildAuthorizationUrl, calculatePKCECodeChallenge } = await openid();
      return buildAuthorizationUrl(await configuration(), {
        redirect_uri: redirectUri,
        scope: options.scopes,
        state,
        nonce,
        code_challenge: await calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      }).href;
    },
    async claims(returned, { state, nonce, verifier }) {
      const config = await configuration();
      try {
        const { authorizationCodeGrant } = await openid();
        const tokens = await authorizationCodeGrant(config, returned, {
          pkceCodeVerifier: verifier,
          expectedState: state,
          expectedNonce: nonce,
          idTokenExpected: true,
        });
        const claims = tokens.claims();
        if (claims === undefined) throw new Error('the provider sent no ID token');
        return { ...(await userInfo(config, tokens.access_token, claims.sub)), ...claims };
      } catch (cause) {
        throw new AppError('sso_failed', { cause });
      }
    },
  };
}

/** Many providers keep names and groups out of the ID token. */
async function userInfo(config: Configuration, accessToken: string, subject: string): Promise<object> {
  if (config.serverMetadata().userinfo_endpoint === undefined) return {};
  const { fetchUserInfo } = await openid();
  return fetchUserInfo(config, accessToken, subject);
}
