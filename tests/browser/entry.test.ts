import { expect, it } from 'vitest';
import { describeInBrowser } from './stage.ts';

describeInBrowser('set-up and sign-in (WT-11)', (stage) => {
  it('makes an owner from the printed link and leads to the first steps (TW-01)', async () => {
    stage.fake.setScenario('setup');
    const page = await stage.open('/', { signedOut: true });
    await page.waitForURL('**/setup');
    await page.goto(`${stage.fake.url}/login`);
    await page.waitForURL('**/setup');
    await page.goto('about:blank');
    await page.goto(`${stage.fake.url}/setup#code=first-code`);
    const create = page.getByRole('button', { name: 'Create the owner' });
    await page.getByLabel('Password', { exact: true }).fill('short');
    expect(await create.isDisabled()).toBe(true);
    expect(page.url()).not.toContain('first-code');
    await page.getByLabel('Password', { exact: true }).fill('correct horse battery');
    await create.click();
    await page.getByRole('heading', { name: 'First steps' }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/');
  });

  it('shows a refused code in the words of the server, with the request id, and keeps what was typed', async () => {
    stage.fake.setScenario('setup');
    const page = await stage.open('/setup', { signedOut: true });
    await page.getByLabel('Set-up code').fill('wrong');
    await page.getByLabel('Password', { exact: true }).fill('correct horse battery');
    await page.getByRole('button', { name: 'Create the owner' }).click();
    const alert = page.getByRole('alert');
    await alert.getByText('The set-up code is wrong').waitFor();
    expect(await alert.textContent()).toContain('0199b2f0-5a7e-7c11-8f00-3c2d1e0f9a8b');
    expect(await page.getByLabel('Password', { exact: true }).inputValue()).toBe('correct horse battery');
  });

  it('sends a visitor to sign in and back to where they were going', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/requests?status=timeout', { signedOut: true });
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.getByLabel('User name').fill('owner');
    await page.getByLabel('Password', { exact: true }).fill('not it');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('The user name or the password is wrong.').waitFor();
    await page.getByLabel('Password', { exact: true }).fill('correct horse battery');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/requests?status=timeout');
    await page.getByRole('button', { name: /Account menu/ }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  });

  it('lets password managers fill in and people paste', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/login', { signedOut: true });
    const password = page.getByLabel('Password', { exact: true });
    expect(await password.getAttribute('type')).toBe('password');
    expect(await password.getAttribute('autocomplete')).toBe('current-password');
    expect(await page.getByLabel('User name').getAttribute('autocomplete')).toBe('username');
    await page.evaluate(() => navigator.clipboard.writeText('correct horse battery'));
    await page.getByLabel('User name').fill('owner');
    await password.focus();
    await page.keyboard.press('ControlOrMeta+V');
    expect(await password.inputValue()).toBe('correct horse battery');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
  });

  it('never goes to another site after sign-in', async () => {
    const page = await stage.open('/login?return=//example.com/', { signedOut: true });
    await page.getByLabel('User name').fill('owner');
    await page.getByLabel('Password', { exact: true }).fill('correct horse battery');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    expect(page.url()).toBe(`${stage.fake.url}/`);
  });

  it('leads from nothing to the first request', async () => {
    stage.fake.setScenario('empty');
    const page = await stage.open('/');
    const listening = page.waitForResponse((response) => response.url().endsWith('/api/requests/stream'));
    await page.getByRole('button', { name: /Anthropic/ }).click();
    await page.getByLabel('API key', { exact: true }).fill('sk-ant-test-key');
    await page.getByRole('button', { name: 'Add account' }).click();
    await page.getByRole('button', { name: 'Test it' }).click();
    await page.getByText('The upstream answered and accepted the credential.').waitFor();
    await page.getByLabel('Name').fill('first client');
    await page.getByRole('button', { name: 'Create key' }).click();
    const snippet = page.locator('pre').filter({ hasText: 'ANTHROPIC_BASE_URL' });
    await snippet.waitFor();
    expect(await snippet.textContent()).toContain(`export ANTHROPIC_BASE_URL=${stage.fake.url}\n`);
    expect(await snippet.textContent()).toMatch(/ANTHROPIC_AUTH_TOKEN=tg_\w{40,}/);
    await page.getByText('Waiting for your first request').waitFor();
    await listening;
    stage.fake.addRequest();
    await page.getByText('It arrived').waitFor();
    await page.getByRole('button', { name: 'Open the overview' }).click();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
  });
});
