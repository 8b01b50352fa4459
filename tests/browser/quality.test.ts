import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { describeInBrowser, sidewaysOverflow } from './stage.ts';

const FIRST_LOAD_LIMIT = 250 * 1024;
const SCREENS = [
  '/',
  '/requests',
  '/keys',
  '/accounts',
  '/pools',
  '/rules',
  '/budgets',
  '/limits',
  '/security',
  '/audit',
  '/incident',
  '/access',
  '/vault',
  '/checks',
  '/projects',
  '/alerts',
  '/alerts/history',
  '/alerts/deliveries',
  '/alerts/channels',
];

/** Names of what has no name, inputs without a label, images without a text, ids given twice. */
async function namelessElements(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const faults: string[] = [];
    const shown = (element: Element): boolean => element.getClientRects().length > 0;
    for (const element of document.querySelectorAll('button, a[href], [role="button"]')) {
      const name = element.getAttribute('aria-label') ?? element.textContent ?? '';
      if (shown(element) && name.trim() === '') faults.push(`no name: ${element.outerHTML.slice(0, 120)}`);
    }
    for (const input of document.querySelectorAll<HTMLInputElement>('input, select, textarea')) {
      const named =
        (input.labels?.length ?? 0) > 0 ||
        input.hasAttribute('aria-label') ||
        input.hasAttribute('aria-labelledby');
      if (shown(input) && !named) faults.push(`no label: ${input.outerHTML.slice(0, 120)}`);
    }
    const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
    for (const id of new Set(ids))
      if (ids.filter((other) => other === id).length > 1) faults.push(`id twice: ${id}`);
    if (document.querySelectorAll('main').length !== 1) faults.push('not exactly one main landmark');
    if (document.querySelectorAll('h1').length !== 1) faults.push('not exactly one h1');
    return faults;
  });
}

/** Visible text whose contrast is under 4.5:1 (3:1 when large), by WCAG 2.2 §1.4.3. */
async function lowContrast(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    if (!canvas) throw new Error('no canvas');
    const rgba = (color: string): [number, number, number, number] => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = color;
      canvas.fillRect(0, 0, 1, 1);
      const [r = 0, g = 0, b = 0, a = 0] = canvas.getImageData(0, 0, 1, 1).data;
      return [r, g, b, a / 255];
    };
    const luminance = (color: number[]): number => {
      const [r = 0, g = 0, b = 0] = color.map((part) => {
        const s = part / 255;
        return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const background = (start: Element): number[] => {
      for (let element: Element | null = start; element; element = element.parentElement) {
        const color = rgba(getComputedStyle(element).backgroundColor);
        if (color[3] > 0.99) return color;
      }
      return rgba(getComputedStyle(document.documentElement).backgroundColor);
    };
    const faults = new Set<string>();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement;
      if (!element || !node.textContent?.trim() || element.getClientRects().length === 0) continue;
      if (element.closest('.sr-only, [disabled], .skip-link, noscript')) continue;
      const style = getComputedStyle(element);
      const [a, b] = [luminance(rgba(style.color)), luminance(background(element))].sort((x, y) => y - x) as [
        number,
        number,
      ];
      const ratio = (a + 0.05) / (b + 0.05);
      const large = Number.parseFloat(style.fontSize) >= 24;
      if (ratio < (large ? 3 : 4.5))
        faults.add(`${ratio.toFixed(2)}: ${node.textContent.trim().slice(0, 40)}`);
    }
    return [...faults];
  });
}

async function settle(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1 }).waitFor();
  await expect.poll(() => page.locator('[aria-busy="true"]').count()).toBe(0);
}

describeInBrowser('quality of every screen', (stage) => {
  for (const dark of [false, true]) {
    it(`has names, landmarks and contrast in the ${dark ? 'dark' : 'light'} theme`, async () => {
      stage.fake.setScenario('normal');
      const page = await stage.open('/', { dark });
      for (const path of SCREENS) {
        await page.goto(stage.fake.url + path);
        await settle(page);
        expect(await namelessElements(page), path).toEqual([]);
        expect(await lowContrast(page), path).toEqual([]);
      }
    });
  }

  it('fits a phone, down to 320 px, without scrolling sideways', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/', { width: 320, height: 844 });
    for (const path of [
      ...SCREENS,
      '/requests?status=timeout,ok&model=claude-haiku-4-5-20251001',
      '/?view=table',
    ]) {
      await page.goto(stage.fake.url + path);
      await settle(page);
      for (const width of [320, 390]) {
        await page.setViewportSize({ width, height: 844 });
        expect(await sidewaysOverflow(page), `${path} at ${width}`).toBe(0);
      }
      expect(await page.getByRole('navigation', { name: 'Main' }).last().isVisible()).toBe(true);
    }
  });

  it('reaches every place on a phone: four in the bar, the others behind "More"', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/', { width: 320, height: 700 });
    const bar = page.getByRole('navigation', { name: 'Main' }).last();
    await bar.getByRole('button', { name: 'More' }).click();
    const items = page.getByRole('menuitem');
    await items.first().waitFor();
    const reached = [...(await bar.getByRole('link').allInnerTexts()), ...(await items.allInnerTexts())];
    await page.setViewportSize({ width: 1200, height: 700 });
    const all = await page
      .getByRole('navigation', { name: 'Main' })
      .first()
      .getByRole('link')
      .allInnerTexts();
    expect(reached.map((text) => text.trim())).toEqual(all.map((text) => text.trim()));
    await page.setViewportSize({ width: 320, height: 700 });
    await page.getByRole('menuitem', { name: 'Security' }).click();
    await page.getByRole('heading', { name: 'Security' }).waitFor();
    await expect
      .poll(() => bar.getByRole('button', { name: 'More' }).getAttribute('aria-current'))
      .toBe('true');
  });

  it('opens every dialog on a phone without scrolling sideways', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/requests', { width: 320, height: 700 });
    await page.getByRole('button', { name: 'Filter', exact: true }).click();
    await page.getByRole('checkbox').first().waitFor();
    expect(await sidewaysOverflow(page)).toBe(0);
    await page.goto(`${stage.fake.url}/accounts`);
    await page.getByRole('button', { name: 'Add account' }).click();
    await page.getByRole('button', { name: /vLLM/ }).click();
    await page.getByLabel('Base URL').waitFor();
    expect(await sidewaysOverflow(page)).toBe(0);
  });

  it('is used by keyboard alone: skip link, navigation, palette', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/keys');
    await settle(page);
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the content');
    await page.keyboard.press('Tab');
    expect(
      await page.getByRole('combobox', { name: 'Project' }).evaluate((it) => it === document.activeElement),
    ).toBe(true);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => getComputedStyle(document.activeElement as Element).outlineStyle)).toBe(
      'solid',
    );
    await page.keyboard.press('Enter');
    await page.waitForURL('**/requests');
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Type a command' }).fill('accounts');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/accounts');
  });

  it('keeps the chosen theme over a reload, without a flash', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/keys');
    await page.getByRole('button', { name: /Account menu/ }).click();
    await page.getByRole('menuitemradio', { name: 'Dark' }).click();
    const seen = await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    await page.route('**/assets/*.js', (route) => route.abort());
    await page.reload({ waitUntil: 'commit' });
    await page.waitForSelector('#root', { state: 'attached' });
    await expect
      .poll(() => page.evaluate(() => document.documentElement.dataset.mantineColorScheme))
      .toBe('dark');
    expect(seen).toBe('rgb(18, 19, 17)');
  });

  it('loads first in at most 250 KB, compressed', async () => {
    stage.fake.setScenario('normal');
    const page = await stage.open('/keys');
    await settle(page); // what this page still loads is not the other's
    const names = new Set<string>();
    page.on('response', (response) => {
      const { pathname } = new URL(response.url());
      if (!pathname.startsWith('/api/')) names.add(pathname === '/' ? '/index.html' : pathname);
    });
    await page.goto(`${stage.fake.url}/`);
    await settle(page);
    const bytes = [...names].reduce(
      (sum, name) => sum + gzipSync(readFileSync(join(stage.dist, name))).length,
      0,
    );
    console.log(`first load: ${(bytes / 1024).toFixed(1)} KB gzip in ${names.size} files`);
    expect([...names].filter((name) => name.startsWith('/assets/schemas-'))).toEqual([]);
    expect(bytes).toBeLessThanOrEqual(FIRST_LOAD_LIMIT);
  });
});
