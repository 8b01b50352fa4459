import { chmod, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@tallygate/testkit/eventually';
import { type FakeOauth, startFakeOauth } from '@tallygate/testkit/fake-oauth';
import { anthropicApi } from '@tallygate/testkit/fake-upstream/anthropic';
import { type FakeUpstream, startFakeUpstream } from '@tallygate/testkit/fake-upstream/fake-upstream';
import { type Gate, startGate } from '@tallygate/testkit/harness';
import { rawCall, requestBytes } from '@tallygate/testkit/raw-client';
import { MESSAGES_BODY } from '@tallygate/testkit/wire-world';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const KEY_A = 'cnp_live_aaaaaaaaaaaaaaaaaaaaaaaa';
const KEY_B = 'cnp_live_bbbbbbbbbbbbbbbbbbbbbbbb';

let dir: string;
let upstream: FakeUpstream;
let provider: FakeOauth;
let gate: Gate | null;

beforeEach(async () => {
  dir = join(await mkdtemp(join(tmpdir(), 'tallygate-credentials-')), 'credentials');
  await mkdir(dir, { mode: 0o700 });
  upstream = await startFakeUpstream(anthropicApi());
  provider = await startFakeOauth();
  gate = null;
});
afterEach(async () => {
  await gate?.stop();
  await upstream.stop();
  await provider.stop();
  await rm(join(dir, '..'), { recursive: true, force: true });
});

const pathOf = (domain: string): string => join(dir, `${domain}.credentials.json`);

/** As editors and `mv` do it: the file is whole whenever it can be seen. */
async function put(domain: string, content: object | string, mode = 0o600): Promise<void> {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  const beside = join(dir, '.new');
  await writeFile(beside, text, { mode });
  await chmod(beside, mode);
  await rename(beside, pathOf(domain));
}

const apiKey = (key: string, clientKey?: string) => ({
  type: 'api_key',
  accountId: `account-${key}`,
  api_key: key,
  baseUrl: upstream.url,
  allowPrivateUpstream: true,
  ...(clientKey === undefined ? {} : { client_api_key: clientKey }),
});

async function start(config: Record<string, string> = {}): Promise<Gate> {
  gate = await startGate({ config: { CREDENTIALS_DIR: dir, ...config }, keys: [] });
  return gate;
}

const send = (to: Gate, key: string, host: string) =>
  rawCall(
    to.port,
    requestBytes({
      path: '/v1/messages',
      headers: [
        ['host', host],
        ['content-type', 'application/json'],
        ['anthropic-version', '2023-06-01'],
        ['authorization', `Bearer ${key}`],
      ],
      body: JSON.stringify(MESSAGES_BODY),
    }),
  ).answer;
const lastCredential = () => upstream.requests.at(-1)?.value('x-api-key');

describe('credential files (NX-04, NX-05)', () => {
  it('serve each domain with its own account and key, and the host name only narrows', async () => {
    await put('a.example.com', apiKey('sk-upstream-key-of-a', KEY_A));
    await put('localhost:9000', apiKey('sk-upstream-key-of-b', KEY_B));
    const running = await start();
    expect((await send(running, KEY_A, 'a.example.com')).status).toBe(200);
    expect(lastCredential()).toBe('sk-upstream-key-of-a');
    expect((await send(running, KEY_B, 'localhost:9000')).status).toBe(200);
    expect(lastCredential()).toBe('sk-upstream-key-of-b');
    // A host that is nobody's says nothing: the key decides.
    expect((await send(running, KEY_B, `127.0.0.1:${running.port}`)).status).toBe(200);
    expect(lastCredential()).toBe('sk-upstream-key-of-b');
    // Another domain's host with this key, and a stranger's key, get nothing.
    const before = upstream.requests.length;
    expect((await send(running, KEY_A, 'LOCALHOST:9000')).status).toBe(401);
    expect((await send(running, KEY_B, 'a.example.com:443')).status).toBe(401);
    expect((await send(running, 'cnp_live_cccccccccccccccccccccccc', 'a.example.com')).status).toBe(401);
    expect(upstream.requests).toHaveLength(before);
    const { workspaces } = await running.admin<{ workspaces: { name: string; slug: string }[] }>(
      'GET',
      '/api/workspaces',
    );
    expect(workspaces).toMatchObject([
      {},
      { name: 'a.example.com', slug: 'a-example-com' },
      { name: 'localhost:9000' },
    ]);
    expect(running.output()).not.toMatch(/sk-upstream|cnp_live/);
  });

  it('are read again when they change: another key, another account, a new domain, one that is gone', async () => {
    await put('a.example.com', apiKey('sk-upstream-key-of-a', KEY_A));
    const running = await start();
    expect((await send(running, KEY_A, 'x')).status).toBe(200);
    await put('a.example.com', apiKey('sk-upstream-key-new', KEY_B));
    await eventually(
      'the new key is taken',
      async () => (await send(running, KEY_B, 'x')).status === 200 || null,
    );
    expect(lastCredential()).toBe('sk-upstream-key-new');
    expect((await send(running, KEY_A, 'x')).status).toBe(401);
    await put('b.example.com', apiKey('sk-upstream-key-of-b', KEY_A));
    await eventually(
      'the new domain is served',
      async () => (await send(running, KEY_A, 'x')).status === 200 || null,
    );
    expect(lastCredential()).toBe('sk-upstream-key-of-b');
    await rm(pathOf('b.example.com'));
    await eventually('it is gone', async () => (await send(running, KEY_A, 'x')).status === 401 || null);
    await put('b.example.com', apiKey('sk-upstream-key-of-b', KEY_A));
    await eventually('it is back', async () => (await send(running, KEY_A, 'x')).status === 200 || null);
    // Half-written, or open to others: what it said before stays.
    await put('a.example.com', '{"type":"api_');
    await eventually('it is complained about', () => running.output().includes('is not JSON') || null);
    await put('a.example.com', apiKey('sk-upstream-key-open', KEY_B), 0o644);
    await eventually(
      'the chmod is said',
      () => running.output().includes(`chmod 600 ${pathOf('a.example.com')}`) || null,
    );
    expect((await send(running, KEY_B, 'x')).status).toBe(200);
    expect(lastCredential()).toBe('sk-upstream-key-new');
    await chmod(pathOf('a.example.com'), 0o600);
    await eventually('it is taken now', async () => {
      await send(running, KEY_B, 'x');
      return lastCredential() === 'sk-upstream-key-open' || null;
    });
  });

  it.each([
    ['a file', 0o640, 0o700, 'chmod 600'],
    ['a file', 0o604, 0o700, 'chmod 600'],
    ['the folder', 0o600, 0o750, 'chmod 700'],
  ])('refuse to start when %s is open to others (%o in %o)', async (_what, fileMode, dirMode, command) => {
    await put('a.example.com', apiKey('sk-upstream-key-of-a', KEY_A), fileMode);
    await chmod(dir, dirMode);
    const failed = await start().then(
      () => '',
      (error: Error) => error.message,
    );
    expect(failed).toContain(`${command} ${command === 'chmod 600' ? pathOf('a.example.com') : dir}`);
    expect(failed).not.toContain('sk-upstream');
  });

  it('sign in with OAuth where that is permitted, and keep what was renewed over a restart', async () => {
    const tokens = provider.issue();
    await put('a.example.com', {
      type: 'oauth',
      accountId: 'max',
      oauth: { ...tokens, expiresAt: Date.now() - 1000, scopes: ['user:inference'], isMax: true },
      client_api_key: KEY_A,
      baseUrl: upstream.url,
      allowPrivateUpstream: true,
    });
    await expect(start()).rejects.toThrow('TALLYGATE_OAUTH_ACCOUNTS');
    const running = await start({
      TALLYGATE_OAUTH_ACCOUNTS: 'true',
      TALLYGATE_OAUTH_TOKEN_URL: provider.tokenUrl,
      TALLYGATE_OAUTH_CLIENT_ID: 'my-own-client',
    });
    expect((await send(running, KEY_A, 'a.example.com')).status).toBe(200);
    const bearer = upstream.requests.at(-1)?.value('authorization') ?? '';
    expect(provider.accepts(bearer.replace('Bearer ', ''))).toBe(true);
    expect(provider.refreshes()).toBe(1);
    await running.terminate();
    await running.restart();
    expect((await send(running, KEY_A, 'a.example.com')).status).toBe(200);
    expect(upstream.requests.at(-1)?.value('authorization')).toBe(bearer);
    expect(provider.refreshes()).toBe(1);
  });
});
