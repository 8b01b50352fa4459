import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startIdentityProvider } from '@tallygate/testkit/identity-provider';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEgress, type Egress } from '../egress/egress.ts';
import { createEgressPolicy } from '../egress/egress-policy.ts';
import { createOidcClient, type OidcFetch } from '../identity/oidc-client.ts';
import { AppError } from '../kernel/errors.ts';
import { createGuardedFetch } from './guarded-fetch.ts';

const GET = { method: 'GET', headers: {}, body: null, redirect: 'manual' } as const;
const clock = { now: () => Date.now(), monotonicMs: () => performance.now() };

let answer: (request: IncomingMessage, response: ServerResponse) => void;
let server: Server;
let origin: string;
let egress: Egress;
beforeEach(async () => {
  server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  egress = withPolicy('accounts');
});
afterEach(async () => {
  await egress.destroy();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function withPolicy(privateUpstreams: 'accounts' | 'never'): Egress {
  return createEgress({
    connectTimeoutMs: 5_000,
    policy: createEgressPolicy({ privateUpstreams, allowed: [] }),
  });
}

const codeOf = (run: ReturnType<OidcFetch>): Promise<unknown> =>
  run.then(
    () => 'answered',
    (error: unknown) => (error instanceof AppError ? error.code : error),
  );

describe('the way to an identity provider (TW-17, CF-14)', () => {
  it('carries forms, headers and answers, and follows no redirect', async () => {
    answer = (request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on('end', () => {
        response.writeHead(302, { location: 'http://169.254.169.254/', 'set-cookie': ['a=1', 'b=2'] });
        response.end(`${request.method} ${request.url} ${request.headers['x-one']} ${body}`);
      });
    };
    const fetch = createGuardedFetch(egress, origin);
    const body = new URLSearchParams({ grant_type: 'authorization_code', code: 'a b' });
    const response = await fetch(`${origin}/token?x=1`, {
      ...GET,
      method: 'POST',
      headers: { 'x-one': 'yes' },
      body,
    });
    expect([response.status, response.headers.getSetCookie()]).toEqual([302, ['a=1', 'b=2']]);
    expect(await response.text()).toBe('POST /token?x=1 yes grant_type=authorization_code&code=a+b');
  });

  it('leads to private addresses at the origin of the issuer alone, and nowhere private where that is forbidden', async () => {
    answer = (_request, response) => response.end('reached');
    expect(await codeOf(createGuardedFetch(egress, 'https://id.example')(origin, GET))).toBe(
      'egress_blocked',
    );
    expect(await codeOf(createGuardedFetch(egress, origin)(origin, GET))).toBe('answered');
    const strict = withPolicy('never');
    expect(await codeOf(createGuardedFetch(strict, origin)(origin, GET))).toBe('egress_blocked');
    await strict.destroy();
  });

  it('stops at a mebibyte', async () => {
    answer = (_request, response) => {
      response.on('error', () => undefined);
      response.end(Buffer.alloc(1024 * 1024 + 1));
    };
    await expect(createGuardedFetch(egress, origin)(origin, GET)).rejects.toThrow('too large');
  });

  it('reaches a real provider', async () => {
    const provider = await startIdentityProvider();
    const returnTo = 'http://localhost:4100/api/auth/sso/return';
    provider.allowReturn(returnTo);
    const client = createOidcClient(
      {
        issuer: provider.issuer,
        clientId: provider.clientId,
        clientSecret: null,
        scopes: 'openid',
        fetch: createGuardedFetch(egress, provider.issuer),
        allowHttp: true,
      },
      clock,
    );
    const url = await client.authorizationUrl(returnTo, { state: 's', nonce: 'n', verifier: 'v'.repeat(43) });
    expect(url).toContain(`${provider.issuer}/auth?`);
    expect(provider.requests).toEqual(['GET /.well-known/openid-configuration']);
    await provider.close();
  });
});
