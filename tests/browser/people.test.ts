import { hotp } from '@tallygate/server/identity/totp';
import { OWNER } from '@tallygate/testkit/admin-world';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { adminStage, signIn } from './admin-stage.ts';
import { describeInBrowser, sidewaysOverflow } from './stage.ts';

const PASSWORD = 'seven quiet otters paddle';
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

const start = adminStage();

function codeOf(secret: string, nowMs: number): string {
  const bits = [...secret].map((char) => BASE32.indexOf(char).toString(2).padStart(5, '0')).join('');
  const bytes = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  return hotp(bytes, Math.floor(nowMs / 30_000));
}

/** Through My security, to the end. @returns the secret */
async function setUpSecondFactor(page: Page, password: string, nowMs: number): Promise<string> {
  await page.getByRole('button', { name: 'Set up' }).click();
  await page.getByRole('dialog').getByRole('textbox', { name: 'Your password' }).fill(password);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('img', { name: 'QR code of the secret' }).waitFor();
  await page.getByRole('button', { name: 'Copy: the secret' }).click();
  const secret = await page.evaluate(() => navigator.clipboard.readText());
  await page.getByLabel('Code of the app').fill(codeOf(secret, nowMs));
  await page.getByRole('button', { name: 'Confirm' }).click();
  await page.getByRole('button', { name: 'Copy: the recovery codes' }).waitFor();
  return secret;
}

describeInBrowser('people (CF-14)', (stage) => {
  it('invites somebody, who joins, sees what their role carries, and is managed', async () => {
    const { url } = await start(stage);
    const owner = await stage.visit(`${url}/people`);
    await signIn(owner);
    await owner.getByRole('region', { name: 'Users' }).getByRole('rowheader', { name: 'maria' }).waitFor();
    await owner.getByRole('button', { name: 'Invite' }).click();
    await owner.getByLabel('For whom').fill('Mira, support');
    await owner.getByRole('button', { name: 'Make the link' }).click();
    await owner.getByRole('button', { name: 'Copy: the link' }).click();
    const link = await owner.evaluate(() => navigator.clipboard.readText());
    await owner.getByRole('button', { name: 'I copied it' }).click();
    await owner.getByRole('rowheader', { name: 'Mira, support' }).waitFor();

    const mira = await stage.visit(link);
    await mira.getByText('You join as developer.', { exact: false }).waitFor();
    expect(mira.url()).toBe(`${url}/join`);
    await mira.getByLabel('User name').fill('maria');
    await mira.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
    await mira.getByRole('button', { name: 'Join' }).click();
    await mira.getByText('A user with that name exists. Choose another.').waitFor();
    await mira.getByLabel('User name').fill('mira');
    await mira.getByRole('button', { name: 'Join' }).click();
    await mira.getByRole('button', { name: 'Account menu of mira' }).waitFor();
    const places = mira.getByRole('navigation').first().getByRole('link');
    await expect.poll(() => places.allInnerTexts()).toEqual(['Overview', 'Requests', 'Budgets', 'Alerts']);
    // Whoever may not see the findings still gets to their own security.
    await mira.getByRole('button', { name: 'Account menu of mira' }).click();
    await mira.getByRole('menuitem', { name: 'My security' }).click();
    await mira.getByRole('heading', { name: 'My security' }).waitFor();

    await owner.reload();
    await owner.getByRole('button', { name: 'Actions for mira' }).click();
    await owner.getByRole('menuitem', { name: 'Disable' }).click();
    await owner.getByRole('dialog').getByRole('button', { name: 'Disable' }).click();
    await owner.getByRole('rowheader', { name: /mira.*disabled/ }).waitFor();
    await mira.reload();
    await mira.getByRole('button', { name: 'Sign in' }).waitFor();

    await owner.getByRole('button', { name: 'Actions for maria' }).click();
    await owner.getByRole('menuitem', { name: 'Remove' }).click();
    await owner.getByLabel(/to confirm/).fill('maria');
    await owner.getByRole('button', { name: 'Remove user' }).click();
    await owner.getByText('This is the last owner who can sign in.', { exact: false }).waitFor();
  });

  it('shows who is signed in where and by what, and ends one session alone', async () => {
    const { url, clock } = await start(stage);
    // The list is sorted by last use: sessions of one moment would stand in any order.
    clock.ms += 1000;
    const page = await stage.visit(`${url}/people`);
    await signIn(page);
    await page.getByRole('button', { name: 'Account menu of maria' }).waitFor();
    clock.ms += 1000;
    const other = await stage.visit(`${url}/people`);
    await signIn(other);
    const sessions = other.getByRole('region', { name: 'Sessions' });
    await sessions.getByRole('row', { name: /maria this one password/ }).waitFor();
    expect(await sessions.getByRole('button', { name: /^End the session of maria/ }).count()).toBe(2);
    await other.getByRole('row', { name: /maria owner password; no second factor/ }).waitFor();
    await page.reload();
    await sessions
      .getByRole('row', { name: /password/ })
      .nth(1)
      .getByRole('button')
      .click();
    await expect.poll(() => sessions.getByRole('button').count()).toBe(1);
    await page.reload();
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    await other.getByRole('row', { name: /maria this one/ }).waitFor();
  });

  it('makes a role of one’s own, and says when a link does not work', async () => {
    const { url } = await start(stage);
    const page = await stage.visit(`${url}/people`);
    await signIn(page);
    await page.getByRole('button', { name: 'New role' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: 'Name' }).fill('price-keeper');
    await dialog.getByLabel('Set own prices').check();
    await dialog.getByRole('button', { name: 'Make role' }).click();
    await page.getByRole('row', { name: /price-keeper.*prices\.manage/ }).waitFor();
    const stranger = await stage.visit(`${url}/join#code=nonsense`);
    await stranger.getByText('This link does not work').waitFor();
  });

  it('fits a phone, in the dark', async () => {
    const { url } = await start(stage);
    const page = await stage.visit(`${url}/people`, { width: 360, height: 740, dark: true });
    await signIn(page);
    await page.getByRole('rowheader', { name: 'auditor' }).waitFor();
    expect(await sidewaysOverflow(page)).toBe(0);
    await page.goto(`${url}/my-security`);
    await page.getByRole('rowheader', { name: /this one/ }).waitFor();
    expect(await sidewaysOverflow(page)).toBe(0);
  });
});

describeInBrowser('my security (CF-13)', (stage) => {
  it('sets a second factor up and signs in with it, in two steps', async () => {
    const { url, clock } = await start(stage);
    const page = await stage.visit(`${url}/my-security`);
    await signIn(page);
    const secret = await setUpSecondFactor(page, OWNER.password, clock.ms);
    await page.getByRole('button', { name: 'I stored them' }).click();
    await page.getByText('10 recovery codes left', { exact: false }).waitFor();
    await page.getByRole('button', { name: 'Account menu of maria' }).click();
    await page.getByRole('menuitem', { name: 'Sign out' }).click();
    await signIn(page);
    await page.getByLabel('Code').fill('000000');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('That code is wrong', { exact: false }).waitFor();
    clock.ms += 30_000;
    await page.getByLabel('Code').fill(codeOf(secret, clock.ms));
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('button', { name: 'Account menu of maria' }).waitFor();
  });

  it('leads whoever needs a second factor to set one up, and then opens the rest', async () => {
    const { url, clock, call, join } = await start(stage);
    await join('developer', 'mira');
    await call('/api/security/second-factor', {
      method: 'PATCH',
      local: true,
      body: { roles: ['developer'] },
    });
    const page = await stage.visit(`${url}/requests`);
    await signIn(page, { username: 'mira' });
    await page.getByText('Your role needs a second factor.', { exact: false }).waitFor();
    expect(new URL(page.url()).pathname).toBe('/my-security');
    await setUpSecondFactor(page, OWNER.password, clock.ms);
    await page.getByRole('button', { name: 'I stored them' }).click();
    await page.getByRole('link', { name: 'Requests' }).first().click();
    await page.getByRole('heading', { name: 'Requests', exact: true }).waitFor();
  });

  it('changes the password and ends other sessions', async () => {
    const { url, signIn: another, call } = await start(stage);
    const other = await another();
    const page = await stage.visit(`${url}/my-security`);
    await signIn(page);
    await page
      .getByRole('button', { name: /^End the session from/ })
      .first()
      .click();
    await page.getByText('Signed out there.').waitFor();
    await page.getByRole('textbox', { name: 'Current password' }).fill('wrong');
    await page.getByRole('textbox', { name: 'New password' }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Change password' }).click();
    await page.getByText('The password is wrong.').waitFor();
    await page.getByRole('textbox', { name: 'Current password' }).fill(OWNER.password);
    await page.getByRole('button', { name: 'Change password' }).click();
    await page.getByText('Password changed.', { exact: false }).waitFor();
    expect((await call('/api/auth/me', { headers: other.headers })).status).toBe(401);
  });
});
