// The server as users start it, its settings, and a real identity provider; every case of the protocol is in http/sso.test.ts.
import { type Gate, startGate } from '@tallygate/testkit/harness';
import {
  CookieBrowser,
  type IdentityProvider,
  startIdentityProvider,
} from '@tallygate/testkit/identity-provider';
import { afterEach, expect, it } from 'vitest';

let gate: Gate | null = null;
let provider: IdentityProvider | null = null;
afterEach(async () => {
  await gate?.stop();
  await provider?.close();
  gate = null;
  provider = null;
});

it('the settings alone let people in through their identity provider, with the role of their group (CF-14)', async () => {
  provider = await startIdentityProvider();
  gate = await startGate({
    config: {
      OIDC_ISSUER: provider.issuer,
      OIDC_CLIENT_ID: provider.clientId,
      OIDC_CLIENT_SECRET: provider.clientSecret,
      OIDC_SCOPES: 'openid profile groups',
      OIDC_ROLE_MAP: 'engineering=developer',
    },
  });
  const origin = `http://localhost:${gate.port}`;
  provider.allowReturn(`${origin}/api/auth/sso/return`);
  provider.person = { sub: 'z-1', preferred_username: 'zoe', groups: ['engineering'] };
  const browser = new CookieBrowser();
  const started = await browser.fetch(`${origin}/api/auth/sso/start`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ return: '/requests' }),
  });
  const { url } = (await started.json()) as { url: string };
  const isPage = (at: URL): boolean => at.origin === origin && !at.pathname.startsWith('/api/');
  expect((await browser.follow(url, isPage)).pathname).toBe('/requests');
  const me = await browser.fetch(`${origin}/api/auth/me`);
  expect(await me.json()).toMatchObject({ stage: 'full', user: { username: 'zoe', role: 'developer' } });
});
