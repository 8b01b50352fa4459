import { expect, it } from 'vitest';
import { describeInBrowser, sidewaysOverflow } from './stage.ts';

describeInBrowser('alerts (TW-16)', (stage) => {
  it('shows rules in sentences and what fires, switches one off and removes it by name', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/');
    await page.getByRole('link', { name: 'Alerts' }).first().click();
    await page.waitForURL('**/alerts');
    const row = page.getByRole('row', { name: /Daily spend/ });
    await row.getByText('Spend reaches $50.00 today').waitFor();
    await row.getByText(/fires/).waitFor();
    await page.getByRole('button', { name: 'Actions for Security findings' }).click();
    await page.getByRole('menuitem', { name: 'Switch off' }).click();
    await page.getByText('Security findings is off.').waitFor();
    await page.getByRole('button', { name: 'Actions for Unusual tokens' }).click();
    await page.getByRole('menuitem', { name: 'Remove' }).click();
    await page.getByLabel(/to confirm/).fill('Unusual tokens');
    await page.getByRole('dialog').getByRole('button', { name: 'Remove rule' }).click();
    await expect.poll(() => page.getByRole('row', { name: /Unusual tokens/ }).count()).toBe(0);
  });

  it('makes a rule by keyboard, and says what is missing at its field', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/alerts');
    await page.getByRole('button', { name: 'New rule' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('Hourly tokens');
    await dialog.getByRole('combobox', { name: 'Tell me when' }).click();
    await page.getByRole('option', { name: 'Tokens reach a limit' }).click();
    await dialog.getByRole('button', { name: 'Make the rule' }).click();
    await dialog.getByText(/is what a rule on tokens needs/i).waitFor();
    await dialog.getByRole('textbox', { name: /^Tokens/ }).fill('100000');
    await dialog.getByLabel('ops webhook').check();
    await page.keyboard.press('Enter');
    await page.getByText('Rule made. It is judged from now on.').waitFor();
    await page.getByRole('row', { name: /Hourly tokens/ }).waitFor();
  });

  it('narrows a rule to keys and models by name, and tries it before it is made', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/alerts');
    await page.getByRole('button', { name: 'New rule' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('Laptop');
    await dialog.getByLabel('US dollars').fill('5');
    await dialog.getByText('Only some of the traffic').click();
    await dialog.getByRole('combobox', { name: 'Keys' }).fill('Mira');
    await page.getByRole('option', { name: 'Mira, laptop' }).click();
    await page.keyboard.press('Escape');
    await dialog.getByRole('combobox', { name: 'Models' }).fill('my-own-model');
    await page.keyboard.press('Enter');
    await dialog.getByText('(2 chosen)').waitFor();
    await dialog.getByRole('button', { name: 'Try it on the last 7 days' }).click();
    await dialog.getByText('it would have told people 2 times').waitFor();
    await dialog.getByLabel('US dollars').fill('6');
    await expect.poll(() => dialog.getByText('it would have told people').count()).toBe(0);
    await dialog.getByRole('button', { name: 'Make the rule' }).click();
    await page.getByText('Rule made.').first().waitFor();
    await page.getByRole('button', { name: 'Actions for Laptop' }).click();
    await page.getByRole('menuitem', { name: 'Change' }).click();
    await page.getByRole('dialog').getByText('my-own-model').waitFor();
    await page.getByRole('dialog').getByText('Mira, laptop').first().waitFor();
  });

  it('a link shows what one rule has told', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/alerts/history?rule=daily', { width: 390 });
    await page.getByText('What one rule has told: Daily spend.').waitFor();
    expect(await sidewaysOverflow(page)).toBe(0);
    await page.getByRole('link', { name: 'Show every rule' }).click();
    await page.waitForURL((url) => url.pathname === '/alerts/history' && url.search === '');
  });

  it('an empty list begins with suggestions', async () => {
    stage.fake.setScenario('empty');
    const page = await stage.open('/alerts', { width: 390 });
    await page.getByRole('button', { name: 'Unusual spend' }).click();
    expect(await page.getByRole('dialog').getByLabel('Name').inputValue()).toBe('Unusual spend');
    expect(await sidewaysOverflow(page)).toBe(0);
  });

  it('the history explains itself, and a delivery that was given up is sent again', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/alerts/history');
    await page.getByText('Spend in production reached $53.10 today').first().click();
    await page.getByText('support-bot production: $41.20, batch nightly: $9.80').first().waitFor();
    await page.getByRole('link', { name: 'Deliveries' }).click();
    await page.waitForURL('**/alerts/deliveries');
    const dead = page.getByRole('row', { name: /Given up/ });
    await dead.getByText('The receiver answered HTTP 503.').first().click();
    await dead.getByRole('button', { name: /Send again/ }).click();
    await page.getByText('On its way again.').waitFor();
    await page.getByRole('row', { name: /On its way/ }).waitFor();
  });

  it('a channel is tested, previewed and added; its signing key is shown once', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/alerts/channels', { width: 390 });
    await page.getByRole('button', { name: 'Test ops webhook' }).click();
    await page.getByText('The receiver took it (HTTP 200).').waitFor();
    await page.getByRole('button', { name: 'Add channel' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('mine');
    await dialog.getByLabel('URL').fill('https://hooks.example.com/x');
    await dialog.getByText('Own words').click();
    await dialog.getByLabel('Title').fill('T: {{title}}');
    await dialog.getByRole('button', { name: 'Show what is sent' }).click();
    await dialog.getByText('webhook: T: {{title}}').waitFor();
    expect(await sidewaysOverflow(page)).toBe(0);
    await dialog.getByRole('button', { name: 'Add channel' }).click();
    await page.getByText(/^whsec_A+$/).waitFor();
    await page.getByRole('button', { name: 'I stored it' }).click();
    await page.getByRole('row', { name: /mine/ }).waitFor();
  });
});
