import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { AppError } from '../kernel/errors.ts';
import { Secret } from '../kernel/secret.ts';
import { createOidcClient, type OidcFetch } from './oidc-client.ts';

const ISSUER = 'https://id.example';
const REDIRECT = 'https://gate.example/api/auth/sso/return';
const SECRETS = { state: 'the state', nonce: 'the nonce', verifier: 'v'.repeat(43) };
const CLIENT_SECRET = 'a client secret that both sides know';

const clock = { now: () => Date.now(), monotonicMs: () => performance.now() };
const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const b64 = (value: object | Buffer): string =>
  (Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value))).toString('base64url');

type Signer = (text: string) => Buffer;
const es256 =
  (key: KeyObject): Signer =>
  (text) =>
    sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });

const seconds = (): number => Math.floor(Date.now() / 1000);
const claims = (change: object = {}): object => ({
  iss: ISSUER,
  sub: 'z-1',
  aud: 'tallygate',
  nonce: SECRETS.nonce,
  iat: seconds(),
  exp: seconds() + 300,
  ...change,
});

function token(body: object, header: object = {}, signer: Signer = es256(own.privateKey)): string {
  const text = `${b64({ alg: 'ES256', kid: 'k1', ...header })}.${b64(body)}`;
  return `${text}.${b64(signer(text))}`;
}

/** A provider that answers as a test wants; `idToken` null leaves it out. */
function provider(idToken: string | null, metadata: object = {}): OidcFetch {
  const jwk = { ...own.publicKey.export({ format: 'jwk' }), kid: 'k1', use: 'sig', alg: 'ES256' };
  const answers: Record<string, object> = {
    '/.well-known/openid-configuration': {
      issuer: ISSUER,
      authorization_endpoint: `${ISSUER}/authorize`,
      token_endpoint: `${ISSUER}/token`,
      jwks_uri: `${ISSUER}/jwks`,
      id_token_signing_alg_values_supported: ['ES256'],
      ...metadata,
    },
    '/jwks': { keys: [jwk] },
    '/token': {
      access_token: 'opaque',
      token_type: 'Bearer',
      ...(idToken === null ? {} : { id_token: idToken }),
    },
  };
  return async (url) => Response.json(answers[new URL(String(url)).pathname] ?? {}, { status: 200 });
}

async function outcome(fetch: OidcFetch): Promise<string> {
  const client = createOidcClient(
    {
      issuer: ISSUER,
      clientId: 'tallygate',
      clientSecret: new Secret(CLIENT_SECRET),
      scopes: 'openid',
      fetch,
      allowHttp: false,
    },
    clock,
  );
  const returned = new URL(`${REDIRECT}?code=c&state=${encodeURIComponent(SECRETS.state)}`);
  try {
    return (await client.claims(returned, SECRETS)).sub;
  } catch (error) {
    return error instanceof AppError ? error.code : `not ours: ${String(error)}`;
  }
}

describe('what an identity provider says of somebody (CF-14)', () => {
  it('is believed when it is signed by its key, for us, for this sign-in, and now', async () => {
    expect(await outcome(provider(token(claims())))).toBe('z-1');
  });

  const hmac: Signer = (text) => createHmac('sha256', CLIENT_SECRET).update(text).digest();
  it.each<[string, string | null]>([
    ['no token', null],
    ['another key', token(claims(), {}, es256(foreign.privateKey))],
    ['no signature', token(claims(), {}, () => Buffer.alloc(0))],
    ['the algorithm "none"', token(claims(), { alg: 'none' }, () => Buffer.alloc(0))],
    ['a secret in the place of a key', token(claims(), { alg: 'HS256' }, hmac)],
    [
      'a key that it brings along',
      token(
        claims(),
        { kid: 'x', jwk: foreign.publicKey.export({ format: 'jwk' }) },
        es256(foreign.privateKey),
      ),
    ],
    [
      'changed after it was signed',
      token(claims()).replace(/\.[^.]+\./, `.${b64(claims({ sub: 'owner' }))}.`),
    ],
    ['another client', token(claims({ aud: 'other' }))],
    ['another issuer', token(claims({ iss: 'https://evil.example' }))],
    ['another sign-in', token(claims({ nonce: 'another' }))],
    ['no nonce', token(claims({ nonce: undefined }))],
    ['a time that is over', token(claims({ iat: seconds() - 7200, exp: seconds() - 3600 }))],
    ['no end', token(claims({ exp: undefined }))],
  ])('is not believed with %s', async (_what, idToken) => {
    expect(await outcome(provider(idToken))).toBe('sso_failed');
  });

  it('is not asked for under the name of another issuer', async () => {
    const mixed = provider(token(claims()), { issuer: 'https://evil.example' });
    expect(await outcome(mixed)).toBe('sso_unavailable');
  });
});
