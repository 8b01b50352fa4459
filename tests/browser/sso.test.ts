import { createOidcClient } from '@tallygate/server/identity/oidc-client';
import { Secret } from '@tallygate/server/kernel/secret';
import { type AdminWorld, OWNER, startAdminWorld } from '@tallygate/testkit/admin-world';
import { type IdentityProvider, startIdentityProvider } from '@tallygate/testkit/identity-provider';
import { openTestStore } from '@tallygate/testkit/test-store';
import type { Page } from 'playwright-core';
import { afterEach, expect, it } from 'vitest';
import { describeInBrowser, type OpenOptions, type Stage, sidewaysOverflow } from './stage.ts';

const clock = { now: () => Date.now(), monotonicMs: () => performance.now() };
const ZOE = { sub: 'z-1', preferred_username: 'zoe', groups: ['engineering'] };

let world: AdminWorld | null = null;
let provider: IdentityProvider | null = null;
afterEach(async () => {
  await world?.close();
  await provider?.close();
  world = null;
  provider = null;
});

async function start(stage: Stage) {
  provider = await startIdentityProvider();
  const { issuer, clientId, clientSecret } = provider;
  const client = createOidcClient(
    {
      issuer,
      clientId,
      clientSecret: new Secret(clientSecret),
      scopes: 'openid profile groups',
      fetch: (url, init) => fetch(url, init as RequestInit),
      allowHttp: true,
    },
    clock,
  );
  const rules = {
    name: 'Example SSO',
    userClaim: 'preferred_username',
    roleClaim: 'groups',
    roleMap: [{ group: 'engineering', role: 'developer' }],
    defaultRole: null,
    settlesSecondFactor: false,
    redirectUrl: null,
  };
  world = await startAdminWorld(await openTestStore(), {
    dashboardDir: stage.dist,
    ssoProvider: { client, rules },
  });
  await world.setUp();
  const url = `http://localhost:${world.port}`;
  provider.allowReturn(`${url}/api/auth/sso/return`);
  provider.person = ZOE;
  const visit = (path: string, options: OpenOptions = {}): Promise<Page> =>
    stage.visit(url + path, { ...options, alsoOrigins: [issuer] });
  return { url, provider, visit };
}

describeInBrowser('single sign-on (CF-14)', (stage) => {
  it('leads through the provider and back to where somebody wanted to go, without a password to type', async () => {
    const { url, visit } = await start(stage);
    const page = await visit('/my-security');
    await page.getByRole('button', { name: 'Sign in with Example SSO' }).click();
    await page.getByText('Connected with Example SSO', { exact: false }).waitFor();
    expect(page.url()).toBe(`${url}/my-security`);
    expect(await page.getByLabel('Current password').count()).toBe(0);
    await page.getByRole('button', { name: 'Set up' }).click();
    const dialog = page.getByRole('dialog');
    expect(await dialog.getByLabel('Your password').count()).toBe(0);
    await dialog.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('img', { name: 'QR code of the secret' }).waitFor();
    await page.reload();
    await page.getByRole('button', { name: 'Account menu of zoe' }).waitFor();
  });

  it('shows an owner what is set, and what is wrong with the provider or the groups', async () => {
    const { provider: it, visit } = await start(stage);
    const page = await visit('/access', { width: 390, height: 800 });
    await page.getByLabel('User name').fill(OWNER.username);
    await page.getByRole('textbox', { name: 'Password' }).fill(OWNER.password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByText(`Example SSO, ${it.issuer}`).waitFor();
    await page.getByRole('rowheader', { name: 'engineering' }).waitFor();
    await page.getByRole('button', { name: 'Test the provider' }).click();
    await page.getByText('All is as it should be.').waitFor();
    it.allowReturn(null);
    await page.getByRole('button', { name: 'Test the provider' }).click();
    await page.getByText('Something is not as it should be.').waitFor();
    expect(await sidewaysOverflow(page)).toBe(0);
    expect(await page.content()).not.toContain(it.clientSecret);
  });

  it('says why it did not work, in words', async () => {
    const { provider: it, visit } = await start(stage);
    it.person = { ...ZOE, groups: [] };
    const page = await visit('/login', { width: 360, height: 740, dark: true });
    await page.getByRole('button', { name: 'Sign in with Example SSO' }).click();
    await page.getByText('you have no role here', { exact: false }).waitFor();
    expect(await sidewaysOverflow(page)).toBe(0);
    it.allowReturn(null);
    const later = await visit('/login');
    await later.getByRole('button', { name: 'Sign in with Example SSO' }).waitFor();
  });

  it('is connected to somebody who has a password, and disconnected', async () => {
    const { visit } = await start(stage);
    const page = await visit('/my-security');
    await page.getByLabel('User name').fill(OWNER.username);
    await page.getByRole('textbox', { name: 'Password' }).fill(OWNER.password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('button', { name: 'Connect Example SSO' }).click();
    await page.getByRole('dialog').getByRole('textbox', { name: 'Your password' }).fill(OWNER.password);
    await page.getByRole('dialog').getByRole('button', { name: 'Continue' }).click();
    await page.getByText('Connected with Example SSO', { exact: false }).waitFor();
    await page.getByRole('button', { name: 'Disconnect' }).click();
    await page.getByRole('dialog').getByRole('textbox', { name: 'Your password' }).fill(OWNER.password);
    await page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click();
    await page.getByRole('button', { name: 'Connect Example SSO' }).waitFor();
  });
});
