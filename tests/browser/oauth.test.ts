import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { describeInBrowser } from './stage.ts';

/** Screenshots for the eye, where a folder for them is named. */
async function look(page: Page, name: string): Promise<void> {
  const dir = process.env.SCREENSHOTS;
  if (dir !== undefined) await page.screenshot({ path: `${dir}/${name}.png` });
}

describeInBrowser('signing in with OAuth (CF-03)', (stage) => {
  it.each([
    { width: 1280, height: 800, dark: false },
    { width: 390, height: 800, dark: true },
  ])('shows the notice first, then the page to open, then takes the code ($width px)', async (size) => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/accounts', size);
    await page.getByRole('button', { name: 'Add account' }).first().click();
    await page.getByRole('button', { name: /^Anthropic/ }).click();
    await page.getByLabel('Name').fill('team');
    await page.getByRole('button', { name: 'Sign in with OAuth instead' }).click();
    const dialog = page.getByRole('dialog', { name: 'Sign team in' });
    await dialog.getByText(/forbid to share a subscription/).waitFor();
    const go = dialog.getByRole('button', { name: 'Continue' });
    expect(await go.isDisabled()).toBe(true);
    await dialog.getByLabel(/I have read them/).check();
    await look(page, `oauth-begin-${size.width}`);
    await go.click();
    const link = dialog.getByRole('link', { name: /provider’s page/ });
    expect(await link.getAttribute('href')).toContain('https://provider.example/authorize');
    expect(await link.getAttribute('rel')).toContain('noopener');
    await dialog.getByLabel('Code or address').fill('wrong#s');
    await dialog.getByRole('button', { name: 'Sign in' }).click();
    await dialog.getByText(/This sign-in is unknown/).waitFor();
    await dialog.getByLabel('Code or address').fill('right#s');
    await look(page, `oauth-code-${size.width}`);
    await dialog.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('rowheader', { name: /^team/ }).waitFor();
    await page.getByText('OAuth', { exact: true }).first().waitFor();
  });

  it('comes back by itself to the gate, in a tab of its own, and the dialog goes on', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/accounts');
    await page.getByRole('button', { name: 'Add account' }).first().click();
    await page.getByRole('button', { name: /^Anthropic/ }).click();
    await page.getByLabel('Name').fill('team');
    await page.getByRole('button', { name: 'Sign in with OAuth instead' }).click();
    const dialog = page.getByRole('dialog', { name: 'Sign team in' });
    const redirect = await dialog.getByLabel('Redirect address').getAttribute('placeholder');
    expect(redirect).toBe(`${stage.fake.url}/api/oauth/callback`);
    await dialog.getByLabel(/I have read them/).check();
    await dialog.getByLabel('Scopes').fill('user:inference  user:profile');
    const secret = dialog.getByLabel(/^Client secret/);
    expect(await secret.getAttribute('type')).toBe('password');
    await secret.fill('a-client-secret-4711');
    const begun = page.waitForRequest(/\/api\/oauth\/sessions$/);
    await dialog.getByRole('button', { name: 'Continue' }).click();
    expect((await begun).postDataJSON()).toMatchObject({
      client: {
        redirectUri: redirect,
        scopes: ['user:inference', 'user:profile'],
        clientSecret: 'a-client-secret-4711',
      },
    });
    await dialog.getByText(/goes on by itself/).waitFor();
    await look(page, 'oauth-waits');
    const back = await page.context().newPage();
    await back.goto(`${stage.fake.url}/accounts/signed-in#session=session_1&code=right&state=s`);
    await back.getByText('team is signed in. You can close this tab.').waitFor();
    expect(back.url()).toBe(`${stage.fake.url}/accounts/signed-in`);
    await look(back, 'oauth-signed-in');
    await page.getByRole('rowheader', { name: /^team/ }).waitFor();
    await expect.poll(() => dialog.count()).toBe(0);
  });

  it('listens on one channel from the beginning, however often the list behind it changes', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/accounts');
    await page.clock.install();
    let reads = 0;
    await page.route('**/api/accounts', async (route) => {
      const response = await route.fetch();
      const { accounts } = (await response.json()) as { accounts: object[] };
      reads += 1;
      const changed = accounts.map((account) => ({
        ...account,
        oauth: { expiresAt: null, reauthReason: null },
        name: `read ${reads}`,
      }));
      await route.fulfill({ response, json: { accounts: changed } });
    });
    await page.reload();
    await page.evaluate(() => {
      const opened: string[] = [];
      Object.assign(globalThis, { opened });
      globalThis.BroadcastChannel = class extends BroadcastChannel {
        constructor(name: string) {
          super(name);
          opened.push(name);
        }
      };
    });
    await page
      .getByRole('button', { name: /^Actions for read/ })
      .first()
      .click();
    await page.getByRole('menuitem', { name: 'Sign in again' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel(/I have read them/).check();
    await dialog.getByRole('button', { name: 'Continue' }).click();
    await dialog.getByLabel('Code or address').waitFor();
    // Which read is shown is left open: where the machine is slow, the page reads by its own clock in between.
    const shown = async (): Promise<number> => {
      const text = await page
        .getByText(/^read \d+/)
        .first()
        .textContent();
      return Number(/\d+/.exec(text ?? '')?.[0]);
    };
    for (let change = 0; change < 2; change++) {
      const before = await shown();
      await page.clock.fastForward(16_000);
      await expect.poll(shown, { timeout: 25_000 }).toBeGreaterThan(before);
    }
    expect(await page.evaluate(() => Reflect.get(globalThis, 'opened'))).toHaveLength(1);
  });

  it.each([
    ['#problem=access_denied', /You did not agree/],
    ['', /not complete/],
    ['#session=session_1&code=wrong&state=s', /This sign-in is unknown/],
  ])('says what went wrong after %s', async (hash, text) => {
    stage.fake.setScenario('normal');
    const page = await stage.open(`/accounts/signed-in${hash}`, { width: 390 });
    await page.getByText(text).waitFor();
    await page.getByRole('link', { name: 'Go to the accounts' }).waitFor();
  });
});
