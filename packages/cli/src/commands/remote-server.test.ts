import {
  type StubAdminServer,
  type StubRoute,
  startStubAdminServer,
} from '@tallygate/testkit/stub-admin-server';
import { stubbedCli } from '@tallygate/testkit/stubbed-cli';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const { run } = stubbedCli();

describe('a remote server', () => {
  let remote: StubAdminServer;
  let route: StubRoute;
  beforeEach(async () => {
    remote = await startStubAdminServer({ 'GET /api/keys': (call, response) => route(call, response) });
  });
  afterEach(() => remote.close());
  const list = (env: Record<string, string>, args: string[] = []) =>
    run(['keys', 'list', '--json', '--server', remote.url, ...args], { env });
  const error = (code: string) => ({ error: { code, message: 'No.', requestId: 'r1', docs: '' } });

  it('gets the admin key from the environment', async () => {
    route = () => ({ json: { keys: [] } });
    expect((await list({ TALLYGATE_ADMIN_KEY: 'tg_a' })).code).toBe(0);
    expect((await list({ OTHER: 'tg_b' }, ['--admin-key-env', 'OTHER'])).code).toBe(0);
    expect(remote.calls.map(({ headers }) => headers.authorization)).toEqual(['Bearer tg_a', 'Bearer tg_b']);
  });

  it.each([[{}], [{ TALLYGATE_ADMIN_KEY: '' }], [{ TALLYGATE_ADMIN_KEY: 'a\r\nx: y' }]])(
    'is not asked without one: %j',
    async (env) => {
      const result = await list(env as Record<string, string>);
      expect(result.code).toBe(2);
      expect(JSON.parse(result.error).error).toMatchObject({
        code: 'credential_missing',
        fix: expect.stringContaining('--scopes admin'),
      });
      expect(remote.calls).toEqual([]);
    },
  );

  it('its refusal keeps the code and says how to go on', async () => {
    route = () => ({ status: 401, json: error('invalid_api_key') });
    const result = await list({ TALLYGATE_ADMIN_KEY: 'tg_a' });
    expect(result.code).toBe(1);
    expect(JSON.parse(result.error).error).toMatchObject({
      code: 'invalid_api_key',
      message: 'No.',
      fix: expect.any(String),
    });
  });

  it.each<[string, StubRoute]>([
    ['an answer of another shape', () => ({ json: { keys: [{ id: 1 }] } })],
    ['an answer that is not JSON', () => ({ text: '<html>' })],
    ['an error without a reason', () => ({ status: 502, json: {} })],
    [
      'a redirect, which would carry the key elsewhere',
      () => ({ status: 302, json: {}, headers: { location: 'http://127.0.0.1:1/' } }),
    ],
  ])('%s is a bad answer', async (_, answer) => {
    route = answer;
    const result = await list({ TALLYGATE_ADMIN_KEY: 'tg_a' });
    expect({ code: result.code, out: result.out }).toEqual({ code: 1, out: '' });
    expect(JSON.parse(result.error).error.code).toBe('bad_answer');
  });

  it('a connection that breaks is said to have broken', async () => {
    route = (_call, response) => void response.destroy();
    expect(JSON.parse((await list({ TALLYGATE_ADMIN_KEY: 'tg_a' })).error).error.code).toBe(
      'server_unreachable',
    );
  });

  it('nobody there is said so', async () => {
    const { url } = remote;
    await remote.close();
    const result = await run(['keys', 'list', '--server', url], { env: { TALLYGATE_ADMIN_KEY: 'tg_a' } });
    expect(result).toMatchObject({ code: 1, error: expect.stringContaining('ECONNREFUSED') });
    remote = await startStubAdminServer({});
  });

  it('every wrong field is named', async () => {
    const details = [
      { in: 'body', path: 'name', message: 'is too long' },
      { in: 'body', path: 'project', message: 'is not a slug' },
    ];
    route = () => ({ status: 400, json: { error: { ...error('invalid_request').error, details } } });
    const { error: text } = await run(['keys', 'list', '--server', remote.url], {
      env: { TALLYGATE_ADMIN_KEY: 'tg_a' },
    });
    expect(text).toContain('project is not a slug');
  });
});
