import { expect, it } from 'vitest';
import { describeInBrowser, sidewaysOverflow } from './stage.ts';

describeInBrowser('budgets', (stage) => {
  it('shows how full each is, the fullest first, and what becomes of it', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/budgets');
    const items = page.getByRole('main').getByRole('listitem');
    await items.nth(2).waitFor();
    expect(await items.count()).toBe(3);
    expect(await items.nth(0).textContent()).toMatch(
      /Ada on opus[\s\S]*every 5 hours[\s\S]*Used up\. Starts anew in \d h/,
    );
    expect(await items.nth(1).textContent()).toMatch(/web team[\s\S]*At this pace used up in/);
    expect(await items.nth(2).textContent()).toMatch(
      /\$12\.50 spent, \$0\.75 held, \$36\.75 left[\s\S]*At this pace 50 %/,
    );
    await page.getByRole('img', { name: 'everything: $12.50 of $50.00 spent' }).waitFor();
  });

  it('tells the history, who used it and what is held', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/budgets');
    await page.getByRole('button', { name: 'Actions for everything' }).click();
    await page.getByRole('menuitem', { name: 'History and holds' }).click();
    const dialog = page.getByRole('dialog', { name: 'everything' });
    await dialog.getByText('019a-on-its-way').waitFor();
    await dialog.getByRole('link', { name: 'Mira, laptop' }).waitFor();
    await dialog.getByText('$31.07').waitFor();
    await dialog.getByText('tallygate budgets show everything').waitFor();
  });

  it('a link opens one, and the URL follows what is open', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/budgets?budget=everything');
    await page.getByRole('dialog', { name: 'everything' }).waitFor();
    await page.keyboard.press('Escape');
    await page.waitForURL((url) => url.pathname === '/budgets' && url.search === '');
    await page.getByRole('button', { name: 'Actions for web team' }).click();
    await page.getByRole('menuitem', { name: 'History and holds' }).click();
    await page.waitForURL('**/budgets?budget=web*team');
  });

  it('creates one, and says which field is wrong; nothing typed is lost', async () => {
    stage.fake.setScenario('empty');
    const page = await stage.open('/budgets', { width: 360 });
    await page.getByText('tallygate budgets create --scope workspace').waitFor();
    await page.getByRole('button', { name: 'Create budget' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('What it counts').fill('user:ada,model:claude-opus-*');
    await dialog.getByLabel('Limit', { exact: false }).first().fill('a lot');
    await dialog.getByRole('button', { name: 'Create budget' }).click();
    await dialog.getByText(/amount of dollars/).waitFor();
    expect(await sidewaysOverflow(page)).toBe(0);
    expect(await dialog.getByLabel('What it counts').inputValue()).toBe('user:ada,model:claude-opus-*');
    await dialog.getByLabel('Limit', { exact: false }).first().fill('12.50');
    await dialog.getByRole('button', { name: 'Create budget' }).click();
    await page.getByText('$12.50 a month for user:ada,model:claude-opus-*').waitFor();
  });

  it('makes one that slides, which has no time zone and is said so', async () => {
    stage.fake.setScenario('empty');
    const page = await stage.open('/budgets', { width: 360 });
    await page.getByRole('button', { name: 'Create budget' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('What it counts').fill('workspace');
    await dialog.getByLabel('Limit', { exact: false }).first().fill('5');
    await dialog.getByLabel('Time zone').fill('Europe/Berlin');
    await dialog.getByRole('checkbox', { name: 'Sliding' }).check();
    expect(await dialog.getByLabel('Time zone').isDisabled()).toBe(true);
    expect(await sidewaysOverflow(page)).toBe(0);
    await dialog.getByRole('button', { name: 'Create budget' }).click();
    await page.getByText('$5.00 in any 30 days for workspace').waitFor();
    await page.getByText(/Nothing counts right now/).waitFor();
  });

  it('changes and removes one', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/budgets');
    await page.getByRole('button', { name: 'Actions for web team' }).click();
    await page.getByRole('menuitem', { name: 'Change' }).click();
    await page.getByLabel('Limit in dollars').fill('75');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('$75.00 a month for project support-bot').waitFor();
    await page.getByRole('button', { name: 'Actions for web team' }).click();
    await page.getByRole('menuitem', { name: 'Remove' }).click();
    await page.getByLabel(/to confirm/).fill('web team');
    await page.getByRole('button', { name: 'Remove budget' }).click();
    await page.getByText('Budget removed.').first().waitFor();
    await expect.poll(() => page.getByRole('main').getByRole('listitem').count()).toBe(2);
  });
});

describeInBrowser('limits', (stage) => {
  it('shows what each allows and who is closest to it', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/budgets');
    await page.getByRole('link', { name: 'Limits' }).click();
    await page.waitForURL('**/limits');
    const row = page.getByRole('row', { name: /per key/ });
    await row.getByText('60 requests a minute, 10 at once, for each key').waitFor();
    await row.getByText('57 of 60 (Mira, laptop, and 2 others)').waitFor();
  });

  it.each([1280, 390])(
    'shows how to make the first, with the copy button off the command, at %d px',
    async (width) => {
      stage.fake.setScenario('empty');
      const page = await stage.open('/limits', { width });
      const copy = page.getByRole('button', { name: 'Copy: the first limit' });
      await copy.waitFor();
      const dir = process.env.SCREENSHOTS;
      if (dir !== undefined) await page.screenshot({ path: `${dir}/limits-none-${width}.png` });
      const button = await copy.boundingBox();
      const code = await page.getByText('tallygate limits create').boundingBox();
      if (button === null || code === null) throw new Error('one of them is not shown');
      const beside = code.x + code.width <= button.x;
      const below = button.y + button.height <= code.y;
      expect([beside, below]).toContain(true);
    },
  );

  it('creates one on what runs at once, which has no window, and removes it by its name', async () => {
    stage.fake.setScenario('empty');
    const page = await stage.open('/limits');
    await page.getByRole('button', { name: 'Create limit' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('combobox', { name: 'Of' }).click();
    await page.getByRole('option', { name: 'requests at once' }).click();
    await expect.poll(() => dialog.getByRole('textbox', { name: 'At once' }).count()).toBe(0);
    await dialog.getByRole('textbox', { name: 'Limit' }).fill('4');
    await dialog.getByRole('textbox', { name: 'Name' }).fill('slots');
    await dialog.getByRole('button', { name: 'Create limit' }).click();
    await page.getByText('4 requests at once, for each key').waitFor();
    await page.getByRole('button', { name: 'Actions for slots' }).click();
    await page.getByRole('menuitem', { name: 'Change' }).click();
    const change = page.getByRole('dialog', { name: 'Change slots' });
    await change.getByLabel('Limit in requests at once').fill('x');
    await change.getByRole('button', { name: 'Save' }).click();
    await change.getByText(/number/i).waitFor();
    expect(await change.getByLabel('At once', { exact: true }).count()).toBe(0);
    await change.getByLabel('Limit in requests at once').fill('6');
    await page.keyboard.press('Enter');
    await page.getByText('6 requests at once, for each key').waitFor();
    await page.getByRole('button', { name: 'Actions for slots' }).click();
    await page.getByRole('menuitem', { name: 'Remove' }).click();
    await page.getByLabel(/to confirm/).fill('slots');
    await page.getByRole('button', { name: 'Remove limit' }).click();
    await page.getByText('No limits yet').waitFor();
  });
});
