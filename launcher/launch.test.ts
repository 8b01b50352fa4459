import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { builds, launch, makeProject, outcome, untilSaid, writeLock, writeScript } from './test-project.ts';

let installed: string;
let root: string;

beforeAll(async () => {
  installed = makeProject();
  expect((await outcome(launch(installed, ['start']))).code).toBe(0);
});
afterAll(() => rmSync(dirname(installed), { recursive: true, force: true }));

beforeEach(() => {
  root = makeProject();
});
afterEach(() => {
  chmodSync(root, 0o755);
  rmSync(dirname(root), { recursive: true, force: true });
});

/** Makes the project one that was started before, with no record of earlier builds. */
function useInstalled(): void {
  rmSync(root, { recursive: true });
  execFileSync('cp', ['-a', installed, root]); // to the nanosecond, unlike cpSync
  writeFileSync(join(root, 'builds.log'), '');
}

const start = (...args: string[]) => outcome(launch(root, ['start', ...args]));

describe('a start', () => {
  it('installs, builds and runs in a fresh clone whose path has spaces; a second one does nothing but run', async () => {
    const first = await start('--port', '1');
    expect(first).toMatchObject({ code: 0, signal: null });
    expect(JSON.parse(first.stdout)).toMatchObject({ args: ['start', '--port', '1'], cwd: root });
    expect(first.stderr).toMatch(/Installing dependencies \(first start\) …\n/);
    expect(first.stderr).toMatch(/Building dashboard: done in [\d.]+ s\n/);
    expect(builds(root)).toEqual(['rolldown', 'vite']);

    const second = await start();
    expect(second).toMatchObject({ code: 0, stderr: '' });
    expect(builds(root)).toEqual(['rolldown', 'vite']);
  });

  it('works as "npm start -- flags"', async () => {
    const child = launch(root, ['start', '--silent', '--', '--port', '1'], { command: 'npm' });
    const { code, stdout } = await outcome(child);
    expect([code, JSON.parse(stdout).args]).toEqual([0, ['start', '--port', '1']]);
  });

  it('passes the exit code on', async () => {
    useInstalled();
    expect((await start('exit', '42')).code).toBe(42);
  });

  it('dies of the signal that the program died of', async () => {
    useInstalled();
    expect(await start('die', 'SIGKILL')).toMatchObject({ code: null, signal: 'SIGKILL' });
  });

  it('forwards a signal once, however many processes of the group it was sent to, and waits for the end', async () => {
    useInstalled();
    const child = launch(root, ['start', 'wait']);
    const ended = outcome(child);
    await untilSaid(child, 'waiting');
    child.kill('SIGTERM');
    await untilSaid(child, 'SIGTERM');
    child.kill('SIGTERM');
    const { code, stdout } = await ended;
    expect([code, stdout.match(/SIGTERM/g)]).toEqual([7, ['SIGTERM']]);
  });

  it('forwards an interrupt when there is no terminal that delivers it', async () => {
    useInstalled();
    const child = launch(root, ['start', 'wait']);
    const ended = outcome(child);
    await untilSaid(child, 'waiting');
    child.kill('SIGINT');
    expect((await ended).code).toBe(8);
  });

  it('names the scripts there are', async () => {
    const { code, stderr } = await outcome(launch(root, ['strat']));
    expect([code, stderr]).toEqual([1, expect.stringContaining('start, test, check')]);
  });
});

describe('what is stale', () => {
  beforeEach(useInstalled);
  const part = (size: number) => join(root, `packages/cli/dist/program/part-${size}.js`);

  it('is rebuilt after a source changed, and only that', async () => {
    appendFileSync(join(root, 'packages/server/src/deep/b.ts'), '// more');
    await start();
    expect(builds(root)).toEqual(['rolldown']);
    appendFileSync(join(root, 'packages/dashboard/index.html'), ' ');
    await start();
    expect(builds(root)).toEqual(['rolldown', 'vite']);
  });

  it('is rebuilt after a source was added or removed', async () => {
    writeFileSync(join(root, 'packages/server/src/new.ts'), '');
    await start();
    rmSync(join(root, 'packages/server/src/new.ts'));
    await start();
    expect(builds(root)).toEqual(['rolldown', 'rolldown']);
  });

  it('is not what only tests changed', async () => {
    appendFileSync(join(root, 'packages/server/src/deep/b.test.ts'), '// more');
    expect((await start()).stderr).toBe('');
    expect(builds(root)).toEqual(['']);
  });

  it('is what somebody deleted from the build results', async () => {
    rmSync(part(0));
    await start();
    expect(builds(root)).toEqual(['rolldown']);
    expect(existsSync(part(0))).toBe(true);
  });

  it('keeps the parts of the build before, which a running server may still import, and of none older', async () => {
    const source = join(root, 'packages/server/src/deep/b.ts');
    appendFileSync(source, '1');
    await start();
    expect([0, 1].map((size) => existsSync(part(size)))).toEqual([true, true]);
    appendFileSync(source, '2');
    await start();
    expect([0, 1, 2].map((size) => existsSync(part(size)))).toEqual([false, true, true]);
  });

  it('is written with escapes for what is not ASCII, which mean the same', async () => {
    appendFileSync(join(root, 'packages/cli/src/main.ts'), "say('caf\u00e9 – \u{1f600}');");
    const { stdout } = await start('x');
    expect(stdout.split('\n')[1]).toBe(JSON.stringify('caf\u00e9 – \u{1f600}'));
    expect(readFileSync(join(root, 'packages/cli/dist/program/main.js'), 'latin1')).toMatch(/^[\0-\x7f]+$/);
  });

  it('leaves the dashboard alone when only the command line is used', async () => {
    appendFileSync(join(root, 'packages/dashboard/index.html'), ' ');
    const child = launch(root, [join(root, 'launcher/tallygate.mjs'), 'keys', 'list'], {
      command: process.execPath,
    });
    expect((await outcome(child)).code).toBe(0);
    expect(builds(root)).toEqual(['']);
  });

  it('is installed again after the lockfile changed', async () => {
    appendFileSync(join(root, 'package-lock.json'), '\n');
    expect((await start()).stderr).toContain('Installing dependencies (the lockfile changed)');
  });

  it('is installed again when a dependency is gone', async () => {
    rmSync(join(root, 'node_modules/rolldown'), { recursive: true });
    expect((await start()).stderr).toContain('node_modules/rolldown is missing');
    expect(existsSync(join(root, 'node_modules/rolldown/index.js'))).toBe(true);
  });

  it('is installed again after an installation that was cut off', async () => {
    rmSync(join(root, 'node_modules/.tallygate-install.json'));
    rmSync(join(root, 'node_modules/.package-lock.json'), { force: true });
    expect((await start()).stderr).toContain('not finished before');
  });

  it('is not what the person installed with npm themselves', async () => {
    rmSync(join(root, 'node_modules'), { recursive: true });
    execFileSync('npm', ['ci', '--offline', '--no-audit', '--no-fund'], { cwd: root, stdio: 'ignore' });
    expect((await start()).stderr).not.toContain('Installing');
  });

  it('stays usable in a folder that nobody may write', async (context) => {
    if (process.getuid?.() === 0) context.skip('root may write everywhere');
    chmodSync(root, 0o555);
    expect(await start()).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('two launchers at once', () => {
  it('install and build once, and both run', async () => {
    const both = await Promise.all([start(), start()]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(builds(root)).toEqual(['rolldown', 'vite']);
    expect(both.map(({ stderr }) => stderr).join('')).toContain('Waiting for another Tallygate launcher');
  });

  const lockPath = () => join(root, '.runtime/launcher.lock');
  const leaveLock = (holder: object) => {
    mkdirSync(dirname(lockPath()));
    writeFileSync(lockPath(), JSON.stringify(holder));
  };

  it('do not wait for one that was killed', async () => {
    const dead = Number(execFileSync('sh', ['-c', 'echo $$']).toString());
    leaveLock({ pid: dead, host: hostname() });
    expect((await start()).code).toBe(0);
    expect(existsSync(lockPath())).toBe(false);
  });

  it('do not wait for one on another machine that fell silent', async () => {
    leaveLock({ pid: 1, host: 'elsewhere' });
    utimesSync(lockPath(), 1, 1);
    expect((await start()).code).toBe(0);
  });

  it('wait for one that is alive', async () => {
    leaveLock({ pid: process.pid, host: hostname() });
    const child = launch(root, ['start']);
    const ended = outcome(child);
    await new Promise<void>((resolve) => {
      child.stderr?.on('data', (chunk: Buffer) => {
        if (chunk.toString().includes(`process ${process.pid}`)) resolve();
      });
    });
    expect(existsSync(join(root, 'node_modules'))).toBe(false);
    rmSync(lockPath());
    expect((await ended).code).toBe(0);
  });
});

describe('what goes wrong', () => {
  const parts = /^.+\n {2}Why: [\s\S]+\n {2}Fix: .+\n$/m;

  it('says that the registry cannot be reached', async () => {
    const devDependencies = {
      rolldown: 'file:vendor/rolldown',
      vite: 'file:vendor/vite',
      absent: '1.0.0',
    };
    const integrity = `sha512-${'A'.repeat(86)}==`;
    writeLock(root, devDependencies, { 'node_modules/absent': { version: '1.0.0', integrity, dev: true } });
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    writeFileSync(join(root, 'package.json'), JSON.stringify({ ...manifest, devDependencies }));
    const env = {
      npm_config_registry: 'http://127.0.0.1:9/',
      npm_config_cache: join(root, 'cache'),
      npm_config_fetch_retries: '0',
    };
    const { code, stderr } = await outcome(launch(root, ['start'], { env }));
    expect([code, stderr]).toEqual([1, expect.stringContaining('registry cannot be reached (ECONNREFUSED)')]);
    expect(stderr).toMatch(parts);
  });

  it('says what the compiler said', async () => {
    writeFileSync(join(root, 'broken'), '');
    const { code, stderr, stdout } = await start();
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('    src/a.ts:1:1: it is broken');
    expect(stderr).toMatch(parts);
  });

  it('says that the folder cannot be written', async (context) => {
    if (process.getuid?.() === 0) context.skip('root may write everywhere');
    chmodSync(root, 0o555);
    const { code, stderr } = await start();
    expect([code, stderr]).toEqual([1, expect.stringContaining('cannot be written')]);
    expect(stderr).toMatch(parts);
  });
});

describe('./tallygate', () => {
  it('runs from anywhere, through symbolic links, in the directory of the caller', async () => {
    useInstalled();
    const elsewhere = join(dirname(root), 'bin');
    mkdirSync(elsewhere);
    symlinkSync('../the clone/tallygate', join(elsewhere, 'link'));
    symlinkSync(join(elsewhere, 'link'), join(elsewhere, 'gate'));
    const child = launch(root, ['start', 'exit', '3'], { command: join(elsewhere, 'gate'), cwd: elsewhere });
    const { code, stdout } = await outcome(child);
    expect([code, JSON.parse(stdout)]).toEqual([3, expect.objectContaining({ cwd: elsewhere })]);
  });

  it('uses a fetched runtime when the PATH has no Node, and says so when there is neither', async () => {
    const tools = join(dirname(root), 'tools');
    mkdirSync(tools);
    for (const tool of ['dirname', 'readlink', 'cat']) {
      symlinkSync(
        execFileSync('sh', ['-c', `command -v ${tool}`])
          .toString()
          .trim(),
        join(tools, tool),
      );
    }
    const run = () =>
      outcome(launch(root, ['x'], { command: join(root, 'tallygate'), env: { PATH: tools } }));
    expect(await run()).toMatchObject({ code: 127, stderr: expect.stringMatching(/no Node.js on the PATH/) });
    writeScript(join(root, '.runtime/node_modules/node-any/bin/node'), '#!/bin/sh\necho "fetched: $2"\n');
    expect(await run()).toMatchObject({ code: 0, stdout: 'fetched: x\n' });
  });
});
