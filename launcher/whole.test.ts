// The launcher on a copy of this very repository: fetches, installs, builds and starts the real server. Takes a
// minute and needs the registry, so only the CI script asks for it.
import { type ChildProcess, execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAtLeast, MINIMUM } from './runtime.mjs';
import { launch, outcome } from './test-project.ts';

const REPOSITORY = dirname(dirname(fileURLToPath(import.meta.url)));
const NOT_CLONED = new Set(['node_modules', 'dist', '.git', '.runtime', 'data', 'coverage']);
const INSTALL_TIMEOUT_MS = 300_000;

/** A Node that is too old for the server when the machine has one, so that the runtime is fetched too. */
function oldNode(): string | null {
  for (const path of ['/usr/bin/node', '/usr/local/bin/node']) {
    try {
      const version = execFileSync(path, ['--version']).toString().trim().slice(1);
      if (!isAtLeast(version, MINIMUM)) return path;
    } catch {
      // Not there.
    }
  }
  return null;
}

describe.runIf(process.env.TALLYGATE_TEST_LAUNCHER === 'full')('the whole repository', () => {
  let root: string;

  beforeAll(() => {
    root = join(realpathSync(mkdtempSync(join(tmpdir(), 'tallygate whole '))), 'a clone');
    cpSync(REPOSITORY, root, {
      recursive: true,
      filter: (path) => relative(REPOSITORY, path) === '' || !NOT_CLONED.has(basename(path)),
    });
  });
  afterAll(() => rmSync(dirname(root), { recursive: true, force: true }));

  function start(): ChildProcess {
    const args = ['launcher/run.mjs', 'start', '--port', '0', '--data-dir', join(dirname(root), 'data')];
    return launch(root, args, {
      command: oldNode() ?? process.execPath,
      env: { TALLYGATE_TEST_LAUNCHER: '' },
    });
  }

  /** The address the server prints once it listens; stops it again. */
  async function listenOnce(): Promise<{
    elapsedMs: number;
    health: number;
    code: number | null;
    stderr: string;
  }> {
    const startedAt = performance.now();
    const child = start();
    const ended = outcome(child);
    const url = await Promise.race([
      addressOf(child),
      ended.then(({ stderr }) => Promise.reject(new Error(stderr))),
    ]);
    const elapsedMs = performance.now() - startedAt;
    const { status: health } = await fetch(`${url}/healthz`);
    child.kill('SIGTERM');
    const { code, stderr } = await ended;
    return { elapsedMs, health, code, stderr };
  }

  it(
    'goes from a fresh clone to a server that answers, and stops cleanly',
    async () => {
      const { health, code, stderr } = await listenOnce();
      expect([health, code]).toEqual([200, 0]);
      expect(stderr).toContain('Installing dependencies (first start)');
    },
    INSTALL_TIMEOUT_MS,
  );

  it('installs, fetches and builds nothing on the next start', async () => {
    const starts = [await listenOnce(), await listenOnce()];
    for (const { stderr } of starts) expect(stderr).not.toMatch(/Installing|Building|Fetching/);
    // How fast it is on an idle machine is a figure (docs/performance.md), not a test: other tests run beside this one.
    console.log(`second start: ${starts.map(({ elapsedMs }) => `${Math.round(elapsedMs)} ms`).join(', ')}`);
  }, 60_000);
});

function addressOf(child: ChildProcess): Promise<string> {
  let said = '';
  return new Promise((resolve) => {
    const look = (chunk: Buffer) => {
      said += chunk.toString();
      const url = /http:\/\/127\.0\.0\.1:[1-9]\d*/.exec(said)?.[0];
      if (url !== undefined) resolve(url);
    };
    child.stdout?.on('data', look);
    child.stderr?.on('data', look);
  });
}
