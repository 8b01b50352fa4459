import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataPaths } from '@tallygate/server/config/data-paths';
import { runCliProcess, spawnCli } from '@tallygate/testkit/cli-process';
import { recordingTerminal } from '@tallygate/testkit/recording-terminal';
import { stubAccount, stubKey, stubRequest, stubSums, stubTotals } from '@tallygate/testkit/stub-admin-data';
import {
  type StubAdminServer,
  type StubRoute,
  startStubAdminServer,
} from '@tallygate/testkit/stub-admin-server';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from './run-cli.ts';

let dataDir: string;
let stub: StubAdminServer | null = null;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tg-'));
});
afterEach(async () => {
  await stub?.close();
  stub = null;
  await rm(dataDir, { recursive: true, force: true });
});

/** Starts the stand-in on the data directory's control socket. */
async function serve(routes: Record<string, StubRoute>): Promise<StubAdminServer> {
  const { controlDir, controlSocket } = dataPaths(dataDir, process.getuid?.() ?? null);
  await mkdir(controlDir, { mode: 0o700 });
  stub = await startStubAdminServer(routes, { socketPath: controlSocket });
  return stub;
}

async function run(args: readonly string[], options: Parameters<typeof recordingTerminal>[0] = {}) {
  const terminal = recordingTerminal(options);
  const code = await runCli([...args, '--data-dir', dataDir], terminal);
  return { code, ...terminal.written };
}

describe('keys', () => {
  const created = { ...stubKey({ scopes: ['gateway', 'read'] }), key: 'tg_abcdef_whole' };

  it('create prints {"id","key","prefix",…} on one line (TW-05)', async () => {
    const server = await serve({ 'POST /api/keys': () => ({ status: 201, json: created }) });
    const args = ['keys', 'create', '--name', 'laptop', '--scopes', 'gateway,read', '--project', 'ci'];
    const { code, stdout, stderr } = await runCliProcess([
      ...args,
      '--expires',
      '30d',
      '--data-dir',
      dataDir,
      '--json',
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.trimEnd().split('\n')).toHaveLength(1);
    expect(Object.entries(JSON.parse(stdout)).slice(0, 2)).toEqual([
      ['id', 'k1'],
      ['key', 'tg_abcdef_whole'],
    ]);
    expect(JSON.parse(stdout)).toEqual(created);
    const { expiresAt, ...body } = (server.calls[0]?.body ?? {}) as Record<string, string>;
    expect(body).toEqual({ name: 'laptop', scopes: ['gateway', 'read'], project: 'ci' });
    expect(Math.abs(Date.parse(expiresAt ?? '') - Date.now() - 30 * 86_400_000)).toBeLessThan(60_000);
  });

  it('create asks for the scope gateway unless told', async () => {
    const server = await serve({ 'POST /api/keys': () => ({ json: created }) });
    expect((await run(['keys', 'create', '--name', 'x'])).out).toContain('Key\ttg_abcdef_whole');
    expect(server.calls[0]?.body).toEqual({ name: 'x', scopes: ['gateway'] });
  });

  const many = [
    stubKey(),
    stubKey({ id: 'k2', name: 'old', revokedAt: '2026-11-01T00:00:00.000Z' }),
    stubKey({ id: 'k3', name: 'gone', expiresAt: '2026-11-01T00:00:00.000Z' }),
  ];

  it('rotate sends the overlap, shows the new secret once and says how long the old one works (TW-05)', async () => {
    const previous = { prefix: 'tg_abcdef', expiresAt: '2026-11-22T13:00:00.000Z' };
    const rotated = { ...stubKey({ prefix: 'tg_new', previous }), key: 'tg_new_whole' };
    const server = await serve({
      'GET /api/keys': () => ({ json: { keys: [stubKey()] } }),
      'POST /api/keys/k1/rotate': () => ({ json: rotated }),
    });
    const { code, out } = await run(['keys', 'rotate', 'laptop', '--overlap', '1h'], { outIsTerminal: true });
    expect(code).toBe(0);
    expect(server.calls.at(-1)?.body).toEqual({ overlapSeconds: 3600 });
    expect(out).toContain('tg_new_whole');
    expect(out).toContain('tg_abcdef…) works until 2026-11-22T13:00:00.000Z');
    const json = await run(['keys', 'rotate', 'laptop', '--json']);
    expect(server.calls.at(-1)?.body).toEqual({ overlapSeconds: 0 });
    expect(JSON.parse(json.out)).toMatchObject({ id: 'k1', key: 'tg_new_whole' });
  });

  it('limit replaces the limits, and asks which when none is named (CF-13)', async () => {
    const restrictions = { addresses: ['10.0.0.0/8'], origins: [], models: ['a*', 'b'], providers: [] };
    const server = await serve({
      'GET /api/keys': () => ({ json: { keys: [stubKey()] } }),
      'PATCH /api/keys/k1': () => ({ json: stubKey({ restrictions }) }),
    });
    const args = ['keys', 'limit', 'laptop', '--addresses', '10.0.0.0/8', '--models', 'a*,b'];
    const { code, out } = await run(args, { outIsTerminal: true });
    expect([code, out]).toEqual([0, 'Limits of key laptop: addresses: 10.0.0.0/8; models: a* b.\n']);
    expect(server.calls.at(-1)?.body).toEqual({ restrictions });
    await run(['keys', 'limit', 'laptop', '--none']);
    expect(server.calls.at(-1)?.body).toEqual({
      restrictions: { addresses: [], origins: [], models: [], providers: [] },
    });
    for (const wrong of [[], ['--none', '--models', 'x']])
      expect((await run(['keys', 'limit', 'laptop', ...wrong])).code).toBe(2);
  });

  it('list shows those that work, all when asked', async () => {
    await serve({ 'GET /api/keys': () => ({ json: { keys: many } }) });
    const ids = async (args: string[]) =>
      JSON.parse((await run(['keys', 'list', '--json', ...args])).out).keys.map(
        (key: { id: string }) => key.id,
      );
    expect(await ids([])).toEqual(['k1']);
    expect(await ids(['--all'])).toEqual(['k1', 'k2', 'k3']);
    const { out } = await run(['keys', 'list', '--all'], { outIsTerminal: true });
    expect(out.split('\n')[0]).toMatch(
      /^ID +NAME +PREFIX +SCOPES +PROJECT +USER +LIMITS +STATE +EXPIRES \(UTC\)/,
    );
  });

  it('revoke finds by name, prefers the key that works, and is repeatable', async () => {
    const twice = [stubKey({ id: 'k0', revokedAt: '2026-11-01T00:00:00.000Z' }), stubKey()];
    const server = await serve({
      'GET /api/keys': () => ({ json: { keys: twice } }),
      'DELETE /api/keys/k1': () => ({ json: stubKey({ revokedAt: '2026-11-22T00:00:00.000Z' }) }),
    });
    expect((await run(['keys', 'revoke', 'laptop'])).out).toContain('Requests with it fail from now on.');
    expect(server.calls.map(({ method, path }) => `${method} ${path}`)).toContain('DELETE /api/keys/k1');
    expect((await run(['keys', 'revoke', 'k0'])).out).toContain('was revoked before');
  });

  it('rename sends the new name', async () => {
    const server = await serve({
      'GET /api/keys': () => ({ json: { keys: many } }),
      'PATCH /api/keys/k1': () => ({ json: stubKey({ name: 'new' }) }),
    });
    expect((await run(['keys', 'rename', 'laptop', '--name', 'new'])).code).toBe(0);
    expect(server.calls.at(-1)?.body).toEqual({ name: 'new' });
  });

  it('an unknown name suggests; an ambiguous one asks for the id', async () => {
    await serve({ 'GET /api/keys': () => ({ json: { keys: [stubKey(), stubKey({ id: 'k9' })] } }) });
    const unknown = await run(['keys', 'revoke', 'laptpo']);
    expect(unknown).toMatchObject({
      code: 1,
      out: '',
      error: expect.stringContaining('Did you mean laptop?'),
    });
    expect((await run(['keys', 'revoke', 'laptop'])).error).toContain('k1, k9');
  });
});

describe('vault (CF-13)', () => {
  const status = {
    masterKey: { id: '00112233aabbccdd', source: 'environment' },
    nextMasterKeyId: 'ffeeddccbbaa9988',
    dataKeys: [
      { id: 'aaaaaaaaaaaaaaaa', createdAt: '2026-11-01T00:00:00.000Z', active: false, values: 0 },
      { id: 'bbbbbbbbbbbbbbbb', createdAt: '2026-11-22T00:00:00.000Z', active: true, values: 1200 },
    ],
    otherValues: 0,
    job: { kind: 'data-key', done: 3, total: 9 },
  };

  it('status shows keys by id and what is running', async () => {
    await serve({ 'GET /api/vault': () => ({ json: status }) });
    const { code, out } = await run(['vault', 'status'], { outIsTerminal: true });
    expect(code).toBe(0);
    for (const part of ['00112233aabbccdd', 'ffeeddccbbaa9988', 'retired', 'seals', '1,200', '3 of 9'])
      expect(out).toContain(part);
  });

  it('rotate-master-key sends the key of the variable and says how to finish', async () => {
    const done = { keyId: 'n', previousKeyId: 'o', previousKeyFile: null, restartNeeded: true };
    const server = await serve({ 'POST /api/vault/rotate-master-key': () => ({ json: done }) });
    const env = { NEW_KEY: 'A'.repeat(43) };
    const args = ['vault', 'rotate-master-key', '--new-key-env', 'NEW_KEY'];
    const { code, out, error } = await run(args, { env, outIsTerminal: true });
    expect(code).toBe(0);
    expect(server.calls.find((call) => call.method === 'POST')?.body).toEqual({ newKey: env.NEW_KEY });
    expect(out).toContain('Start the server with n as TALLYGATE_MASTER_KEY');
    expect(out + error).not.toContain(env.NEW_KEY);
    const elsewhere = await run(['vault', 'rotate-master-key', '--server', 'https://gate.example']);
    expect([elsewhere.code, elsewhere.error]).toEqual([2, expect.stringContaining('machine of the server')]);
  });

  it('rotate-data-key says what it did', async () => {
    await serve({ 'POST /api/vault/rotate-data-key': () => ({ json: { keyId: 'k', resealed: 1200 } }) });
    const { code, out } = await run(['vault', 'rotate-data-key'], { outIsTerminal: true });
    expect([code, out]).toEqual([0, 'Data key k seals from now on; 1,200 values were sealed with it.\n']);
  });
});

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
      dataDir,
    ];
    const result = await runCliProcess([...args, '--json'], { env: { MY_KEY: ' sk-secret\n' } });
    expect({ code: result.code, stderr: result.stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(result.stdout).id).toBe('a1');
    expect(result.stdout).not.toContain('sk-secret');
    expect(server.calls[0]?.body).toEqual({ provider: 'anthropic', name: 'main', apiKey: 'sk-secret' });
  });

  it('add reads it from standard input', async () => {
    const server = await serve(add);
    const args = ['accounts', 'add', 'openai', '--name', 'main', '--api-key-stdin', '--data-dir', dataDir];
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

describe('usage', () => {
  const routes: Record<string, StubRoute> = {
    'GET /api/usage/totals': () => ({ json: stubTotals() }),
    'GET /api/usage/breakdown': (call) => ({
      json: {
        from: call.query.get('from'),
        to: call.query.get('to'),
        group: call.query.get('group'),
        rows: [{ ...stubSums(), key: 'm', label: 'claude-sonnet-4-5' }],
      },
    }),
  };

  it('asks for the range and the filters', async () => {
    const server = await serve(routes);
    await run(['usage', '--range', '7d', '--group', 'project', '--model', 'a,b', '--status', 'ok', '--json']);
    const [totals, breakdown] = server.calls;
    expect(Object.fromEntries(totals?.query ?? [])).toEqual({
      from: '2026-11-15T12:00:00.000Z',
      to: '2026-11-22T12:00:00.000Z',
      model: 'b',
      status: 'ok',
    });
    expect(totals?.query.getAll('model')).toEqual(['a', 'b']);
    expect(breakdown?.query.get('group')).toBe('project');
  });

  it('shows units in the headers, exact cost, and marks what is not exact', async () => {
    await serve(routes);
    const { out } = await run(['usage'], { outIsTerminal: true, columns: 200, env: { NO_COLOR: '1' } });
    expect(out).toContain(
      'Cost (USD)               12.345678901 + unknown: 3 requests unpriced (4,500 tokens)',
    );
    expect(out).toContain('Latency p50/p95/p99      812 ms / 4200 ms / 12.4 s');
    expect(out).toContain('First token p50/p95/p99  – / – / –');
    expect(out).toContain('3 unpriced, 2 estimated, 1 interrupted');
    expect(out).toContain('Output (tokens/s)        38.2');
    const [head = '', row = ''] = out.trimEnd().split('\n').slice(-2);
    expect(head).toMatch(/^MODEL +REQUESTS +ERRORS +INPUT \(TOKENS\) .* COST \(USD\) +NOT EXACT$/);
    expect(row).toMatch(/^claude-sonnet-4-5 +1,234 +12 +10,000 +90,000 +500 +7,000 +12\.345679 +3 unpriced/);
  });

  it('--times asks how fast each group was, and shows it (CF-11)', async () => {
    const latency = { count: 4, p50Ms: 900, p95Ms: 2000, p99Ms: 12_000 };
    const times = { latency, ttft: { ...latency, p50Ms: 120 }, outputTokensPerSecond: 41.26 };
    const server = await serve({
      ...routes,
      'GET /api/usage/breakdown': () => ({
        json: { from: '', to: '', group: 'model', rows: [{ ...stubSums(), key: 'm', label: 'm', times }] },
      }),
    });
    const { out } = await run(['usage', '--times'], {
      outIsTerminal: true,
      columns: 300,
      env: { NO_COLOR: '1' },
    });
    expect(server.calls[1]?.query.get('times')).toBe('true');
    const [head = '', row = ''] = out.trimEnd().split('\n').slice(-2);
    expect(head).toMatch(/P50 +P95 +P99 +FIRST TOKEN P50 +OUTPUT \(TOKENS\/S\) +CACHE HITS$/);
    expect(row).toMatch(/900 ms +2000 ms +12\.0 s +120 ms +41\.3 +89\.\d %$/);
  });

  it('--json carries the exact sums', async () => {
    await serve(routes);
    const body = JSON.parse((await run(['usage', '--json'])).out);
    expect(body.totals.costUsd).toBe('12.345678901');
    expect(body.breakdown).toMatchObject({ group: 'model', rows: [{ label: 'claude-sonnet-4-5' }] });
  });
});

describe('requests', () => {
  const rows = Array.from({ length: 1203 }, (_, i) => stubRequest({ id: `r${i}` }));

  /** Pages by keyset as the real one does. */
  const paged: StubRoute = ({ query }) => {
    const start = Number(query.get('cursor') ?? 0);
    const end = start + Number(query.get('limit'));
    return { json: { requests: rows.slice(start, end), nextCursor: end < rows.length ? String(end) : null } };
  };

  it('--json prints one object a line, newest first, with exactly the fields scripts rely on', async () => {
    await serve({ 'GET /api/requests': () => ({ json: { requests: [stubRequest()], nextCursor: null } }) });
    const { code, stdout } = await runCliProcess([
      'requests',
      '--data-dir',
      dataDir,
      '--since',
      '2026-11-01T00:00:00Z',
      '--json',
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(stubRequest());
    expect(JSON.parse(stdout)).toMatchObject({
      id: expect.any(String),
      upstreamRequestId: 'req_1',
      startedAt: '2026-11-22T10:00:00.000Z',
      status: 'ok',
      modelRequested: 'claude-sonnet-4-5',
      modelServed: 'claude-sonnet-4-5-20250929',
      provider: 'anthropic',
      tokens: {
        inputUncached: 1000,
        cacheRead: 0,
        cacheWrite5m: null,
        cacheWrite1h: null,
        outputVisible: 200,
        outputReasoning: null,
      },
      costUsd: '0.006',
      priceStatus: 'priced',
      settleStatus: 'final',
      latencyMs: 1500,
      ttftMs: 300,
    });
  });

  it.each([
    [50, []],
    [1, ['--limit', '1']],
    [501, ['--limit', '501']],
    [1203, ['--limit', '5000']],
  ])('prints %i of 1203 with %j, across pages', async (expected, args) => {
    await serve({ 'GET /api/requests': paged });
    const { out } = await run(['requests', '--json', ...args]);
    const ids = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).id);
    expect(ids).toEqual(rows.slice(0, expected).map((row) => row.id));
  });

  it('passes range and filters on', async () => {
    const server = await serve({ 'GET /api/requests': () => ({ json: { requests: [], nextCursor: null } }) });
    const { out } = await run([
      'requests',
      '--since',
      '1h',
      '--until',
      '2026-11-22',
      '--tag',
      'x',
      '--status',
      'timeout',
    ]);
    expect(out).toBe('No requests in this range.\n');
    expect(Object.fromEntries(server.calls[0]?.query ?? [])).toEqual({
      from: '2026-11-22T11:00:00.000Z',
      to: '2026-11-22T00:00:00.000Z',
      tag: 'x',
      status: 'timeout',
      limit: '50',
    });
  });

  it('marks what has no price or no final usage', async () => {
    const odd = [
      stubRequest({ costUsd: null, priceStatus: 'unpriced' }),
      stubRequest({
        costUsd: null,
        priceStatus: 'no_usage',
        settleStatus: 'interrupted',
        status: 'interrupted',
        httpStatus: null,
      }),
      stubRequest({ settleStatus: 'estimated' }),
    ];
    await serve({ 'GET /api/requests': () => ({ json: { requests: odd, nextCursor: null } }) });
    const costs = (await run(['requests'])).out
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.split('\t')[6]);
    expect(costs).toEqual(['unpriced', 'no usage (interrupted)', '0.006000 (estimated)']);
  });

  it('a closed pipe ends it quietly', async () => {
    await serve({ 'GET /api/requests': paged });
    const running = spawnCli(['requests', '--limit', '1203', '--json', '--data-dir', dataDir]);
    running.child.stdout?.once('data', () => running.child.stdout?.destroy());
    const { code, stderr } = await running.finished;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

describe('requests --follow', () => {
  const event = (seq: number, id: string) =>
    `id: ${seq}\nevent: request\ndata: ${JSON.stringify(stubRequest({ id }))}\n\n`;
  const earlier = [stubRequest({ id: 'e2' }), stubRequest({ id: 'e1' })];

  function openStream(response: ServerResponse, first: string) {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`: open\n\n${first}`);
  }

  it('shows the last ones, oldest first, then new ones, none twice, until interrupted', async () => {
    let send: (text: string) => void = () => {};
    await serve({
      'GET /api/requests': () => ({ json: { requests: earlier, nextCursor: null } }),
      'GET /api/requests/stream': (_call, response) => {
        openStream(response, event(5, 'e2'));
        send = (text) => response.write(text);
        return undefined;
      },
    });
    const running = spawnCli(['requests', '--follow', '--json', '--data-dir', dataDir]);
    await running.printed('"e2"');
    send(event(6, 'n1'));
    await running.printed('"n1"');
    running.child.kill('SIGINT');
    const { code, stdout, stderr } = await running.finished;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).id),
    ).toEqual(['e1', 'e2', 'n1']);
  });

  it('resumes after a lost connection where it was (WT-16)', async () => {
    const open: ServerResponse[] = [];
    const server = await serve({
      'GET /api/requests': () => ({ json: { requests: [], nextCursor: null } }),
      'GET /api/requests/stream': (_call, response) => {
        openStream(response, open.length === 0 ? event(6, 'n1') : event(7, 'n2'));
        open.push(response);
        return undefined;
      },
    });
    const running = spawnCli(['requests', '--follow', '--json', '--model', 'm', '--data-dir', dataDir]);
    await running.printed('"n1"');
    open[0]?.destroy();
    await running.printed('"n2"');
    running.child.kill('SIGTERM');
    expect((await running.finished).code).toBe(0);
    const streams = server.calls.filter(({ path }) => path.endsWith('/stream'));
    expect(streams.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '6']);
    expect(streams.map(({ query }) => query.get('model'))).toEqual(['m', 'm']);
  });

  it('misses nothing when the first connection is lost before it said anything', async () => {
    let connections = 0;
    const server = await serve({
      'GET /api/requests': () => {
        const late = connections === 1 ? [] : [stubRequest({ id: 'late' })];
        return { json: { requests: [...late, ...earlier], nextCursor: null } };
      },
      'GET /api/requests/stream': (_call, response) => {
        connections += 1;
        openStream(response, '');
        if (connections === 1) response.end();
        return undefined;
      },
    });
    const running = spawnCli(['requests', '--follow', '--json', '--data-dir', dataDir]);
    await running.printed('"late"');
    running.child.kill('SIGTERM');
    const { stdout } = await running.finished;
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).id),
    ).toEqual(['e1', 'e2', 'late']);
    expect(server.calls).toHaveLength(4);
  });

  it('a refusal ends it', async () => {
    const error = {
      code: 'permission_denied',
      message: 'This credential may not do that.',
      requestId: 'r',
      docs: '',
    };
    await serve({ 'GET /api/requests/stream': () => ({ status: 403, json: { error } }) });
    expect(await run(['requests', '--follow'])).toMatchObject({
      code: 1,
      error: expect.stringContaining('may not'),
    });
  });
});

describe('rollups', () => {
  it('rebuild', async () => {
    const answer = {
      from: '2026-11-15T00:00:00.000Z',
      to: '2026-11-22T00:00:00.000Z',
      events: 5,
      rollupRows: 9,
    };
    const server = await serve({ 'POST /api/rollups/rebuild': () => ({ json: answer }) });
    expect(JSON.parse((await run(['rollups', 'rebuild', '--since', '7d', '--json'])).out)).toEqual(answer);
    expect(server.calls[0]?.body).toEqual({ from: '2026-11-15T12:00:00.000Z' });
  });

  it('verify tells by its exit code (TW-21)', async () => {
    let differences: unknown[] = [];
    await serve({
      'POST /api/rollups/verify': () => ({
        json: { ok: differences.length === 0, bucketsChecked: 9, differences },
      }),
    });
    expect((await run(['rollups', 'verify'])).code).toBe(0);
    differences = [{ bucket: '2026-11-22T10', field: 'requests', rollup: '5', rows: '6' }];
    expect(await run(['rollups', 'verify'])).toMatchObject({
      code: 1,
      out: expect.stringContaining('2026-11-22T10\trequests\t5\t6'),
    });
  });
});

describe('backup', () => {
  it('sends an absolute path', async () => {
    const server = await serve({
      'POST /api/backup': ({ body }) => ({
        json: { ...(body as object), bytes: 2048, events: 3, costUsd: '1.5' },
      }),
    });
    const { out } = await run(['backup', 'copy.backup'], { cwd: dataDir });
    expect(server.calls[0]?.body).toEqual({ path: join(dataDir, 'copy.backup') });
    expect(out).toContain('3 requests worth 1.5 USD');
  });
});

describe('restore', () => {
  it('refuses while the server runs', async () => {
    await serve({});
    await writeFile(join(dataDir, 'x.backup'), '');
    expect(await run(['restore', 'x.backup'], { cwd: dataDir })).toMatchObject({
      code: 1,
      error: expect.stringContaining('The server is running'),
    });
  });
  it('refuses a file that is not there', async () => {
    expect((await run(['restore', 'nothing'], { cwd: dataDir })).error).toContain('There is no backup file');
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
    await mkdir(join(dataDir, '.claude'));
    await writeFile(join(dataDir, '.claude', 'settings.json'), '{"model":"opus"}');
    const args = ['connect', 'claude-code', '--write', '--key-env', 'K', '--data-dir', dataDir, '--json'];
    const { code, stdout } = await runCliProcess(args, {
      env: { HOME: dataDir, K: 'tg_secret', ANTHROPIC_API_KEY: 'x' },
    });
    expect(code).toBe(0);
    expect(stdout).not.toContain('tg_secret');
    expect(JSON.parse(stdout)).toMatchObject({
      changed: true,
      warnings: [expect.stringContaining('ANTHROPIC_API_KEY')],
    });
    expect(JSON.parse(await readFile(join(dataDir, '.claude', 'settings.json'), 'utf8'))).toEqual({
      model: 'opus',
      env: { ANTHROPIC_BASE_URL: 'http://127.0.0.1:4100', ANTHROPIC_AUTH_TOKEN: 'tg_secret' },
    });
  });

  it('--create-key --write sets Claude Code up in one go', async () => {
    const created = { ...stubKey({ name: 'claude-code' }), key: 'tg_new' };
    const server = await serve({ 'POST /api/keys': () => ({ status: 201, json: created }) });
    const { code } = await run(['connect', 'claude-code', '--write', '--create-key'], { homeDir: dataDir });
    expect(code).toBe(0);
    expect(server.calls[0]?.body).toEqual({ name: 'claude-code', scopes: ['gateway'] });
    const written = JSON.parse(await readFile(join(dataDir, '.claude', 'settings.json'), 'utf8'));
    expect(written.env.ANTHROPIC_AUTH_TOKEN).toBe('tg_new');
  });

  it('creates no key when there is no address to give it to', async () => {
    const server = await serve({});
    expect((await run(['connect', 'curl', '--create-key', '--port', '0'])).code).toBe(2);
    expect(server.calls).toEqual([]);
  });
});

describe('price', () => {
  const args = [
    'price',
    '--provider',
    'anthropic',
    '--model',
    'claude-sonnet-4-5',
    '--at',
    '2026-01-15T00:00:00Z',
  ];
  const answer = '{"usage":{"input_tokens":1000,"output_tokens":200}}';

  it('needs neither a server nor a data directory', async () => {
    await rm(dataDir, { recursive: true });
    const { code, stdout } = await runCliProcess([
      ...args,
      '--answer-json',
      answer,
      '--json',
      '--data-dir',
      dataDir,
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      costUsd: '0.006',
      priceStatus: 'priced',
      lines: expect.any(Array),
    });
    await expect(mkdir(dataDir)).resolves.toBeUndefined();
  });

  it('takes the answer from a file or standard input', async () => {
    await writeFile(join(dataDir, 'a.json'), answer);
    const fromFile = await run([...args, '--answer-json', '@a.json'], { cwd: dataDir });
    const fromInput = await run([...args, '--answer-json', '-'], { input: answer });
    expect(fromFile.out).toContain('Cost (USD)\t0.006\n');
    expect(fromInput.out).toBe(fromFile.out);
  });

  it('an unknown price is null, never zero (X-03)', async () => {
    const unknown = [
      'price',
      '--provider',
      'anthropic',
      '--model',
      'claude-unheard-of-9',
      '--answer-json',
      answer,
      '--json',
    ];
    expect(JSON.parse((await run(unknown)).out)).toMatchObject({
      costUsd: null,
      priceStatus: 'unpriced',
      card: null,
    });
  });

  it('asks the named server, whose own prices count', async () => {
    const quote = { costUsd: '9', priceStatus: 'priced', card: 'own', lines: [] };
    const remote = await startStubAdminServer({ 'POST /api/prices/quote': () => ({ json: quote }) });
    try {
      const env = { TALLYGATE_ADMIN_KEY: 'tg_admin' };
      const { out } = await run([...args, '--answer-json', answer, '--server', remote.url, '--json'], {
        env,
      });
      expect(JSON.parse(out)).toEqual(quote);
      expect(remote.calls[0]?.body).toMatchObject({
        at: '2026-01-15T00:00:00.000Z',
        answer: JSON.parse(answer),
      });
    } finally {
      await remote.close();
    }
  });
});

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
