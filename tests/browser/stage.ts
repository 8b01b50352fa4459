import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import {
  addSession,
  chromiumPath,
  launchChromium,
  openPage,
  type WatchedPage,
} from '@tallygate/testkit/browser';
import { type FakeAdminApi, startFakeAdminApi } from '@tallygate/testkit/fake-admin-api';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';

const DASHBOARD = join(import.meta.dirname, '../../packages/dashboard');

export interface Stage {
  fake: FakeAdminApi;
  dist: string;
  /** A signed-in page at a path. What it complains about fails the test. */
  open(path: string, options?: OpenOptions): Promise<Page>;
  /** A fresh browser on another server, signed out; it is watched the same way. */
  visit(url: string, options?: OpenOptions): Promise<Page>;
}
export interface OpenOptions {
  width?: number;
  height?: number;
  dark?: boolean;
  signedOut?: boolean;
  /** Other sites that the test leads the browser through. */
  alsoOrigins?: readonly string[];
}

/** One browser for all suites of a file; each page has a context of its own. */
let launched: Promise<Browser> | null = null;
afterAll(async () => (await launched)?.close());

/** A suite in real Chromium against the built dashboard, under the enforced policy. Skipped where there is no Chromium. */
export function describeInBrowser(name: string, suite: (stage: Stage) => void): void {
  const executable = chromiumPath();
  describe.skipIf(executable === null)(name, { timeout: 180_000 }, () => {
    const open: WatchedPage[] = [];
    let browser: Browser;
    let scratch: string | null = null;
    const stage: Stage = {
      fake: undefined as never,
      dist: '',
      open: async (path, options = {}) => {
        const watched = await openPage(browser, { ...options, origin: stage.fake.url });
        open.push(watched);
        if (!options.signedOut) {
          await addSession(watched.context, stage.fake.url, { name: 'tg_session', value: 'fake' });
        }
        await watched.page.goto(stage.fake.url + path);
        return watched.page;
      },
      visit: async (url, options = {}) => {
        const watched = await openPage(browser, { ...options, origin: new URL(url).origin });
        open.push(watched);
        await watched.page.goto(url);
        return watched.page;
      },
    };
    // Two minutes: a build may be part of it.
    beforeAll(async () => {
      ({ dist: stage.dist, scratch } = await builtDashboard());
      stage.fake = await startFakeAdminApi({ distDir: stage.dist });
      launched ??= launchChromium(executable ?? '');
      browser = await launched;
    }, 120_000);
    afterEach(async () => {
      const complaints = open.flatMap((watched) => watched.complaints);
      await Promise.all(open.splice(0).map((watched) => watched.context.close()));
      stage.fake.setJournalState('ok');
      expect(complaints).toEqual([]);
    });
    afterAll(async () => {
      await stage.fake?.close();
      if (scratch !== null) rmSync(scratch, { recursive: true, force: true });
    });
    suite(stage);
  });
}

/** The build at its usual place when it is newer than its sources, or else a fresh one in a scratch folder. */
async function builtDashboard(): Promise<{ dist: string; scratch: string | null }> {
  const usual = join(DASHBOARD, 'dist');
  const sources = ['src', 'public', 'index.html', 'vite.config.ts', '../contract/src'].map((name) =>
    join(DASHBOARD, name),
  );
  if (newest([join(usual, 'index.html')]) >= newest(sources)) return { dist: usual, scratch: null };
  const scratch = mkdtempSync(join(tmpdir(), 'tallygate-dashboard-'));
  const vite = join(dirname(createRequire(import.meta.url).resolve('vite/package.json')), 'bin/vite.js');
  // The test runner's own NODE_ENV would build React for development.
  const env = { ...process.env, NODE_ENV: 'production' };
  await promisify(execFile)(
    process.execPath,
    [vite, 'build', DASHBOARD, '--outDir', scratch, '--emptyOutDir'],
    { env },
  );
  return { dist: scratch, scratch };
}

function newest(paths: string[]): number {
  return Math.max(
    ...paths.map((path) => {
      const stat = statSync(path, { throwIfNoEntry: false });
      if (!stat) return 0;
      return stat.isDirectory() ? newest(readdirSync(path).map((name) => join(path, name))) : stat.mtimeMs;
    }),
    0,
  );
}

/** How far the page can be scrolled sideways; anything above zero is a fault on a phone. */
export async function sidewaysOverflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}
