import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '@tallygate/server/kernel/secret';
import { openKeyring } from '@tallygate/server/vault/open-keyring';
import { createVaultKeeper } from '@tallygate/server/vault/vault-keeper';
import { type AdminWorld, MASTER_KEY, OWNER, startAdminWorld } from '@tallygate/testkit/admin-world';
import { openTestStore } from '@tallygate/testkit/test-store';
import type { Page } from 'playwright-core';
import { afterEach, expect, it } from 'vitest';
import { describeInBrowser, type Stage, sidewaysOverflow } from './stage.ts';

let world: AdminWorld | null = null;
afterEach(async () => {
  await world?.close();
  world = null;
});

async function start(stage: Stage): Promise<AdminWorld> {
  world = await startAdminWorld(await openTestStore(), { dashboardDir: stage.dist });
  await world.setUp();
  return world;
}

async function signIn(page: Page, name: string = OWNER.username): Promise<void> {
  await page.getByLabel('User name').fill(name);
  await page.getByRole('textbox', { name: 'Password' }).fill(OWNER.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

describeInBrowser('the vault (CF-13)', (stage) => {
  it('shows which keys seal what, makes a new one, and says where the master key is', async () => {
    const made = await start(stage);
    const account = { provider: 'anthropic', name: 'main', apiKey: 'sk-ant-for-the-vault-screen' };
    await made.call('/api/accounts', { local: true, body: account });
    const page = await stage.visit(`${made.url}/vault`);
    await signIn(page);
    const before = (await made.deps.keeper.status()).dataKeys[0]?.id ?? '';
    await page.getByRole('rowheader', { name: before }).waitFor();
    await page.getByText('the environment of the server', { exact: false }).waitFor();
    await page.getByText('tallygate vault rotate-master-key --new-key-env NEW_MASTER_KEY').waitFor();
    await page.getByRole('button', { name: 'New data key' }).click();
    await page.getByRole('button', { name: 'Make it and seal everything' }).click();
    await page.getByText('sealed with the new data key', { exact: false }).waitFor();
    const after = (await made.deps.keeper.status()).dataKeys.find(({ active }) => active);
    expect(after?.id).not.toBe(before);
    expect(after?.values).toBeGreaterThan(0);
    await page.getByRole('rowheader', { name: `${after?.id} seals now` }).waitFor();
    await page.getByRole('rowheader', { name: `${before} opens only` }).waitFor();
    expect(await page.content()).not.toContain(account.apiKey);
    const { json } = await made.call('/api/audit', { local: true });
    expect(JSON.stringify(json.entries)).toContain('POST /api/vault/rotate-data-key');
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await sidewaysOverflow(page)).toBe(0);
  });

  it('whoever may look and not operate sees no button; whoever may neither sees no tab', async () => {
    const made = await start(stage);
    await made.join('auditor', 'otto');
    const page = await stage.visit(`${made.url}/vault`);
    await signIn(page, 'otto');
    await page.getByRole('heading', { name: 'Data keys' }).waitFor();
    expect(await page.getByRole('button', { name: 'New data key' }).count()).toBe(0);
    await page.getByRole('link', { name: 'Access', exact: true }).click();
    await page.getByRole('rowheader', { name: 'Default' }).waitFor();
    expect(await page.getByRole('button', { name: /^Actions for/ }).count()).toBe(0);
    expect(await page.getByRole('link', { name: 'Incident' }).count()).toBe(0);
  });
});

const SIZES = [
  { width: 1440, height: 900, dark: false },
  { width: 1440, height: 900, dark: true },
  { width: 390, height: 800, dark: false },
  { width: 390, height: 800, dark: true },
];
const ACCOUNT = { provider: 'anthropic', name: 'main', apiKey: 'sk-ant-for-the-master-key-dialog' };

/** Opens the credential as a server would that is started over the same store. */
async function openedAfterStart(
  { deps }: AdminWorld,
  master: { path: string; fromEnvironment: Secret | null },
): Promise<string> {
  const { store } = deps;
  const parts = { storage: store.vault, settings: store.config, nowMs: deps.clock.now(), randomBytes };
  const { keyring } = await openKeyring({ ...parts, ...master });
  const [row] = await store.config.listAccounts(null);
  const at = { table: 'account', row: row?.id ?? '', column: 'credential' };
  return keyring.open(row?.sealedCredential ?? '', at).reveal();
}

async function changeMasterKey(page: Page, action: string): Promise<void> {
  await page.getByRole('button', { name: 'Change the master key', exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Your password').fill('not my password at all');
  await dialog.getByRole('button', { name: action }).click();
  await dialog.getByText('The password is wrong.').waitFor();
  await dialog.getByLabel('Your password').fill(OWNER.password);
  await dialog.getByRole('button', { name: action }).click();
}

describeInBrowser('the master key, changed from the screen (CF-13)', (stage) => {
  it('of the environment: shown once, waits for a restart, can be taken back, and is nowhere afterwards', async () => {
    const made = await start(stage);
    await made.call('/api/accounts', { local: true, body: ACCOUNT });
    const page = await stage.visit(`${made.url}/vault`);
    await signIn(page);
    await changeMasterKey(page, 'Make a new key');
    const shown = page.getByRole('dialog', { name: 'The new master key' });
    const newKey = (await shown.locator('pre').textContent()) ?? '';
    expect(Buffer.from(newKey, 'base64')).toHaveLength(32);
    await page.getByText('waits for a restart', { exact: false }).waitFor(); // the screen behind has been read anew
    await look(page, 'vault-new-key');
    await page.keyboard.press('Escape'); // somebody who has not stored it yet
    await shown.getByRole('button', { name: 'I stored it' }).click();
    await expect.poll(() => page.content()).not.toContain(newKey);
    await look(page, 'vault-waits');
    expect(await page.getByRole('button', { name: 'Change the master key', exact: true }).count()).toBe(0);
    const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
    const { text } = await made.call('/api/audit', { local: true });
    for (const place of [kept, text, ...made.logs]) expect(place).not.toContain(newKey);
    await page.getByRole('button', { name: 'Take it back' }).click();
    await page.getByRole('dialog').getByLabel('Your password').fill(OWNER.password);
    await page.getByRole('dialog').getByRole('button', { name: 'Take it back' }).click();
    await page.getByText('Taken back. The present master key stays.').waitFor();
    await page.getByRole('button', { name: 'Change the master key', exact: true }).waitFor();
    const present = { path: 'none', fromEnvironment: new Secret(MASTER_KEY) };
    expect(await openedAfterStart(made, present)).toBe(ACCOUNT.apiKey);
    await changeMasterKey(page, 'Make a new key');
    const second = (await shown.locator('pre').textContent()) ?? '';
    expect(second).not.toBe(newKey);
    const next = { path: 'none', fromEnvironment: new Secret(second) };
    expect(await openedAfterStart(made, next)).toBe(ACCOUNT.apiKey);
    await page.setViewportSize({ width: 390, height: 800 });
    expect(await sidewaysOverflow(page)).toBe(0);
  });

  it('of the environment, on a page that came over plain HTTP: the command and why, and no button', async () => {
    const made = await start(stage);
    const page = await stage.visit(`${made.url}/vault`);
    await signIn(page);
    await page.getByRole('button', { name: 'Change the master key', exact: true }).waitFor();
    // What the browser says of a page of another machine; this one is on a loopback address.
    await page.addInitScript(() => Object.defineProperty(window, 'isSecureContext', { value: false }));
    await page.reload();
    await page.getByText('This page came over plain HTTP', { exact: false }).waitFor();
    await page.getByText('tallygate vault rotate-master-key --new-key-env NEW_MASTER_KEY').waitFor();
    const button = page.getByRole('button', { name: 'Change the master key', exact: true });
    expect(await button.count()).toBe(0);
  });

  it('in a file: the server makes another, keeps the old one beside it, and shows no key', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'tallygate-vault-screen-'));
    try {
      const path = join(dir, 'master.key');
      writeFileSync(path, Buffer.from(MASTER_KEY, 'base64'), { mode: 0o600 });
      const store = await openTestStore();
      const nowMs = Date.UTC(2026, 10, 20);
      const parts = {
        storage: store.vault,
        settings: store.config,
        path,
        fromEnvironment: null,
        randomBytes,
      };
      const opened = await openKeyring({ ...parts, nowMs });
      const keeper = createVaultKeeper({ ...parts, ...opened, clock: { now: () => nowMs } });
      world = await startAdminWorld(store, { dashboardDir: stage.dist, vault: opened.keyring, keeper });
      await world.setUp();
      await world.call('/api/accounts', { local: true, body: ACCOUNT });
      const before = (await keeper.status()).masterKey.id;
      const page = await stage.visit(`${world.url}/vault`);
      await signIn(page);
      await changeMasterKey(page, 'Change it');
      const done = page.getByRole('dialog', { name: 'The master key is changed' });
      await done.getByText(`master.key.${before}`, { exact: false }).waitFor();
      await look(page, 'vault-changed');
      expect(readdirSync(dir).sort()).toEqual(['master.key', `master.key.${before}`]);
      await done.getByRole('button', { name: 'Understood' }).click();
      const after = (await keeper.status()).masterKey.id;
      expect(after).not.toBe(before);
      await page.getByText(after).waitFor();
      expect(await openedAfterStart(world, { path, fromEnvironment: null })).toBe(ACCOUNT.apiKey);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  it.each(SIZES)('fits a page of $width px (dark: $dark)', async (size) => {
    const page = await stage.open('/vault', size);
    await page.getByRole('button', { name: 'Change the master key', exact: true }).waitFor();
    await look(page, `vault-${size.width}-${size.dark ? 'dark' : 'light'}`);
    expect(await sidewaysOverflow(page)).toBe(0);
    await page.getByRole('button', { name: 'Change the master key', exact: true }).click();
    await page.getByRole('dialog').getByText('The old file is kept beside it', { exact: false }).waitFor();
    await look(page, `vault-dialog-${size.width}-${size.dark ? 'dark' : 'light'}`);
  });
});

/** Screenshots for the eye, where a folder for them is named. */
async function look(page: Page, name: string): Promise<void> {
  const dir = process.env.SCREENSHOTS;
  if (dir !== undefined) await page.screenshot({ path: `${dir}/${name}.png`, fullPage: true });
}

describeInBrowser('checks of the installation (CF-13)', (stage) => {
  it('are run from the screen, say what to do, and stay as the last run', async () => {
    const made = await start(stage);
    const page = await stage.visit(`${made.url}/checks`);
    await signIn(page);
    await page.getByText('Nobody has run the checks yet').waitFor();
    await look(page, 'checks-none');
    await page.getByRole('button', { name: 'Run the checks' }).click();
    await page.getByText(/\d+ checks made: /).waitFor();
    const safety = page.getByRole('region', { name: 'Is it safe' });
    await expect.poll(() => safety.getByRole('listitem').first().textContent()).toMatch(/^fails/);
    await safety.getByText('1 of 1 people sign in with a password alone').waitFor();
    await safety.getByText('Remedy: Set one up under My security', { exact: false }).waitFor();
    await page.getByRole('region', { name: 'Is it in order' }).getByText('The clock was set back.').waitFor();
    await page.reload();
    await page.getByText(`by ${OWNER.username}.`, { exact: false }).waitFor();
    await made.makeKey(['admin']);
    await page.getByRole('button', { name: 'Run again' }).click();
    await safety.getByText('These keys may do everything and never expire', { exact: false }).waitFor();
    expect(await page.getByRole('link', { name: 'Checks', exact: true }).count()).toBe(1);
  });

  it('are no business of whoever may only look', async () => {
    const made = await start(stage);
    await made.join('auditor', 'otto');
    const page = await stage.visit(`${made.url}/vault`);
    await signIn(page, 'otto');
    await page.getByRole('heading', { name: 'Data keys' }).waitFor();
    expect(await page.getByRole('link', { name: 'Checks', exact: true }).count()).toBe(0);
  });

  it.each(SIZES)('fit a page of $width px (dark: $dark)', async (size) => {
    const page = await stage.open('/checks', size);
    await page.getByText('Other users of this machine', { exact: false }).waitFor();
    await look(page, `checks-${size.width}-${size.dark ? 'dark' : 'light'}`);
    expect(await sidewaysOverflow(page)).toBe(0);
  });
});

describeInBrowser('who may come from where (CF-13)', (stage) => {
  it('shows what the server was started with, and changes the addresses of a workspace', async () => {
    const made = await start(stage);
    const page = await stage.visit(`${made.url}/access`, { width: 390, height: 800 });
    await signIn(page);
    await page.getByText('ADMIN_ALLOWED_ADDRESSES').waitFor();
    await page.getByText('Nobody signs in through an identity provider yet', { exact: false }).waitFor();
    await page.getByRole('button', { name: 'Actions for Default' }).click();
    await page.getByRole('menuitem', { name: 'Allowed addresses' }).click();
    const field = page.getByLabel('Addresses and ranges, one a line');
    await field.fill('the office');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect.poll(() => field.getAttribute('aria-invalid')).toBe('true');
    await field.fill('127.0.0.0/8\n2001:db8::/32');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('127.0.0.0/8, 2001:db8::/32').waitFor();
    const [workspace] = await made.deps.store.config.listWorkspaces();
    expect(workspace?.allowedAddresses).toEqual(['127.0.0.0/8', '2001:db8::/32']);
    expect(await sidewaysOverflow(page)).toBe(0);
  });

  it('makes a workspace, lets somebody in, and renames it', async () => {
    const made = await start(stage);
    await made.join('viewer', 'vera');
    const page = await stage.visit(`${made.url}/access`);
    await signIn(page);
    await page.getByRole('button', { name: 'New workspace' }).click();
    await page.getByLabel('Short name').fill('Not a slug');
    await page.getByRole('button', { name: 'Make workspace' }).click();
    await expect.poll(() => page.getByLabel('Short name').getAttribute('aria-invalid')).toBe('true');
    await page.getByLabel('Name', { exact: true }).fill('Applied research');
    await page.getByLabel('Short name').fill('research');
    await page.getByRole('button', { name: 'Make workspace' }).click();
    await page.getByRole('rowheader', { name: 'Applied research' }).waitFor();
    await page.getByRole('button', { name: 'Actions for Applied research' }).click();
    await page.getByRole('menuitem', { name: 'Add somebody' }).click();
    await page.getByLabel('User name').fill('nobody');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('names nobody who can sign in', { exact: true }).waitFor();
    await page.getByLabel('User name').fill('vera');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('Added. They can look at it from now on.').waitFor();
    await page.getByRole('button', { name: 'Actions for Applied research' }).click();
    await page.getByRole('menuitem', { name: 'Rename' }).click();
    await page.getByLabel('Name', { exact: true }).fill('Research');
    await page.getByRole('button', { name: 'Rename' }).click();
    await page.getByRole('rowheader', { name: 'Research', exact: true }).waitFor();
    const all = await made.deps.store.config.listWorkspaces();
    const second = all.find(({ slug }) => slug === 'research');
    const vera = await made.deps.store.identity.findUserByName('vera');
    const rows = await made.deps.store.people.listMemberships(vera?.id ?? '');
    expect(rows.map(({ workspaceId, role }) => [workspaceId === second?.id, role])).toContainEqual([
      true,
      'developer',
    ]);
  });
});
