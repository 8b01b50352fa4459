import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { adminStage, signIn } from './admin-stage.ts';
import { describeInBrowser, sidewaysOverflow } from './stage.ts';

const start = adminStage();
const menuOf = (page: Page) => page.getByRole('button', { name: /^Account menu of maria/ });

describeInBrowser('workspaces (TW-07)', (stage) => {
  it('show nothing of themselves while there is one', async () => {
    const { url } = await start(stage);
    const page = await stage.visit(`${url}/keys`);
    await signIn(page);
    await menuOf(page).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).waitFor();
    expect(await page.getByText('Workspace', { exact: true }).count()).toBe(0);
  });

  it('are switched in the account menu, by keyboard too, and each shows its own', async () => {
    const made = await start(stage);
    const inSecond = { 'x-tallygate-workspace': 'research' };
    const local = (path: string, body: unknown, headers = {}) =>
      made.call(path, { local: true, body, headers });
    await local('/api/workspaces', { slug: 'research', name: 'Applied research' });
    await local('/api/keys', { name: 'key-of-the-first', scopes: ['gateway'] });
    await local('/api/keys', { name: 'key-of-research', scopes: ['gateway'] }, inSecond);
    const page = await stage.visit(`${made.url}/keys`);
    await signIn(page);
    await page.getByText('key-of-the-first').first().waitFor();
    await page.getByRole('button', { name: 'Account menu of maria, workspace Default' }).focus();
    await page.keyboard.press('Enter');
    const other = page.getByRole('menuitemradio', { name: 'Applied research' });
    await other.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Account menu of maria, workspace Applied research' }).waitFor();
    await page.goto(`${made.url}/keys`);
    await page.getByText('key-of-research').first().waitFor();
    expect(await page.getByText('key-of-the-first').count()).toBe(0);
    await page.setViewportSize({ width: 390, height: 800 });
    expect(await sidewaysOverflow(page)).toBe(0);
    await menuOf(page).click();
    await page.getByRole('menuitemradio', { name: 'Default' }).click();
    await page.waitForURL(`${made.url}/`);
    await page.goto(`${made.url}/keys`);
    await page.getByText('key-of-the-first').first().waitFor();
  });
});
