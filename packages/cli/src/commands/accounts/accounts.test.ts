import { runCliProcess } from '@tallygate/testkit/cli-process';
import { stubAccount } from '@tallygate/testkit/stub-admin-data';
import type { StubRoute } from '@tallygate/testkit/stub-admin-server';
import { stubbedCli } from '@tallygate/testkit/stubbed-cli';
import { describe, expect, it } from 'vitest';

const cli = stubbedCli();
const { run, serve } = cli;

describe('pool (CF-05)', () => {
  it('shows the strategy, changes it, and goes back to the setting', async () => {
    const bodies: unknown[] = [];
    await serve({
      'GET /api/pool': () => ({ json: { strategy: 'session', chosen: false } }),
      'PATCH /api/pool': ({ body }) => {
        bodies.push(body);
        return { json: { strategy: 'weighted', chosen: true } };
      },
    });
    expect((await run(['pool'])).out).toContain('session (from the settings)');
    expect((await run(['pool', '--strategy', 'weighted'])).out).toContain('weighted (chosen here)');
    expect((await run(['pool', '--strategy', 'setting', '--json'])).code).toBe(0);
    expect(bodies).toEqual([{ strategy: 'weighted' }, { strategy: null }]);
    expect((await run(['pool', '--strategy', 'wieghted'])).error).toContain('Did you mean weighted?');
  });
});

describe('accounts', () => {
  const add: Record<string, StubRoute> = {
    'POST /api/accounts': () => ({ status: 201, json: stubAccount() }),
  };

  it('add reads the credential from the variable and never shows it', async () => {
    const server = await serve(add);
    const args = [
      'accounts',
      'add',
      'anthropic',
      '--name',
      'main',
      '--api-key-env',
      'MY_KEY',
      '--data-dir',
      cli.dataDir,
    ];
    const result = await runCliProcess([...args, '--json'], { env: { MY_KEY: ' sk-secret\n' } });
    expect({ code: result.code, stderr: result.stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(result.stdout).id).toBe('a1');
    expect(result.stdout).not.toContain('sk-secret');
    expect(server.calls[0]?.body).toEqual({ provider: 'anthropic', name: 'main', apiKey: 'sk-secret' });
  });

  it('add reads it from standard input', async () => {
    const server = await serve(add);
    const args = [
      'accounts',
      'add',
      'openai',
      '--name',
      'main',
      '--api-key-stdin',
      '--data-dir',
      cli.dataDir,
    ];
    expect((await runCliProcess(args, { input: 'sk-piped\n' })).code).toBe(0);
    expect(server.calls[0]?.body).toMatchObject({ apiKey: 'sk-piped' });
  });

  it('add sends every option', async () => {
    const server = await serve(add);
    const options = ['--base-url', 'http://127.0.0.1:9/v1', '--preset', 'ollama', '--allow-private-upstream'];
    const pin = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';
    const more = [
      '--models',
      'a,b*',
      '--models',
      'c',
      '--priority',
      '5',
      '--pin-sha256',
      `sha256//${pin},${pin}`,
    ];
    expect((await run(['accounts', 'add', 'compatible', '--name', 'x', ...options, ...more])).code).toBe(0);
    expect(server.calls[0]?.body).toEqual({
      provider: 'compatible',
      name: 'x',
      baseUrl: 'http://127.0.0.1:9/v1',
      preset: 'ollama',
      allowPrivateUpstream: true,
      pinSha256: [pin, pin],
      models: ['a', 'b*', 'c'],
      priority: 5,
    });
  });

  it.each([
    [['--api-key-env', 'NOT_SET'], 'NOT_SET is not set or empty'],
    [['--api-key-stdin'], 'holds no key'],
  ])('add without a key where it should be is told so: %j', async (args, text) => {
    const server = await serve(add);
    const { code, error } = await run(['accounts', 'add', 'openai', '--name', 'x', ...args], { input: '\n' });
    expect(code).not.toBe(0);
    expect(error).toContain(text);
    expect(server.calls).toEqual([]);
  });

  it('test tells by its exit code', async () => {
    let ok = true;
    await serve({
      'GET /api/accounts': () => ({ json: { accounts: [stubAccount()] } }),
      'POST /api/accounts/a1/test': () => ({
        json: { ok, httpStatus: 200, latencyMs: 5, message: 'The credential works.', models: ['m'] },
      }),
    });
    expect(await run(['accounts', 'test', 'main'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^ok {2}main/),
    });
    ok = false;
    expect(await run(['accounts', 'test', 'main'])).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^fail {2}main/),
    });
  });

  it.each([
    ['pause', true],
    ['resume', false],
  ])('%s', async (verb, paused) => {
    const server = await serve({
      'GET /api/accounts': () => ({ json: { accounts: [stubAccount()] } }),
      'PATCH /api/accounts/a1': () => ({ json: stubAccount({ paused }) }),
    });
    expect((await run(['accounts', verb, 'main'])).code).toBe(0);
    expect(server.calls.at(-1)?.body).toEqual({ paused });
  });

  it('remove, and list when there is none', async () => {
    const server = await serve({
      'GET /api/accounts': () => ({ json: { accounts: [stubAccount()] } }),
      'DELETE /api/accounts/a1': () => ({ json: {} }),
    });
    expect((await run(['accounts', 'list'])).out).toContain('…wxyz');
    expect(JSON.parse((await run(['accounts', 'remove', 'main', '--json'])).out)).toEqual({
      id: 'a1',
      removed: true,
    });
    expect(server.calls.at(-1)?.method).toBe('DELETE');
  });
});
