import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { anthropicApi } from '@tallygate/testkit/fake-upstream/anthropic';
import { type FakeUpstream, startFakeUpstream } from '@tallygate/testkit/fake-upstream/fake-upstream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
/** Every command of the README, a line each, as a reader would paste it. */
const COMMANDS = [...README.matchAll(/```sh\n([\s\S]*?)```/g)]
  .flatMap((block) => (block[1] ?? '').replace(/\\\n\s*/g, ' ').split('\n'))
  .map((line) => line.trim())
  .filter((line) => line !== '');

interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

describe('the README (its commands work as pasted)', () => {
  let dir: string;
  let upstream: FakeUpstream;
  let server: ChildProcess;
  let url: string;
  let key = '';
  let setupLink = false;

  /** The README's own line; only where things are kept and who plays the upstream differ. */
  const here = (command: string): string =>
    command
      .replace(
        /^\.\/tallygate (?!start)(.*?)(--data-dir \S+)?$/,
        (_all, rest: string) => `./tallygate ${rest.trim()} --data-dir "${dir}"`,
      )
      .replace('http://127.0.0.1:4100', url)
      .replaceAll('./tallygate.backup', `"${join(dir, 'tallygate.backup')}"`)
      .replace(
        'accounts add anthropic',
        `accounts add anthropic --base-url ${upstream.url} --allow-private-upstream`,
      );

  const environment = () => ({
    ...process.env,
    ANTHROPIC_API_KEY: 'sk-ant-readme-0123456789',
    TALLYGATE_API_KEY: key,
    NODE_OPTIONS: '',
  });

  function run(command: string): Promise<Finished> {
    return new Promise((resolve) => {
      const child = spawn('sh', ['-c', command], { cwd: ROOT, env: environment() });
      let stdout = '';
      let stderr = '';
      child.stdout.on('data', (chunk: Buffer) => {
        stdout += chunk.toString();
      });
      child.stderr.on('data', (chunk: Buffer) => {
        stderr += chunk.toString();
      });
      child.on('close', (code) => resolve({ code, stdout, stderr }));
    });
  }

  /** Starts a server command and waits for the address it prints. */
  function startServer(command: string, env: NodeJS.ProcessEnv): Promise<string> {
    server = spawn('sh', ['-c', `exec ${command}`], { cwd: ROOT, env, detached: true });
    return new Promise((resolve, reject) => {
      let output = '';
      const read = (chunk: Buffer): void => {
        output += chunk.toString();
        if (/\/setup#code=\S+/.test(output)) setupLink = true;
        const address = /listens on (http:\/\/\S+)/.exec(output)?.[1];
        if (address !== undefined) resolve(address);
      };
      server.stdout?.on('data', read);
      server.stderr?.on('data', read);
      server.on('close', (code) => reject(new Error(`the server ended with ${code}: ${output}`)));
    });
  }

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'tallygate readme '));
    upstream = await startFakeUpstream(anthropicApi());
    url = await startServer(`./tallygate start --data-dir "${dir}" --port 0`, { ...environment() });
  }, 300_000);

  afterAll(async () => {
    if (server.pid !== undefined && server.exitCode === null) {
      const ended = new Promise((resolve) => server.once('close', resolve));
      process.kill(-server.pid, 'SIGTERM');
      await ended;
    }
    await upstream.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  it('prints a set-up link on the first start', () => expect.poll(() => setupLink).toBe(true));

  it('names only commands that this test runs or that have a test of their own', () => {
    const elsewhere = COMMANDS.filter((command) => !/^(\.\/tallygate|curl) /.test(command));
    // `npm start` on a fresh clone: launcher/whole.test.ts. The exports and DB_URL prefix a start like the one above.
    expect(elsewhere).toEqual([
      'npm start',
      expect.stringMatching(/^export DASHBOARD_USERNAME=/),
      expect.stringMatching(/^DB_URL=postgres:.* \.\/tallygate start$/),
    ]);
  });

  it('runs from the account to the bill in the order of the page', async () => {
    for (const command of COMMANDS.filter((line) => /^\.\/tallygate (?!start)/.test(line))) {
      const finished = await run(here(command));
      expect({ command, code: finished.code, stderr: finished.stderr }).toMatchObject({ code: 0 });
      const created = /tg_[A-Za-z0-9_-]{43}/.exec(finished.stdout)?.[0];
      if (created !== undefined) key = created;
      if (!command.includes('keys create')) continue;
      const curl = COMMANDS.find((line) => line.startsWith('curl '));
      const answer = await run(here(curl ?? ''));
      expect(answer.stdout).toContain('message_stop');
    }
    const rows = await run(`./tallygate requests --data-dir "${dir}" --json`);
    const row = JSON.parse(rows.stdout.split('\n')[0] ?? '') as {
      status: string;
      stream: boolean;
      costUsd: string | null;
    };
    expect(row).toMatchObject({ status: 'ok', stream: true });
  }, 180_000);

  it('runs the commands that stand in the text', async () => {
    const inline = [...README.matchAll(/`(\.\/tallygate [^`]+)`/g)].map((match) => match[1] ?? '');
    expect(inline.length).toBeGreaterThanOrEqual(3);
    for (const command of inline.filter((line) => !line.includes(' restore '))) {
      const finished = await run(here(command));
      // Doctor fails by design when something is wrong; here the upstream is a fake and the port is not the default.
      expect({ command, code: finished.code, stderr: finished.stderr }).toMatchObject({ code: 0 });
    }
    const empty = mkdtempSync(join(tmpdir(), 'tallygate restored '));
    const restored = await run(
      `./tallygate restore "${join(dir, 'tallygate.backup')}" --data-dir "${empty}"`,
    );
    expect(restored).toMatchObject({ code: 0 });
    rmSync(empty, { recursive: true, force: true });
  }, 180_000);
});
