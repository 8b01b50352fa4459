import { type AdminWorld, OWNER } from '@tallygate/testkit/admin-world';
import type { CDPSession, Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { adminStage, signIn } from './admin-stage.ts';
import { describeInBrowser, type Stage, sidewaysOverflow } from './stage.ts';

const startWorld = adminStage();

/** Under a name: browsers make no passkeys for an address. */
async function start(stage: Stage): Promise<{ url: string; world: AdminWorld }> {
  const world = await startWorld(stage);
  return { url: `http://localhost:${world.port}`, world };
}

interface Device {
  session: CDPSession;
  authenticatorId: string;
}

/** A phone in software: Chromium's own, which checks its holder and answers at once. */
async function withDevice(page: Page): Promise<Device> {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return { session, authenticatorId };
}

async function signOut(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Account menu of maria' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
}

/** Through My security, to the end; recovery codes come with the first one. */
async function addPasskey(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('textbox', { name: 'Name' }).fill(name);
  await dialog.getByRole('textbox', { name: 'Your password' }).fill(OWNER.password);
  await dialog.getByRole('button', { name: 'Continue' }).click();
}

describeInBrowser('passkeys (CF-13)', (stage) => {
  it('adds one, signs in with it alone and as the second step, renames and removes it', async () => {
    const { url } = await start(stage);
    const page = await stage.visit(`${url}/my-security`);
    await withDevice(page);
    await signIn(page);
    await addPasskey(page, 'Maria’s phone');
    await page.getByRole('button', { name: 'Copy: the recovery codes' }).waitFor();
    await page.getByRole('button', { name: 'I stored them' }).click();
    await page.getByText('On, with 1 passkey. 10 recovery codes left.').waitFor();

    await signOut(page);
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.getByRole('button', { name: 'Account menu of maria' }).waitFor();

    await signOut(page);
    await signIn(page);
    await page.getByRole('heading', { name: 'The second step' }).waitFor();
    await page.getByRole('button', { name: 'Show a passkey' }).click();
    await page.getByRole('button', { name: 'Account menu of maria' }).waitFor();

    await page.goto(`${url}/people`);
    await page.getByRole('row', { name: /maria.*owner.*1 passkey/ }).waitFor();
    await page.goto(`${url}/my-security`);
    await page.getByRole('button', { name: 'Actions for Maria’s phone' }).click();
    await page.getByRole('menuitem', { name: 'Rename' }).click();
    await page.getByRole('dialog').getByRole('textbox', { name: 'Name' }).fill('Old phone');
    await page.getByRole('dialog').getByRole('button', { name: 'Rename' }).click();
    await page.getByRole('button', { name: 'Actions for Old phone' }).click();
    await page.getByRole('menuitem', { name: 'Remove' }).click();
    await page.getByRole('dialog').getByRole('textbox', { name: 'Your password' }).fill(OWNER.password);
    await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
    await page.getByText('With a passkey you sign in by finger', { exact: false }).waitFor();

    await signOut(page);
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.getByText('This passkey was not accepted', { exact: false }).waitFor();
  });

  it('says what was wrong when the browser makes none, and when the device has one already', async () => {
    const { url, world: made } = await start(stage);
    const page = await stage.visit(`${url}/my-security`);
    const device = await withDevice(page);
    await signIn(page);
    await addPasskey(page, 'first');
    await page.getByRole('button', { name: 'I stored them' }).click();
    await addPasskey(page, 'second');
    await page.getByText('This device has a passkey for your account already.').waitFor();
    await device.session.send('WebAuthn.setUserVerified', { ...device, isUserVerified: false });
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    await signOut(page);
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.getByText('The browser showed no passkey', { exact: false }).waitFor();
    const [user] = await made.deps.store.people.listMembers(made.deps.firstWorkspaceId);
    expect(user?.passkeys).toBe(1);
  });

  it('leads on where an address has no name, and fits a phone in the dark', async () => {
    const { url, world: made } = await start(stage);
    const plain = await stage.visit(`${made.url}/my-security`, { width: 360, height: 740, dark: true });
    await signIn(plain);
    await plain
      .getByText(`Open http://localhost:${made.port}/my-security instead.`, { exact: false })
      .waitFor();
    const page = await stage.visit(`${url}/my-security`, { width: 360, height: 740, dark: true });
    await withDevice(page);
    await signIn(page);
    await addPasskey(page, 'A passkey with a name that is rather long for a phone');
    await page.getByRole('button', { name: 'I stored them' }).click();
    await page.getByRole('button', { name: /Actions for A passkey/ }).waitFor();
    expect(await sidewaysOverflow(page)).toBe(0);
  });
});
