import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { describeInBrowser, sidewaysOverflow } from './stage.ts';

const PROJECT = 'prj_support-bot';
const switcher = (page: Page) => page.getByRole('combobox', { name: 'Project' });
const projectOf = (page: Page) => new URL(page.url()).searchParams.get('project');

describeInBrowser('the project that everything is looked at for (TW-20)', (stage) => {
  it('stands in the URL, goes along, and narrows figures and lists', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/');
    await switcher(page).selectOption({ label: 'support-bot' });
    await expect.poll(() => projectOf(page)).toBe(PROJECT);
    await page.getByRole('button', { name: /Remove the filter Project support-bot/ }).waitFor();

    await page.getByRole('link', { name: 'Requests' }).first().click();
    await page.waitForURL((url) => url.pathname === '/requests');
    expect(projectOf(page)).toBe(PROJECT);

    await page.getByRole('link', { name: 'Budgets' }).first().click();
    await page.waitForURL((url) => url.pathname === '/budgets');
    await page.getByText('2 budgets of other projects or of the whole workspace are not shown.').waitFor();
    expect(await page.getByRole('main').getByRole('listitem').count()).toBe(1);
    await page.getByRole('link', { name: 'Limits' }).click();
    await page.getByText('2 limits of other projects').waitFor();
    expect(projectOf(page)).toBe(PROJECT);

    await page.getByRole('link', { name: 'Keys' }).first().click();
    await page.getByRole('row', { name: /support-bot production/ }).waitFor();
    expect(await page.getByRole('row', { name: /Mira, laptop/ }).count()).toBe(0);
    await page.getByRole('link', { name: 'Show all' }).click();
    await page.getByRole('row', { name: /Mira, laptop/ }).waitFor();
    expect(projectOf(page)).toBeNull();
    expect(await switcher(page).inputValue()).toBe('');
  });

  it('is remembered by the browser, until all of them are chosen again; a link is taken as it is', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/');
    await switcher(page).selectOption({ label: 'support-bot' });
    await expect.poll(() => projectOf(page)).toBe(PROJECT);
    await page.goto(`${stage.fake.url}/budgets`);
    await page.waitForURL((url) => url.searchParams.get('project') === PROJECT);
    await page.goto(`${stage.fake.url}/requests?range=7d`);
    await switcher(page).waitFor();
    expect([projectOf(page), await switcher(page).inputValue()]).toEqual([null, '']);
    await page.goto(`${stage.fake.url}/keys?project=prj_search`);
    await switcher(page).waitFor();
    expect(await switcher(page).inputValue()).toBe('prj_search');
    await switcher(page).selectOption({ label: 'All projects' });
    await expect.poll(() => projectOf(page)).toBeNull();
    await page.goto(`${stage.fake.url}/`);
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    expect(projectOf(page)).toBeNull();
  });

  it('says where it does not apply, shows what a link names, and fits a phone', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open(`/accounts?project=${PROJECT}`);
    await switcher(page).waitFor();
    expect(await switcher(page).isDisabled()).toBe(true);
    await page.getByRole('link', { name: 'Overview' }).first().click();
    await expect.poll(() => switcher(page).inputValue()).toBe(PROJECT);
    const phone = await stage.open('/budgets?project=prj_gone', { width: 360 });
    await switcher(phone).waitFor();
    expect(await switcher(phone).inputValue()).toBe('prj_gone');
    expect(await sidewaysOverflow(phone)).toBe(0);
    const several = await stage.open('/?project=prj_search,prj_default');
    await switcher(several).waitFor();
    expect(await switcher(several).locator('option:checked').textContent()).toBe('2 projects');
  });
});
