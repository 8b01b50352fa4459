import { cp, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RequestView } from '@tallygate/contract/api/usage';
import { type CliOptions, runCliProcess, spawnCli } from '@tallygate/testkit/cli-process';
import { eventually } from '@tallygate/testkit/eventually';
import { anthropicApi, anthropicMessage } from '@tallygate/testkit/fake-upstream/anthropic';
import { type FakeUpstream, startFakeUpstream } from '@tallygate/testkit/fake-upstream/fake-upstream';
import { type GateProcess, startGateProcess } from '@tallygate/testkit/gate-process';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

/** One installation, set up and used through the command line alone, in the order a person would (CF-12). */
// Every command is a process of its own that loads the program from its sources.
vi.setConfig({ testTimeout: 120_000 });

const OWNER = { DASHBOARD_USERNAME: 'owner', DASHBOARD_PASSWORD: 'a-throwaway-Passphrase-91' };
const UPSTREAM_KEY = 'sk-ant-upstream-secret-0001';
const MODEL = 'claude-sonnet-4-6';

let root: string;
let dataDir: string;
let upstream: FakeUpstream;
let gate: GateProcess;
let key: string;
let adminKey: string;

async function cli(args: readonly string[], options: CliOptions = {}, dir = dataDir) {
  const result = await runCliProcess([...args, '--data-dir', dir, '--json'], options);
  const lines = result.stdout.split('\n').filter((line) => line !== '');
  return { ...result, values: lines.map((line) => JSON.parse(line)) };
}

async function succeeds(args: readonly string[], options: CliOptions = {}, dir = dataDir) {
  const { code, stderr, values } = await cli(args, options, dir);
  expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
  return values;
}

const startGate = () => startGateProcess({ dataDir, env: OWNER });

async function stopGate(): Promise<void> {
  gate.child.kill('SIGTERM');
  await gate.exited;
}

function send(apiKey = key, url = gate.url): Promise<Response> {
  return fetch(`${url}/v1/messages`, {
    method: 'POST',
    headers: { 'x-api-key': apiKey, 'anthropic-version': '2023-06-01', 'content-type': 'application/json' },
    body: JSON.stringify({ model: MODEL, max_tokens: 10, messages: [{ role: 'user', content: 'Hello' }] }),
  });
}

async function untilListed(count: number): Promise<RequestView[]> {
  return eventually(
    'the requests are in the ledger',
    async () => {
      const rows = (await cli(['requests'])).values;
      return rows.length >= count ? rows : null;
    },
    60_000,
  );
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tg-cli-'));
  dataDir = join(root, 'data');
  upstream = await startFakeUpstream(anthropicApi());
});
afterAll(async () => {
  if (gate && gate.child.exitCode === null && gate.child.signalCode === null) await stopGate();
  await upstream?.stop();
  await rm(root, { recursive: true, force: true });
});

describe('before the first start', () => {
  it('reading makes no data directory', async () => {
    const { code, stderr, stdout } = await cli(['usage']);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(JSON.parse(stderr).error.code).toBe('data_directory_missing');
    await expect(stat(dataDir)).rejects.toThrow('ENOENT');
  });

  it('keys and accounts are made without a server and without a browser', async () => {
    [{ key }] = await succeeds([
      'keys',
      'create',
      '--name',
      'laptop',
      '--scopes',
      'gateway',
      '--project',
      'web',
    ]);
    [{ key: adminKey }] = await succeeds(['keys', 'create', '--name', 'cli', '--scopes', 'admin']);
    expect(key).toMatch(/^tg_/);
    const account = ['accounts', 'add', 'anthropic', '--name', 'main', '--api-key-env', 'UPSTREAM'];
    const [added] = await succeeds([...account, '--base-url', upstream.url, '--allow-private-upstream'], {
      env: { UPSTREAM: UPSTREAM_KEY },
    });
    expect(added).toMatchObject({ provider: 'anthropic', baseUrl: upstream.url, credentialHint: '0001' });
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
  });

  it('a refusal keeps the code of the API', async () => {
    const { code, stderr } = await cli(
      ['accounts', 'add', 'anthropic', '--name', 'main', '--api-key-env', 'K'],
      {
        env: { K: 'sk-second-one' },
      },
    );
    expect(code).toBe(1);
    expect(JSON.parse(stderr).error.code).toBe('name_taken');
  });

  it('following needs a server, and says so', async () => {
    const { code, stderr } = await cli(['requests', '--follow']);
    expect({ code, error: JSON.parse(stderr).error.code }).toEqual({ code: 1, error: 'no_server' });
  });
});

describe('with a running server', () => {
  beforeAll(async () => {
    gate = await startGate();
  });

  it('what was set up before works at once', async () => {
    const answer = await send();
    expect(answer.status).toBe(200);
    await answer.text();
    expect(upstream.requests.at(-1)?.headers).toBeDefined();
  });

  it('requests --json has the line with exact tokens and cost', async () => {
    const [row] = await untilListed(1);
    expect(row).toMatchObject({
      status: 'ok',
      modelRequested: MODEL,
      provider: 'anthropic',
      project: { slug: 'web' },
      priceStatus: 'priced',
      settleStatus: 'final',
      tokens: {
        inputUncached: expect.any(Number),
        cacheRead: expect.any(Number),
        outputVisible: expect.any(Number),
      },
      costUsd: expect.stringMatching(/^\d+\.\d+$/),
    });
    const [usage] = await succeeds(['usage', '--range', '1h', '--group', 'project']);
    expect(usage.totals).toMatchObject({ requests: 1, costUsd: row?.costUsd });
    expect(usage.breakdown.rows).toMatchObject([{ label: 'web', costUsd: row?.costUsd }]);
  });

  it('the account is tried for nothing', async () => {
    const { code, values } = await cli(['accounts', 'test', 'main']);
    expect({ code, ok: values[0]?.ok }).toEqual({ code: 0, ok: true });
  });

  it('a new key works the moment the command returns, a revoked one fails the moment it returns (TW-05)', async () => {
    const [made] = await succeeds(['keys', 'create', '--name', 'brief', '--scopes', 'gateway']);
    expect((await send(made.key)).status).toBe(200);
    await succeeds(['keys', 'revoke', 'brief']);
    expect((await send(made.key)).status).toBe(401);
  });

  it('requests --follow shows a request as it ends', async () => {
    const following = spawnCli(['requests', '--follow', '--data-dir', dataDir, '--json', '--limit', '1']);
    await following.printed('\n');
    const answer = await send();
    await answer.text();
    const id = answer.headers.get('x-tallygate-request-id') ?? 'no id';
    await following.printed(id);
    following.child.kill('SIGINT');
    const { code, stdout } = await following.finished;
    expect(code).toBe(0);
    const lines: RequestView[] = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.filter((row) => row.id === id)).toHaveLength(1);
  });

  it('an admin key does the same over the network, a gateway key does not', async () => {
    const remote = (secret: string) =>
      runCliProcess(['keys', 'list', '--server', gate.url, '--json'], {
        env: { TALLYGATE_ADMIN_KEY: secret },
      });
    expect(JSON.parse((await remote(adminKey)).stdout).keys).toHaveLength(2);
    const refused = await remote(key);
    expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code: 1, stdout: '' });
    expect(JSON.parse(refused.stderr).error.code).toBe('permission_denied');
  });

  it('doctor finds it in order and the upstream reachable (WT-10)', async () => {
    const { code, values } = await cli(['doctor', '--upstreams', '--port', String(gate.port)]);
    expect(values[0]?.checks.filter((check: { status: string }) => check.status === 'fail')).toEqual([]);
    expect(code).toBe(0);
    const ids = values[0]?.checks.map((check: { id: string }) => check.id);
    expect(ids).toEqual(
      expect.arrayContaining(['configuration', 'clock', 'port', 'store', 'journal', 'upstream:main']),
    );
  });

  it('vault: data key and master key are rotated while it runs, and it goes on working (CF-13)', async () => {
    const ask = async (...args: string[]) => JSON.parse((await cli(args)).stdout);
    const before = await ask('vault', 'status');
    expect(before).toMatchObject({ masterKey: { source: 'file' }, dataKeys: [{ active: true }] });
    const dataKey = await ask('vault', 'rotate-data-key');
    expect(dataKey).toMatchObject({ keyId: expect.stringMatching(/^[0-9a-f]{16}$/), resealed: 2 });
    const masterKey = await ask('vault', 'rotate-master-key');
    expect(masterKey).toMatchObject({ previousKeyId: before.masterKey.id, restartNeeded: false });
    const after = await ask('vault', 'status');
    expect(after).toMatchObject({ masterKey: { id: masterKey.keyId }, nextMasterKeyId: null });
    expect(after.dataKeys.map((key: { active: boolean }) => key.active)).toEqual([false, true]);
    expect((await cli(['accounts', 'test', 'main'])).code).toBe(0);
  });

  it('rollups verify, rebuild and a backup while it runs (TW-21, TW-22, WT-13)', async () => {
    const before = (await untilListed(3)).length;
    expect((await succeeds(['rollups', 'verify']))[0]).toMatchObject({ ok: true });
    expect((await succeeds(['rollups', 'rebuild']))[0]).toMatchObject({ events: before });
    const path = join(root, 'copy.backup');
    expect((await succeeds(['backup', path]))[0]).toMatchObject({ path, events: before });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await cli(['restore', path])).code).toBe(1);
  });

  it('price agrees with what the request cost, to the last digit', async () => {
    const [row] = await untilListed(1);
    const answer = JSON.stringify(anthropicMessage({ model: MODEL }));
    const at = row?.startedAt ?? '';
    const asked = ['price', '--provider', 'anthropic', '--model', MODEL, '--at', at, '--answer-json', answer];
    const quote = { costUsd: row?.costUsd, priceStatus: 'priced', card: row?.priceCard };
    expect((await succeeds(asked))[0]).toMatchObject(quote);
    expect((await succeeds(asked, {}, join(root, 'nowhere')))[0]).toMatchObject(quote);
  });

  it('no command shows the upstream credential', async () => {
    const outputs = await Promise.all([
      cli(['accounts', 'list']),
      cli(['config', 'explain']),
      cli(['doctor']),
    ]);
    for (const { stdout, stderr } of outputs) expect(stdout + stderr).not.toContain(UPSTREAM_KEY);
    expect(gate.output()).not.toContain(UPSTREAM_KEY);
  });

  it('a second start says who is in the way', async () => {
    const { code, stderr } = await runCliProcess(['start', '--data-dir', dataDir, '--port', '0', '--json'], {
      env: OWNER,
    });
    expect(code).toBe(1);
    expect(JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '').error.code).toBe('start_failed');
  });
});

describe('after the server', () => {
  it('was killed, its socket file is passed over and the store opened', async () => {
    gate.child.kill('SIGKILL');
    await gate.exited;
    const [listed] = await succeeds(['keys', 'list', '--all']);
    expect(listed.keys).toHaveLength(3);
  });

  it('a backup is restored with equal totals into a new data directory (TW-22)', async () => {
    const elsewhere = join(root, 'restored');
    const range = ['usage', '--since', '1h', '--group', 'key'];
    const [restored] = await succeeds(['restore', join(root, 'copy.backup')], {}, elsewhere);
    await cp(join(dataDir, 'master.key'), join(elsewhere, 'master.key'));
    const [usage] = await succeeds(range, {}, elsewhere);
    expect(usage.totals).toMatchObject({ requests: restored.events, costUsd: restored.costUsd });
    const again = await cli(['restore', join(root, 'copy.backup')], {}, elsewhere);
    expect({ code: again.code, error: JSON.parse(again.stderr).error.code }).toEqual({
      code: 1,
      error: 'conflict',
    });
  });

  it('starts at the same moment, a new key is known to it; asked to stop it ends with 0', async () => {
    const starting = spawnCli(['start', '--data-dir', dataDir, '--port', '0', '--json'], { env: OWNER });
    const [made] = await succeeds(['keys', 'create', '--name', 'racing', '--scopes', 'gateway']);
    await starting.printed('listens on');
    const [, url = ''] = /(http:\/\/127\.0\.0\.1:\d+)/.exec(starting.output()) ?? [];
    expect((await send(made.key, url)).status).toBe(200);
    starting.child.kill('SIGINT');
    const { code, stdout } = await starting.finished;
    expect(code).toBe(0);
    for (const line of stdout.trimEnd().split('\n'))
      expect(JSON.parse(line)).toEqual({ message: expect.any(String) });
  });
});
