import { expect, it } from 'vitest';
import { describeInBrowser } from './stage.ts';

const rows = '[data-row]';

describeInBrowser('requests', (stage) => {
  it('opens a request beside the list, moves by arrow keys, closes by Esc', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/requests?range=7d');
    await page.locator('[data-row="0"]').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    const panel = page.getByRole('complementary', { name: 'Request' });
    await panel.getByRole('heading', { name: 'Price' }).waitFor();
    const first = page.url();
    expect(first).toMatch(/\/requests\/[0-9a-f-]{20,40}\?range=7d$/);
    await page.keyboard.press('ArrowDown');
    await page.waitForURL((url) => url.href !== first);
    await page.keyboard.press('ArrowUp');
    await page.waitForURL(first);
    await page.keyboard.press('Escape');
    await page.waitForURL('**/requests?range=7d');
    expect(await panel.count()).toBe(0);
    expect(await page.evaluate(() => document.activeElement?.getAttribute('data-row'))).toBe('1');
  });

  it('explains a cost line by line, and copies the exact amount', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/requests?model=claude-sonnet-4-5-20250929');
    const id = (
      await (await page.waitForResponse((r) => /\/api\/requests\?/.test(r.url()))).json()
    ).requests.find((row: { costUsd: string | null }) => row.costUsd !== null);
    await page.goto(`${stage.fake.url}/requests/${id.id}`);
    await page
      .getByRole('rowheader', { name: 'Cache read' })
      .or(page.getByRole('rowheader', { name: 'Input' }))
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'Copy exact cost' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(id.costUsd);
  });

  it('filters by what is chosen, and says so in the URL', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/requests?range=7d');
    await page.getByRole('button', { name: 'Filter', exact: true }).click();
    await page.getByRole('button', { name: 'Status', exact: true }).click();
    await page.getByRole('checkbox', { name: 'Timeout' }).check();
    await page.waitForURL('**/requests?range=7d&status=timeout');
    await page.keyboard.press('Escape');
    await page.getByText('504').first().waitFor();
    const shown = await page
      .locator('[role="row"]:has([data-row]) [role="cell"]:nth-child(2)')
      .allInnerTexts();
    expect(new Set(shown.map((text) => text.slice(0, 3)))).toEqual(new Set(['504']));
    await page.getByRole('button', { name: /Remove the filter Status/ }).click();
    await page.waitForURL('**/requests?range=7d');
  });

  it('adds arrivals on top, and holds them back from a reader further down', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/requests?range=7d');
    await page.locator(rows).first().waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    const arrived = stage.fake.addRequest();
    await page.locator(`[data-row="0"][href*="${arrived.row.id}"]`).waitFor();
    const list = page.locator('[role="table"]').locator('..');
    await list.evaluate((element) => element.scrollTo(0, 2000));
    await page.locator('[data-row="50"]').waitFor();
    const held = stage.fake.addRequest();
    await page.getByRole('button', { name: '1 new request' }).click();
    await page.locator(`[data-row="0"][href*="${held.row.id}"]`).waitFor();
  });

  it('stands still when paused, and catches up when resumed', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/requests');
    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Pause live updates' }).click();
    const missed = stage.fake.addRequest();
    await page.getByText('Paused').waitFor();
    expect(await page.locator(`[href*="${missed.row.id}"]`).count()).toBe(0);
    await page.getByRole('button', { name: 'Resume live updates' }).click();
    await page.locator(`[data-row="0"][href*="${missed.row.id}"]`).waitFor();
  });

  it('scrolls through 100,000 requests without a stutter', { timeout: 120_000 }, async () => {
    stage.fake.setScenario('large');
    const page = await stage.open('/requests');
    await page.locator(rows).first().waitFor();
    const list = page.locator('[role="table"]').locator('..');
    await expect
      .poll(
        async () => {
          await list.evaluate((element) => element.scrollTo(0, element.scrollHeight));
          return list.evaluate((element) => element.scrollHeight / 38);
        },
        { timeout: 100_000, interval: 40 },
      )
      .toBeGreaterThan(20_000);
    const frames = await list.evaluate(async (element) => {
      element.scrollTo(0, 0);
      const times: number[] = [];
      let before = performance.now();
      for (let i = 0; i < 150; i++) {
        element.scrollBy(0, 240);
        await new Promise(requestAnimationFrame);
        const now = performance.now();
        times.push(now - before);
        before = now;
      }
      return times.slice(10).sort((a, b) => a - b);
    });
    const median = frames[Math.floor(frames.length / 2)] ?? 0;
    const p95 = frames[Math.floor(frames.length * 0.95)] ?? 0;
    const domRows = await page.locator(rows).count();
    console.log(
      `scroll: median ${median.toFixed(1)} ms, p95 ${p95.toFixed(1)} ms a frame, ${domRows} rows in the page`,
    );
    expect(domRows).toBeLessThan(80);
    expect(median).toBeLessThan(20);
    expect(p95).toBeLessThan(50);
    stage.fake.setScenario('normal');
  });

  it('teaches the next step when nothing matches, and says what failed', async () => {
    stage.fake.setScenario('empty');
    const empty = await stage.open('/requests?status=timeout');
    await empty.getByRole('heading', { name: 'No request matches' }).waitFor();
    stage.fake.setScenario('error');
    const failed = await stage.open('/requests');
    await failed.getByText('The store does not answer.').waitFor();
  });
});
