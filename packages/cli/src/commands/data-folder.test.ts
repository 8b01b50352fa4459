import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runCliProcess } from '@tallygate/testkit/cli-process';
import { stubKey } from '@tallygate/testkit/stub-admin-data';
import { stubbedCli } from '@tallygate/testkit/stubbed-cli';
import { describe, expect, it } from 'vitest';

const cli = stubbedCli();
const { run, serve } = cli;

describe('backup', () => {
  it('sends an absolute path', async () => {
    const server = await serve({
      'POST /api/backup': ({ body }) => ({
        json: { ...(body as object), bytes: 2048, events: 3, costUsd: '1.5' },
      }),
    });
    const { out } = await run(['backup', 'copy.backup'], { cwd: cli.dataDir });
    expect(server.calls[0]?.body).toEqual({ path: join(cli.dataDir, 'copy.backup') });
    expect(out).toContain('3 requests worth 1.5 USD');
  });
});

describe('restore', () => {
  it('refuses while the server runs', async () => {
    await serve({});
    await writeFile(join(cli.dataDir, 'x.backup'), '');
    expect(await run(['restore', 'x.backup'], { cwd: cli.dataDir })).toMatchObject({
      code: 1,
      error: expect.stringContaining('The server is running'),
    });
  });
  it('refuses a file that is not there', async () => {
    expect((await run(['restore', 'nothing'], { cwd: cli.dataDir })).error).toContain(
      'There is no backup file',
    );
  });
});

describe('connect', () => {
  it.each(['claude-code', 'codex', 'anthropic', 'openai', 'vercel-ai', 'curl'])(
    '%s prints the address in force',
    async (client) => {
      const { code, out } = await run(['connect', client, '--port', '4321']);
      expect(code).toBe(0);
      expect(out).toContain('http://127.0.0.1:4321');
      expect(out).toContain('<your Tallygate key>');
    },
  );

  it('names the variable of the key, not the key', async () => {
    const { out } = await run(['connect', 'claude-code', '--key-env', 'MY_KEY'], {
      env: { MY_KEY: 'tg_secret' },
    });
    expect(out).toContain('ANTHROPIC_AUTH_TOKEN="$MY_KEY"');
    expect(out).not.toContain('tg_secret');
  });

  it.each([
    [
      ['--tls-cert-file', 'c.pem', '--tls-key-file', 'k.pem', '--allowed-hosts', 'gate.example'],
      'https://gate.example:4100',
    ],
    [['--tls-cert-file', 'c.pem', '--tls-key-file', 'k.pem', '--port', '443'], 'https://127.0.0.1'],
    [['--host', '0.0.0.0', '--port', '80'], 'http://127.0.0.1:80'],
    [['--host', '::', '--port', '80'], 'http://[::1]:80'],
    [['--host', '::1', '--port', '80'], 'http://[::1]:80'],
    [['--base-url', 'https://gate.example.com/'], 'https://gate.example.com'],
    [['--server', 'https://gate.example.com'], 'https://gate.example.com'],
  ])('%j is reached at %s', async (args, baseUrl) => {
    expect(JSON.parse((await run(['connect', 'openai', '--json', ...args])).out)).toMatchObject({
      baseUrl,
      env: { OPENAI_BASE_URL: `${baseUrl}/v1` },
    });
  });

  it('--write merges into the settings of Claude Code in the home folder', async () => {
    await mkdir(join(cli.dataDir, '.claude'));
    await writeFile(join(cli.dataDir, '.claude', 'settings.json'), '{"model":"opus"}');
    const args = ['connect', 'claude-code', '--write', '--key-env', 'K', '--data-dir', cli.dataDir, '--json'];
    const { code, stdout } = await runCliProcess(args, {
      env: { HOME: cli.dataDir, K: 'tg_secret', ANTHROPIC_API_KEY: 'x' },
    });
    expect(code).toBe(0);
    expect(stdout).not.toContain('tg_secret');
    expect(JSON.parse(stdout)).toMatchObject({
      changed: true,
      warnings: [expect.stringContaining('ANTHROPIC_API_KEY')],
    });
    expect(JSON.parse(await readFile(join(cli.dataDir, '.claude', 'settings.json'), 'utf8'))).toEqual({
      model: 'opus',
      env: { ANTHROPIC_BASE_URL: 'http://127.0.0.1:4100', ANTHROPIC_AUTH_TOKEN: 'tg_secret' },
    });
  });

  it('--create-key --write sets Claude Code up in one go', async () => {
    const created = { ...stubKey({ name: 'claude-code' }), key: 'tg_new' };
    const server = await serve({ 'POST /api/keys': () => ({ status: 201, json: created }) });
    const { code } = await run(['connect', 'claude-code', '--write', '--create-key'], {
      homeDir: cli.dataDir,
    });
    expect(code).toBe(0);
    expect(server.calls[0]?.body).toEqual({ name: 'claude-code', scopes: ['gateway'] });
    const written = JSON.parse(await readFile(join(cli.dataDir, '.claude', 'settings.json'), 'utf8'));
    expect(written.env.ANTHROPIC_AUTH_TOKEN).toBe('tg_new');
  });

  it('creates no key when there is no address to give it to', async () => {
    const server = await serve({});
    expect((await run(['connect', 'curl', '--create-key', '--port', '0'])).code).toBe(2);
    expect(server.calls).toEqual([]);
  });
});
