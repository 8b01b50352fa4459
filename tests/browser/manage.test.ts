import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { describeInBrowser, sidewaysOverflow } from './stage.ts';

/** Screenshots for the eye, where a folder for them is named. */
async function look(page: Page, name: string): Promise<void> {
  const dir = process.env.SCREENSHOTS;
  if (dir !== undefined) await page.screenshot({ path: `${dir}/${name}.png` });
}

describeInBrowser('keys', (stage) => {
  it('shows a new key once, with snippets, and never again (TW-05)', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/dashboard/api-keys');
    await page.waitForURL('**/keys');
    await page.getByRole('button', { name: 'Create key' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Create key' }).click();
    await expect.poll(() => dialog.getByLabel('Name').getAttribute('aria-invalid')).toBe('true');
    await dialog.getByLabel('Name').fill('Mira, laptop');
    await dialog.getByRole('button', { name: 'Create key' }).click();
    await dialog.getByText('That name is in use.').waitFor();
    await dialog.getByLabel('Name').fill('new client');
    await dialog.getByRole('button', { name: 'Create key' }).click();
    await page.getByRole('button', { name: 'Copy: the new key' }).click();
    const key = await page.evaluate(() => navigator.clipboard.readText());
    expect(key).toMatch(/^tg_\w{40,}$/);
    await page.getByRole('button', { name: 'TypeScript, OpenAI' }).click();
    await page.getByRole('button', { name: 'Copy: TypeScript, OpenAI snippet' }).click();
    const snippet = await page.evaluate(() => navigator.clipboard.readText());
    expect(snippet).toContain(`baseURL: '${stage.fake.url}/v1', apiKey: '${key}'`);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'I stored it' }).click();
    await page.getByRole('rowheader', { name: 'new client' }).waitFor();
    await expect.poll(async () => (await page.content()).includes(key)).toBe(false);
  });

  it('revokes a key only when its name is typed, and says what it means', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/keys');
    await page.getByRole('button', { name: 'Actions for search indexer' }).click();
    await page.getByRole('menuitem', { name: 'Revoke' }).click();
    const confirm = page.getByRole('button', { name: 'Revoke key' });
    expect(await confirm.isDisabled()).toBe(true);
    await page.getByText(/fail with 401 from now on/).waitFor();
    await page.getByLabel(/to confirm/).fill('search indexer');
    await confirm.click();
    await page.getByText('Key revoked. Requests with it fail from now on.').waitFor();
    await page.getByRole('rowheader', { name: /search indexer.*revoked/ }).waitFor();
  });

  it('renames a key', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/keys');
    await page.getByRole('button', { name: 'Actions for evals runner' }).click();
    await page.getByRole('menuitem', { name: 'Rename' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('nightly evals');
    await page.getByRole('button', { name: 'Rename' }).click();
    await page.getByRole('rowheader', { name: 'nightly evals' }).waitFor();
  });

  it('rotates a key: shows the new secret once and says how long the old one works (TW-05)', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/keys');
    await page.getByRole('button', { name: 'Actions for evals runner' }).click();
    await page.getByRole('menuitem', { name: 'Rotate' }).click();
    await page.getByText(/it is the same key/).waitFor();
    await page.getByRole('button', { name: 'Rotate key' }).click();
    await page.getByRole('button', { name: 'Copy: the new key' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^tg_r0T4/);
    await page.getByRole('button', { name: 'I stored it' }).click();
    await page.getByText(/tg_\w+… ends/).waitFor();
  });

  it('limits a key, and says which field is wrong (CF-13)', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/keys');
    await page.getByRole('button', { name: 'Actions for evals runner' }).click();
    await page.getByRole('menuitem', { name: 'Limits' }).click();
    await page.getByLabel('Client addresses').fill('10.0.0.0/40');
    await page.getByRole('button', { name: 'Save limits' }).click();
    await expect.poll(() => page.getByLabel('Client addresses').getAttribute('aria-invalid')).toBe('true');
    await page.getByLabel('Client addresses').fill('10.0.0.0/8, 192.0.2.1');
    await page.getByRole('button', { name: 'Save limits' }).click();
    await page.getByText('Limits saved.').waitFor();
    await page.getByText('limited', { exact: true }).waitFor();
  });
});

describeInBrowser('accounts', (stage) => {
  it('adds, tests, pauses and removes an account', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/accounts');
    await page.getByRole('button', { name: 'Add account' }).click();
    await page.getByRole('button', { name: /Groq/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Add account' }).click();
    await page.getByText('Groq needs a key.').waitFor();
    await page.getByLabel('API key', { exact: true }).fill('gsk-a-key-that-must-fail');
    await page.getByRole('dialog').getByRole('button', { name: 'Add account' }).click();
    await page.getByRole('rowheader', { name: 'Groq' }).waitFor();
    await page.getByRole('button', { name: 'Test Groq' }).click();
    await page.getByText(/The upstream refused the credential \(401\)/).waitFor();
    await page.getByRole('button', { name: 'Actions for Groq' }).click();
    await page.getByRole('menuitem', { name: 'Pause' }).click();
    await page.getByRole('rowheader', { name: /Groq.*paused/ }).waitFor();
    await page.getByRole('button', { name: 'Actions for Groq' }).click();
    await page.getByRole('menuitem', { name: 'Resume' }).click();
    await page.getByRole('rowheader', { name: 'Groq', exact: true }).waitFor();
    await page.getByRole('button', { name: 'Actions for Groq' }).click();
    await page.getByRole('menuitem', { name: 'Remove' }).click();
    await page.getByLabel(/to confirm/).fill('Groq');
    await page.getByRole('button', { name: 'Remove account' }).click();
    await expect.poll(() => page.getByRole('rowheader', { name: 'Groq' }).count()).toBe(0);
  });

  it('takes pinned public keys, refuses what is none, and shows and changes them later', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/accounts');
    const dialog = page.getByRole('dialog');
    const pin = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';
    const next = 'n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=';
    await page.getByRole('button', { name: 'Add account' }).click();
    await page.getByRole('button', { name: /Groq/ }).click();
    await page.getByLabel('API key', { exact: true }).fill('gsk-a-key-4711');
    await dialog.getByRole('button', { name: /pinned keys/ }).click();
    const pins = dialog.getByLabel('Pinned public keys');
    await pins.fill(`sha256//${pin}\nnot-a-pin`);
    await dialog.getByRole('button', { name: 'Add account' }).click();
    await dialog.getByText(/must be a SHA-256 in base64/i).waitFor();
    await look(page, 'account-pins');
    await pins.fill(`sha256//${pin}\n${next}`);
    const made = page.waitForRequest((request) => request.method() === 'POST');
    await dialog.getByRole('button', { name: 'Add account' }).click();
    expect((await made).postDataJSON()).toMatchObject({ pinSha256: [pin, next] });
    await page.getByRole('button', { name: 'Actions for Groq' }).click();
    await page.getByRole('menuitem', { name: 'Edit' }).click();
    expect(await pins.inputValue()).toBe(`${pin}\n${next}`);
    await pins.fill('');
    const changed = page.waitForRequest((request) => request.method() === 'PATCH');
    await dialog.getByRole('button', { name: 'Save' }).click();
    expect((await changed).postDataJSON()).toMatchObject({ pinSha256: [] });
  });

  it('explains a private upstream before it is allowed', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/accounts');
    await page.getByRole('button', { name: 'Add account' }).click();
    await page.getByRole('button', { name: /Any other/ }).click();
    expect(await page.getByRole('checkbox').count()).toBe(0);
    await page.getByLabel('Base URL').fill('http://10.0.0.7:8000/v1');
    await page.getByRole('checkbox', { name: /private network/ }).check();
    await page.getByRole('textbox', { name: 'Name' }).fill('rack');
    await page.getByRole('dialog').getByRole('button', { name: 'Add account' }).click();
    await page.getByRole('rowheader', { name: 'rack' }).waitFor();
  });
});

describeInBrowser('who an account serves (CF-02)', (stage) => {
  it('is chosen by name, for projects and keys, and kept', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/accounts');
    const edit = async () => {
      await page.getByRole('button', { name: 'Actions for OpenAI' }).click();
      await page.getByRole('menuitem', { name: 'Edit' }).click();
    };
    await edit();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('combobox', { name: 'Only for keys' }).fill('evals');
    await page.getByRole('option', { name: 'evals runner' }).click();
    await page.keyboard.press('Tab');
    await look(page, 'account-bindings');
    const sent = page.waitForRequest((request) => request.method() === 'PATCH');
    await dialog.getByRole('button', { name: 'Save' }).click();
    const { boundTo } = (await sent).postDataJSON() as { boundTo: string[] };
    expect(boundTo).toEqual([expect.stringMatching(/^key:/)]);
    await edit();
    await dialog.getByText('evals runner').waitFor();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
  });
});

describeInBrowser('pools and rules (CF-05, CF-09)', (stage) => {
  it('makes a pool, changes its strategy and removes it', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/pools');
    await page.getByRole('rowheader', { name: 'All accounts' }).waitFor();
    await page.getByRole('button', { name: 'Make a pool' }).click();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('fast');
    await page.getByRole('dialog').getByRole('checkbox').first().check();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('rowheader', { name: 'fast' }).waitFor();
    await page.getByLabel('How accounts of fast are chosen').selectOption('lowest-latency');
    await page.getByText(/fast: fastest, from the next request on/).waitFor();
    await page.getByRole('button', { name: 'Remove fast' }).click();
    await page.getByLabel(/to confirm/).fill('fast');
    await page.getByRole('dialog').getByRole('button', { name: 'Remove pool' }).click();
    await expect.poll(() => page.getByRole('rowheader', { name: 'fast' }).count()).toBe(0);
  });

  it('adds a rule, puts it first, switches it off, and says which one applies to a request', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/rules');
    await page.getByRole('button', { name: 'Add rule' }).click();
    await page.getByRole('textbox', { name: 'Name', exact: true }).fill('no nights');
    await page.getByRole('checkbox', { name: 'Only at certain times' }).check();
    await page.getByLabel('From', { exact: true }).fill('22:00');
    await page.getByLabel('To', { exact: true }).fill('06:00');
    await page.getByRole('checkbox', { name: 'Refuse the request' }).check();
    await page.getByRole('button', { name: 'Save' }).click();
    await expect.poll(() => page.getByLabel('Message').getAttribute('aria-invalid')).toBe('true');
    await page.getByLabel('Message').fill('Come back tomorrow.');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('rowheader', { name: '3. no nights' }).waitFor();
    await page.getByRole('button', { name: 'Try no nights earlier' }).click();
    await page.getByRole('rowheader', { name: '2. no nights' }).waitFor();
    await page.getByRole('checkbox', { name: 'no nights is on' }).click();
    await page.getByText('no nights is off.').waitFor();
    await page.getByRole('button', { name: 'Which rule applies?' }).click();
    await page.getByText(/reviews on the small model.+applies/).waitFor();
    await page.getByText('model: claude-opus-4-1 → claude-haiku-4-5').waitFor();
  });

  it.each([
    { width: 1280, height: 900, dark: false },
    { width: 390, height: 844, dark: true },
  ])(
    'makes a rule in a form, with everything by name, and the same as JSON (CF-09, $width px)',
    async (size) => {
      stage.fake.setScenario('normal');
      const page = await stage.open('/rules', size);
      await page.getByRole('button', { name: 'Add rule' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByRole('textbox', { name: 'Name', exact: true }).fill('cheap evals');
      await dialog.getByRole('combobox', { name: 'Keys' }).fill('evals');
      await page.getByRole('option', { name: 'evals runner' }).click();
      await page.keyboard.press('Tab');
      await dialog.getByLabel('Models asked for').fill('claude-opus-*\ngpt-5*');
      await dialog.getByRole('button', { name: 'Add a header' }).click();
      await dialog.getByLabel('Header 1', { exact: true }).fill('not a name');
      await dialog.getByLabel('Pattern 1', { exact: true }).fill('blue-*');
      await dialog.getByLabel('Ask for this model').fill('claude-haiku-4-5');
      await dialog.getByLabel('Serve it from').selectOption({ label: 'batch' });
      await dialog.getByRole('button', { name: 'Add a fallback' }).click();
      await dialog.getByLabel('Model 1', { exact: true }).fill('claude-sonnet-4-5');
      await dialog.getByRole('button', { name: 'Save' }).click();
      await expect
        .poll(() => dialog.getByLabel('Header 1', { exact: true }).getAttribute('aria-invalid'))
        .toBe('true');
      await expect
        .poll(() => page.evaluate(() => document.activeElement?.getAttribute('aria-label')))
        .toBe('Header 1');
      await look(page, `rule-form-${size.width}`);
      await dialog.getByLabel('Header 1', { exact: true }).fill('x-team');
      await dialog.getByRole('button', { name: 'Edit as JSON' }).click();
      expect(JSON.parse(await dialog.getByLabel('Do this').inputValue())).toEqual({
        model: 'claude-haiku-4-5',
        pool: 'pool1',
        fallbacks: [{ model: 'claude-sonnet-4-5' }],
      });
      await look(page, `rule-json-${size.width}`);
      await dialog.getByLabel('When all of this holds').fill('{ "systemContains": ["two\\nlines"] }');
      await dialog.getByRole('button', { name: 'Edit as a form' }).click();
      await dialog.getByText(/it stays JSON/).waitFor();
      await dialog
        .getByLabel('When all of this holds')
        .fill('{ "keys": ["key_2"], "models": ["claude-opus-*"] }');
      await dialog.getByRole('button', { name: 'Edit as a form' }).click();
      expect(await dialog.getByLabel('Models asked for').inputValue()).toBe('claude-opus-*');
      expect(await sidewaysOverflow(page)).toBe(0);
      await dialog.getByRole('button', { name: 'Save' }).click();
      await page.getByRole('rowheader', { name: '3. cheap evals' }).waitFor();
      await look(page, `rules-${size.width}`);
    },
  );

  it('shows how an account fared and lets its limits be forgotten (NX-12)', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/accounts');
    await page
      .getByRole('button', { name: /^Actions for/ })
      .first()
      .click();
    await page.getByRole('menuitem', { name: 'Details' }).click();
    await page.getByText('Hour by hour').click();
    await page.getByRole('columnheader', { name: 'Failed' }).waitFor();
    await page.getByText(/sessions? came from accounts where their prompt cache was warm/).waitFor();
    await page.getByRole('columnheader', { name: 'Cache lost (USD)' }).waitFor();
    await look(page, 'account-details');
    await page.getByRole('button', { name: 'Forget limits' }).click();
    await page.getByText(/limits of .+ is forgotten/).waitFor();
  });
});

describeInBrowser('projects and environments (TW-20)', (stage) => {
  it('says what each project is for, moves one, makes one, and narrows the figures to an environment', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/keys', { width: 390 });
    await page.getByRole('link', { name: 'Projects' }).click();
    await page.waitForURL('**/projects');
    const first = page.getByRole('combobox', { name: /^Environment of/ }).first();
    await first.click();
    await page.getByRole('option', { name: 'Staging' }).click();
    await page.getByText(/is staging now, with its past\./).waitFor();
    await expect.poll(() => first.inputValue()).toBe('Staging');
    await page.getByRole('button', { name: 'Create project' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Slug').fill('Not A Slug');
    await dialog.getByRole('button', { name: 'Create project' }).click();
    await dialog
      .getByText(/lower-case letters, digits and dashes/i)
      .nth(1)
      .waitFor();
    await dialog.getByLabel('Slug').fill('lab');
    await dialog.getByRole('button', { name: 'Create project' }).click();
    await page.getByRole('row', { name: /lab/ }).waitFor();
    const asked = page.waitForRequest(/\/api\/usage\/totals\?.*environment=staging/);
    await page.goto(`${stage.fake.url}/?environment=staging`);
    await asked;
    await page.getByRole('button', { name: /Remove the filter Environment Staging/ }).waitFor();
  });
});
