import { expect, it } from 'vitest';
import { describeInBrowser, sidewaysOverflow } from './stage.ts';

describeInBrowser('security, audit and incident (X-06, NX-10, CF-18)', (stage) => {
  it('says in plain words what asks for attention', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/');
    await page.getByRole('link', { name: 'Security' }).first().click();
    await page.waitForURL('**/security');
    await page.getByText(/203\.0\.113\.9 failed to sign in 14 times/).waitFor();
    await page.getByRole('rowheader', { name: '203.0.113.9' }).waitFor();
    await page.getByRole('cell', { name: 'script-src' }).waitFor();
  });

  it('lists the log, shows before and after at an address of its own, and narrows by outcome', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/audit');
    await page.getByRole('button', { name: /1500.*PATCH \/api\/projects/ }).click();
    await page.waitForURL('**/audit?entry=1500');
    const panel = page.getByRole('complementary', { name: 'Entry 1500' });
    await panel.getByRole('cell', { name: 'Name 1499' }).waitFor();
    await page.reload();
    await panel.getByRole('cell', { name: 'Name 1500' }).waitFor();
    await page.keyboard.press('Escape');
    await expect.poll(() => panel.count()).toBe(0);
    await page.getByLabel('Outcome').selectOption('refused');
    await page.waitForURL('**/audit?outcome=refused');
    await page.getByRole('button', { name: /1494.*refused 401/ }).waitFor();
    expect(await page.getByRole('button', { name: /PATCH/ }).count()).toBe(0);
    const rows = page.locator('[data-index]');
    expect(await rows.count()).toBeLessThan(80); // of a thousand and more, only those in view exist
  });

  it('verifies the log and says what came out', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/audit');
    await page.getByRole('button', { name: 'Verify' }).click();
    await page.getByText(/1,500 entries, each as it was written/).waitFor();
  });

  it('pauses and resumes, and revokes every key only when it is typed', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/incident', { width: 390 });
    await page.getByRole('button', { name: 'Pause all traffic' }).click();
    await page.getByRole('heading', { name: 'Traffic is paused' }).waitFor();
    await page.getByText('Traffic is paused; 2 running requests ended.').waitFor();
    await page.getByRole('button', { name: 'Let traffic through' }).click();
    await page.getByRole('heading', { name: 'Traffic passes' }).waitFor();
    await page.getByRole('button', { name: 'Revoke every key' }).click();
    const confirm = page.getByRole('dialog').getByRole('button', { name: 'Revoke every key' });
    expect(await confirm.isDisabled()).toBe(true);
    expect(await sidewaysOverflow(page)).toBe(0);
    await page.getByLabel(/to confirm/).fill('revoke every key');
    await confirm.click();
    await page.getByText('3 keys revoked.').waitFor();
  });
});
