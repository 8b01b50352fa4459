import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

/** First what has no windows to draw: the same engine, for half the processor time of a page. */
const CANDIDATES = [
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];

/**
 * Where the browser is: `CHROMIUM_PATH`, or a usual place. Null when there is none and nobody insists; then the
 * tests that need it are skipped, and say so.
 * @throws Error when `REQUIRE` names `browser` and there is none
 */
export function chromiumPath(env: NodeJS.ProcessEnv = process.env): string | null {
  const path = [env.CHROMIUM_PATH, ...CANDIDATES].find((candidate) => candidate && existsSync(candidate));
  if (path !== undefined) return path;
  if ((env.REQUIRE ?? '').split(',').includes('browser')) {
    throw new Error('REQUIRE=browser, but Chromium was not found. Install it or set CHROMIUM_PATH.');
  }
  return null;
}

/** Starts Chromium without reaching for any network of its own. */
export async function launchChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-dev-shm-usage'],
  });
}

export interface WatchedPage {
  page: Page;
  context: BrowserContext;
  /** Everything a page must not do: console errors, thrown errors, policy violations, requests to other origins. */
  complaints: string[];
}
export interface PageOptions {
  width?: number;
  height?: number;
  dark?: boolean;
  /** The origin that may be asked; a request to another one is a complaint. */
  origin: string;
  /** Other sites that a test leads the browser through. */
  alsoOrigins?: readonly string[];
}

/**
 * Opens a page that remembers every console error, page error, CSP violation and foreign request. Answers of 4xx and
 * 5xx that a test provokes appear in the console too; those lines carry no fault of the page and are left out.
 */
export async function openPage(browser: Browser, options: PageOptions): Promise<WatchedPage> {
  const complaints: string[] = [];
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1440, height: options.height ?? 900 },
    colorScheme: options.dark ? 'dark' : 'light',
    permissions: ['clipboard-read', 'clipboard-write'],
    timezoneId: 'UTC',
    locale: 'en-GB',
  });
  const page = await context.newPage();
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      console.error(`CSP violation: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`);
    });
  });
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
      complaints.push(message.text());
    }
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    const foreign = origin !== options.origin && options.alsoOrigins?.includes(origin) !== true;
    if (protocol.startsWith('http') && foreign) complaints.push(`foreign request: ${request.url()}`);
  });
  return { page, context, complaints };
}

/** Signs in by cookie, the way a session that already exists looks. */
export async function addSession(
  context: BrowserContext,
  origin: string,
  cookie: { name: string; value: string },
): Promise<void> {
  await context.addCookies([{ ...cookie, url: origin, httpOnly: true, sameSite: 'Strict' }]);
}
