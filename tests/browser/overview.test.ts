import type { BreakdownView, TotalsView } from '@tallygate/contract/api/usage';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { formatUsd } from '../../packages/dashboard/src/ui/format/money.ts';
import { describeInBrowser, type Stage } from './stage.ts';

/** Opens the overview and waits for both its figures and the answer they came from. */
async function openWithTotals(stage: Stage, path: string): Promise<{ page: Page; totals: TotalsView }> {
  const page = await stage.open('/keys');
  const answer = page.waitForResponse((response) => response.url().includes('/api/usage/totals'));
  await page.goto(stage.fake.url + path);
  return { page, totals: (await (await answer).json()) as TotalsView };
}
const figure = (page: Page, name: string) =>
  page.getByRole('group', { name: /^Figures/ }).getByRole('button', { name: new RegExp(`^${name}`) });

describeInBrowser('overview', (stage) => {
  it('shows the figures of the API, exactly on hover', async () => {
    stage.fake.setScenario('normal');
    const { page, totals } = await openWithTotals(stage, '/?range=7d');
    const spend = figure(page, 'Spend').locator('data');
    await spend.waitFor();
    expect(await spend.getAttribute('value')).toBe(totals.totals.costUsd);
    expect(await spend.textContent()).toBe(formatUsd(totals.totals.costUsd));
    expect(await figure(page, 'Requests').locator('data').getAttribute('value')).toBe(
      String(totals.totals.requests),
    );
    const tokens = await figure(page, 'Tokens').locator('data').all();
    expect(await Promise.all(tokens.map((one) => one.getAttribute('value')))).toEqual([
      String(totals.totals.totalTokens),
      String(totals.totals.weightedTokens),
    ]);
    expect(await figure(page, 'Spend').textContent()).toMatch(/vs previous 7.days/);
    expect(await figure(page, 'Latency').locator('data').first().getAttribute('value')).toBe(
      String(totals.totals.latency.p50Ms),
    );
    await page.getByText(/not in the spend/).waitFor();
  });

  it('keeps each figure within its tile at every width', async () => {
    stage.fake.setScenario('normal');
    const { page } = await openWithTotals(stage, '/?range=7d');
    await figure(page, 'Latency').locator('data').first().waitFor();
    const beyond: string[] = [];
    for (const width of [320, 390, 640, 641, 768, 900, 901, 1024, 1180, 1181, 1280, 1360, 1361, 1440, 1920]) {
      await page.setViewportSize({ width, height: 900 });
      const wide = await page
        .getByRole('group', { name: /^Figures/ })
        .getByRole('button')
        .evaluateAll((tiles) =>
          tiles.flatMap((tile) => {
            const edge = tile.getBoundingClientRect().right;
            const parts = [...tile.querySelectorAll('*')].filter(
              (part) => part.getBoundingClientRect().right > edge - 4,
            );
            return parts.map((part) => part.textContent ?? '');
          }),
        );
      beyond.push(...wide.map((text) => `${width}: ${text}`));
    }
    expect(beyond.join(' | ')).toBe('');
  });

  it('ranks models by spend, and a click on one narrows the page', async () => {
    stage.fake.setScenario('normal');
    const { page } = await openWithTotals(stage, '/?range=7d');
    const models = page.getByRole('region', { name: 'Models' });
    const answer = await page.request.get(
      `${stage.fake.url}/api/usage/breakdown?${new URLSearchParams({ from: new Date(Date.now() - 7 * 86_400_000).toISOString(), to: new Date().toISOString(), group: 'model' })}`,
    );
    const { rows } = (await answer.json()) as BreakdownView;
    await models.getByRole('button', { name: rows[0]?.label ?? '' }).click();
    await page.waitForURL(`**/?range=7d&model=${rows[0]?.key}`);
    await page.getByRole('button', { name: /Remove the filter Model/ }).click();
    await page.waitForURL('**/?range=7d');
    await models.getByText('unpriced').waitFor();
  });

  it('says who made the bill move, and a click shows only that one', async () => {
    stage.fake.setScenario('normal');
    const { page } = await openWithTotals(stage, '/?range=7d');
    const changed = page.getByRole('region', { name: /What changed against the previous 7.days/ });
    const [first] = await changed.getByRole('button').all();
    expect(await first?.textContent()).toMatch(/^(Model|Key).+[+−]\$[\d.,]+(new|gone|[+−][\d.,]+.%)$/);
    await first?.click();
    await page.waitForURL(/[?&](model|key)=/);
  });

  it('keeps range, metric, split and view in the URL, and restores them', async () => {
    const { page } = await openWithTotals(stage, '/');
    await page.getByRole('button', { name: 'Last 30 days' }).click();
    await figure(page, 'Tokens').click();
    await page.getByRole('button', { name: 'Project', exact: true }).click();
    await page.getByRole('button', { name: 'Table' }).click();
    await page.waitForURL('**/?range=30d&metric=tokens&by=project&view=table');
    await page.reload();
    await page.getByRole('region', { name: 'Figures of the chart' }).getByText('coding-agents').waitFor();
    await page.goBack();
    await page.getByRole('img', { name: /Tokens by project, chart/ }).waitFor();
  });

  it('zooms by a brush over the chart, and back', async () => {
    stage.fake.setScenario('normal');
    const { page } = await openWithTotals(stage, '/');
    const chart = page.locator('.u-over');
    await chart.waitFor();
    const box = await chart.boundingBox();
    if (!box) throw new Error('the chart has no box');
    await page.mouse.move(box.x + box.width * 0.3, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.6, box.y + 60, { steps: 6 });
    await page.mouse.up();
    await page.waitForURL(/from=.*&to=/);
    const { searchParams } = new URL(page.url());
    const hours =
      (Date.parse(searchParams.get('to') ?? '') - Date.parse(searchParams.get('from') ?? '')) / 3_600_000;
    expect(hours).toBeGreaterThanOrEqual(7);
    expect(hours).toBeLessThanOrEqual(10);
    await page.getByText('Fixed range').waitFor();
    await page.getByRole('button', { name: 'Back to the last 24 hours' }).click();
    await page.waitForURL(`${stage.fake.url}/`);
  });

  it('counts a request as it arrives, and stands still when paused', async () => {
    stage.fake.setScenario('normal');
    const { page } = await openWithTotals(stage, '/?range=1h');
    await page.getByRole('button', { name: 'Pause live updates' }).waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    const count = figure(page, 'Requests').locator('data');
    const before = Number(await count.getAttribute('value'));
    stage.fake.addRequest();
    await expect.poll(async () => Number(await count.getAttribute('value'))).toBe(before + 1);
    await page.getByRole('button', { name: 'Pause live updates' }).click();
    await page.getByText('Paused').waitFor();
  });

  it('offers the chart as CSV', async () => {
    const { page } = await openWithTotals(stage, '/');
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'CSV' }).click();
    expect((await download).suggestedFilename()).toBe('tallygate-spend-model.csv');
  });

  it('shows skeletons while it waits, and an error with its request id', async () => {
    stage.fake.setScenario('slow');
    const waiting = await stage.open('/');
    await waiting.getByText('Loading the chart').waitFor({ state: 'attached' });
    stage.fake.setScenario('error');
    const failed = await stage.open('/');
    await failed.getByText('The store does not answer.').first().waitFor();
    await failed.getByText('0199b2f0-5a7e-7c11-8f00-3c2d1e0f9a8b').first().waitFor();
    stage.fake.setScenario('normal');
    await failed.getByRole('button', { name: 'Try again' }).first().click();
    await figure(failed, 'Spend').locator('data').waitFor();
  });

  it('warns when the journal is in trouble', async () => {
    stage.fake.setScenario('normal');
    stage.fake.setJournalState('degraded');
    const page = await stage.open('/keys');
    await page
      .getByRole('alert')
      .getByText(/The journal is degraded/)
      .waitFor();
  });

  it('shows what should not stay as it is, such as a key from the environment (TW-06)', async () => {
    stage.fake.setScenario('normal');
    stage.fake.setWarnings([
      { code: 'environment_key', message: 'The API key from the environment is in use.' },
    ]);
    const page = await stage.open('/keys');
    await page.getByRole('alert').getByText('The API key from the environment is in use.').waitFor();
    stage.fake.setWarnings([]);
  });

  it.each([1280, 1440, 390])('keeps the names of latencies off their figures at %d px', async (width) => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/', { width });
    const latency = figure(page, 'Latency');
    await latency.locator('data').first().waitFor();
    const dir = process.env.SCREENSHOTS;
    if (dir !== undefined) await page.screenshot({ path: `${dir}/overview-${width}.png` });
    const words = await latency.evaluate((box) => {
      const inside = box.getBoundingClientRect().right;
      const rowOf = (name: string) => {
        const label = [...box.querySelectorAll('span')].find((one) => one.textContent === name);
        const range = document.createRange();
        range.selectNodeContents(label ?? box);
        const figures = [...box.querySelectorAll('data')]
          .map((one) => one.getBoundingClientRect())
          .filter(({ top, bottom }) => {
            const row = range.getBoundingClientRect();
            return top < row.bottom && bottom > row.top;
          });
        const gap = Math.min(...figures.map(({ left }) => left)) - range.getBoundingClientRect().right;
        return { figures: figures.length, gap, within: figures.every(({ right }) => right <= inside) };
      };
      return [rowOf('Total'), rowOf('First token')];
    });
    for (const { figures, gap, within } of words) {
      expect([figures, within]).toEqual([3, true]);
      expect(gap).toBeGreaterThanOrEqual(6);
    }
  });
});
