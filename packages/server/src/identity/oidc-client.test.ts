import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AppError } from '../kernel/errors.ts';
import { Secret } from '../kernel/secret.ts';
import { createOidcClient, type OidcFetch, type OidcOptions, type OidcSecrets } from './oidc-client.ts';

const ISSUER = 'https://idp.example';
const CLIENT_ID = 'tallygate';
const REDIRECT = 'https://gate.example/api/auth/sso/return';
const SECRETS: OidcSecrets = { state: 'state-1', nonce: 'nonce-1', verifier: 'v'.repeat(43) };
const RETURNED = `${REDIRECT}?code=code-1&state=state-1`;

const ours = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const clock = { ms: 0, now: () => Date.now(), monotonicMs: () => clock.ms };

/** A provider that answers from memory, and can be bent in one place at a time. */
let provider: {
  metadata: Record<string, unknown>;
  claims: Record<string, unknown>;
  header: Record<string, unknown>;
  key: KeyObject;
  tokens: (idToken: string) => Record<string, unknown>;
  userinfo: Record<string, unknown>;
  down: boolean;
};
let requests: { url: string; body: string; authorization: string | null }[];
beforeEach(() => {
  requests = [];
  clock.ms = 0;
  const nowSeconds = Math.floor(Date.now() / 1000);
  provider = {
    metadata: {
      issuer: ISSUER,
      authorization_endpoint: `${ISSUER}/authorize`,
      token_endpoint: `${ISSUER}/token`,
      jwks_uri: `${ISSUER}/jwks`,
      userinfo_endpoint: `${ISSUER}/userinfo`,
      id_token_signing_alg_values_supported: ['ES256'],
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
    },
    claims: {
      iss: ISSUER,
      sub: 'a-1',
      aud: CLIENT_ID,
      iat: nowSeconds,
      exp: nowSeconds + 300,
      nonce: SECRETS.nonce,
      preferred_username: 'anna',
    },
    header: { alg: 'ES256', kid: 'k1' },
    key: ours.privateKey,
    tokens: (idToken) => ({ access_token: 'at', token_type: 'Bearer', expires_in: 300, id_token: idToken }),
    userinfo: { sub: 'a-1', groups: ['llm-users'] },
    down: false,
  };
});

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
function idToken(): string {
  const input = `${encoded(provider.header)}.${encoded(provider.claims)}`;
  if (provider.header.alg === 'none') return `${input}.`;
  const signature = sign('sha256', Buffer.from(input), { key: provider.key, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

const json = (body: unknown, status = 200): Response =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });

const fetchFromMemory: OidcFetch = async (url, init) => {
  const headers = new Headers(init.headers as Record<string, string>);
  const body = init.body === undefined || init.body === null ? '' : String(init.body);
  requests.push({ url, body, authorization: headers.get('authorization') });
  if (provider.down) throw new TypeError('fetch failed');
  const { pathname } = new URL(url);
  if (pathname.endsWith('openid-configuration')) return json(provider.metadata);
  if (pathname === '/jwks') {
    return json({
      keys: [{ ...ours.publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256', use: 'sig' }],
    });
  }
  if (pathname === '/token') return json(provider.tokens(idToken()));
  if (pathname === '/userinfo') return json(provider.userinfo);
  return json({}, 404);
};

const clientOf = (change: Partial<OidcOptions> = {}) =>
  createOidcClient(
    {
      issuer: ISSUER,
      clientId: CLIENT_ID,
      clientSecret: new Secret('client-secret-1'),
      scopes: 'openid profile',
      fetch: fetchFromMemory,
      allowHttp: false,
      ...change,
    },
    clock,
  );
const verdict = (returned = RETURNED, secrets = SECRETS): Promise<string> =>
  clientOf()
    .claims(new URL(returned), secrets)
    .then(
      () => 'in',
      (error: AppError) => error.code,
    );

describe('where the browser goes (CF-14)', () => {
  it('carries state, nonce and the challenge of PKCE, and neither verifier nor client secret', async () => {
    const url = new URL(await clientOf().authorizationUrl(REDIRECT, SECRETS));
    expect(`${url.origin}${url.pathname}`).toBe(`${ISSUER}/authorize`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      client_id: CLIENT_ID,
      redirect_uri: REDIRECT,
      response_type: 'code',
      scope: 'openid profile',
      state: SECRETS.state,
      nonce: SECRETS.nonce,
      code_challenge: createHash('sha256').update(SECRETS.verifier).digest('base64url'),
      code_challenge_method: 'S256',
    });
    expect(url.href).not.toContain(SECRETS.verifier);
    expect(url.href).not.toContain('client-secret-1');
  });

  it('is what the provider says of itself, asked anew after an hour or after a failure', async () => {
    const client = clientOf();
    await client.authorizationUrl(REDIRECT, SECRETS);
    clock.ms += 3_600_000;
    await client.authorizationUrl(REDIRECT, SECRETS);
    expect(requests).toHaveLength(1);
    clock.ms += 1;
    provider.down = true;
    await expect(client.authorizationUrl(REDIRECT, SECRETS)).rejects.toMatchObject({
      code: 'sso_unavailable',
    });
    provider.down = false;
    await client.authorizationUrl(REDIRECT, SECRETS);
    expect(requests).toHaveLength(3);
  });

  it('is nowhere when another issuer answers, or plain http would be spoken', async () => {
    provider.metadata.issuer = 'https://evil.example';
    await expect(clientOf().authorizationUrl(REDIRECT, SECRETS)).rejects.toMatchObject({
      code: 'sso_unavailable',
    });
    requests = [];
    const plain = clientOf({ issuer: 'http://idp.example' });
    await expect(plain.authorizationUrl(REDIRECT, SECRETS)).rejects.toMatchObject({
      code: 'sso_unavailable',
    });
    expect(requests).toEqual([]);
  });
});

describe('what comes back (CF-14)', () => {
  it('is verified claims, those of the ID token before those of the user information', async () => {
    provider.userinfo = {
      sub: 'a-1',
      groups: ['llm-users'],
      preferred_username: 'olga',
      iss: 'https://evil.example',
    };
    expect(await clientOf().claims(new URL(RETURNED), SECRETS)).toMatchObject({
      iss: ISSUER,
      sub: 'a-1',
      preferred_username: 'anna',
      groups: ['llm-users'],
    });
    const token = new URLSearchParams(requests.find(({ url }) => url.endsWith('/token'))?.body);
    expect(Object.fromEntries(token)).toMatchObject({
      grant_type: 'authorization_code',
      code: 'code-1',
      redirect_uri: REDIRECT,
      code_verifier: SECRETS.verifier,
      client_secret: 'client-secret-1',
    });
    expect(requests.find(({ url }) => url.endsWith('/userinfo'))?.authorization).toBe('Bearer at');
  });

  it('works without a client secret and without user information', async () => {
    delete provider.metadata.userinfo_endpoint;
    const claims = await clientOf({ clientSecret: null }).claims(new URL(RETURNED), SECRETS);
    expect(claims).toMatchObject({ sub: 'a-1', preferred_username: 'anna' });
    expect(requests.map(({ url }) => url).some((url) => url.endsWith('/userinfo'))).toBe(false);
    expect(requests.find(({ url }) => url.endsWith('/token'))?.body).not.toContain('client_secret');
  });

  /** What is bent; a claim that is undefined is left out. */
  type Bend = Partial<Pick<typeof provider, 'claims' | 'header' | 'userinfo' | 'tokens'>>;
  const tokens = (idTokenSent?: string) => () => ({
    access_token: 'at',
    token_type: 'Bearer',
    ...(idTokenSent === undefined ? {} : { id_token: idTokenSent }),
  });
  it.each<[string, Bend]>([
    ['a nonce of another sign-in', { claims: { nonce: 'nonce-2' } }],
    ['no nonce', { claims: { nonce: undefined } }],
    ['another issuer', { claims: { iss: 'https://evil.example' } }],
    ['another client’s token', { claims: { aud: 'another-app' } }],
    ['several audiences without ours', { claims: { aud: ['a', 'b'] } }],
    ['an expired token', { claims: { exp: Math.floor(Date.now() / 1000) - 120 } }],
    ['a token without an end', { claims: { exp: undefined } }],
    ['no subject', { claims: { sub: undefined } }],
    ['no ID token', { tokens: tokens() }],
    ['an ID token that is none', { tokens: tokens('x.y.z') }],
    ['no algorithm', { header: { alg: 'none' } }],
    ['an algorithm that takes public values for the key', { header: { alg: 'HS256', kid: 'k1' } }],
    ['user information of somebody else', { userinfo: { sub: 'somebody else' } }],
    ['user information without a subject', { userinfo: { groups: ['llm-admins'] } }],
  ])('is refused with %s', async (_name, bend) => {
    Object.assign(provider, bend, { claims: { ...provider.claims, ...bend.claims } });
    expect(await verdict()).toBe('sso_failed');
  });

  it.each([
    ['another state', `${REDIRECT}?code=c&state=state-2`],
    ['no state', `${REDIRECT}?code=c`],
    ['two states', `${REDIRECT}?code=c&state=state-1&state=state-2`],
    ['no code', `${REDIRECT}?state=state-1`],
    ['an error of the provider', `${REDIRECT}?error=access_denied&state=state-1`],
    ['the name of another issuer', `${REDIRECT}?code=c&state=state-1&iss=https://evil.example`],
  ])('is refused with %s, and no code is sent anywhere', async (_name, returned) => {
    expect(await verdict(returned)).toBe('sso_failed');
    expect(requests.some(({ url }) => url.endsWith('/token'))).toBe(false);
  });

  it('is not tried while the provider cannot be asked about itself', async () => {
    provider.down = true;
    expect(await verdict()).toBe('sso_unavailable');
  });
});

describe('the signature of the ID token (CF-14)', () => {
  it('has to be the provider’s, although TLS vouches for who sent it', async () => {
    provider.key = foreign.privateKey;
    expect(await verdict()).toBe('sso_failed');
  });

  it('covers every claim', async () => {
    const real = provider.tokens;
    provider.tokens = (token) => {
      const [header, , signature] = token.split('.');
      return real([header, encoded({ ...provider.claims, preferred_username: 'olga' }), signature].join('.'));
    };
    expect(await verdict()).toBe('sso_failed');
  });
});
