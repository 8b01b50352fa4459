import { type AdminWorld, startAdminWorld } from '@tallygate/testkit/admin-world';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AccountRow } from '../../store/store.ts';

const API_KEY = 'sk-ant-api03-0123456789abcdefWXYZ';
let world: AdminWorld;
let tested: AccountRow[];
beforeEach(async () => {
  tested = [];
  world = await startAdminWorld(await openTestStore(), {
    testAccount: async (row) => {
      tested.push(row);
      return {
        ok: false,
        httpStatus: 401,
        latencyMs: 5,
        message: 'The upstream refused the credential.',
        models: [],
      };
    },
  });
});
afterEach(() => world.close());

const create = (body: unknown) => world.call('/api/accounts', { local: true, method: 'POST', body });
const change = (id: unknown, body: unknown) =>
  world.call(`/api/accounts/${id}`, { local: true, method: 'PATCH', body });
const stored = async () => (await world.deps.store.config.listAccounts(null))[0];

describe('POST /api/accounts', () => {
  it('201 seals the credential for this row and shows its last characters only', async () => {
    const answer = await create({ provider: 'anthropic', name: 'main', apiKey: API_KEY });
    expect(answer.status).toBe(201);
    expect(answer.json).toMatchObject({
      provider: 'anthropic',
      preset: null,
      baseUrl: 'https://api.anthropic.com',
      credentialHint: 'WXYZ',
      allowPrivateUpstream: false,
      models: [],
      priority: 100,
      paused: false,
    });
    const row = await stored();
    expect(row?.sealedCredential).not.toContain(API_KEY);
    const context = { table: 'account', row: String(answer.json.id), column: 'credential' };
    expect(world.deps.vault.open(row?.sealedCredential ?? '', context).reveal()).toBe(API_KEY);
    expect(() => world.deps.vault.open(row?.sealedCredential ?? '', { ...context, row: 'other' })).toThrow();
    expect(world.refreshes()).toBe(1);
  });

  it('201 for a local preset: its address, private by nature, no credential', async () => {
    const answer = await create({ provider: 'compatible', preset: 'ollama', name: 'gpu' });
    expect(answer.status).toBe(201);
    expect(answer.json).toMatchObject({ preset: 'ollama', allowPrivateUpstream: true, credentialHint: null });
    expect((await stored())?.sealedCredential).toBeNull();
  });

  it('201 without trailing slashes in the address, and without spaces around the credential', async () => {
    const answer = await create({
      provider: 'openai',
      name: 'x',
      baseUrl: 'https://Proxy.Example.com/v1//',
      apiKey: ` ${API_KEY}\n`,
    });
    expect(answer.json).toMatchObject({ baseUrl: 'https://proxy.example.com/v1', credentialHint: 'WXYZ' });
  });

  it('201 with pinned keys, which need https and the form of a SHA-256 (CF-13)', async () => {
    const pin = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';
    const base = { provider: 'openai', apiKey: API_KEY, allowPrivateUpstream: true };
    const made = await create({ ...base, name: 'pinned', pinSha256: [pin] });
    expect([made.status, made.json.pinSha256]).toEqual([201, [pin]]);
    expect((await stored())?.pinSha256).toEqual([pin]);
    expect((await change(made.json.id, { pinSha256: [] })).json.pinSha256).toEqual([]);
    const plain = await create({ ...base, name: 'plain', baseUrl: 'http://127.0.0.1', pinSha256: [pin] });
    expect([plain.status, plain.json.error?.details?.[0]?.path]).toEqual([400, 'pinSha256']);
    for (const wrong of ['', 'x', `sha256//${pin}`, pin.slice(1), `${pin}=`]) {
      expect((await create({ ...base, name: 'wrong', pinSha256: [wrong] })).status).toBe(400);
    }
  });

  it('409 name_taken for a name in use, and the second credential is not stored', async () => {
    await create({ provider: 'anthropic', name: 'main', apiKey: API_KEY });
    const answer = await create({ provider: 'openai', name: 'main', apiKey: API_KEY });
    expect([answer.status, answer.json.error?.code]).toEqual([409, 'name_taken']);
    expect(await world.deps.store.config.listAccounts(null)).toHaveLength(1);
  });

  it.each([
    ['provider', { provider: 'nobody' }, /anthropic, openai, compatible/],
    ['preset', { preset: 'ollama' }, /not taken/],
    ['preset', { provider: 'compatible', preset: 'nothing' }, /is not one of .*ollama/],
    ['baseUrl', { provider: 'compatible' }, /needed/],
    ['apiKey', { apiKey: undefined }, /needed/],
    ['apiKey', { apiKey: 'two words' }, /printable ASCII/],
    ['apiKey', { apiKey: 'line\r\nX-Injected: 1' }, /printable ASCII/],
    ['apiKey', { apiKey: 'ключ' }, /printable ASCII/],
    ['priority', { priority: -1 }, /./],
    ['paused', { paused: true }, /not a known field/],
  ])('400 naming %s for %j', async (field, part, words) => {
    const answer = await create({ provider: 'anthropic', name: 'main', apiKey: API_KEY, ...part });
    expect(answer.status).toBe(400);
    expect(answer.json.error?.details?.[0]?.path).toBe(field);
    expect(answer.json.error?.message).toMatch(words);
    expect(await stored()).toBeUndefined();
  });

  describe('where it may point (SSRF)', () => {
    const at = (baseUrl: string, allowPrivateUpstream?: boolean) =>
      create({
        provider: 'anthropic',
        name: 'x',
        apiKey: API_KEY,
        baseUrl,
        ...(allowPrivateUpstream === undefined ? {} : { allowPrivateUpstream }),
      });

    it.each([
      'http://example.com',
      'https://127.0.0.1',
      'https://localhost:8000',
      'https://x.localhost',
      'https://[::1]/',
      'https://10.1.2.3',
      'https://192.168.1.1',
      'https://169.254.169.254/latest',
      'https://100.64.0.1',
      'https://2130706433',
      'https://0x7f.1',
      'https://127.1',
      'https://[::ffff:127.0.0.1]',
      'https://[64:ff9b::7f00:1]',
      'https://0.0.0.0',
      'https://localhost.',
    ])('400 for %s without allowPrivateUpstream', async (baseUrl) => {
      const answer = await at(baseUrl);
      expect([answer.status, answer.json.error?.details?.[0]?.path]).toEqual([400, 'baseUrl']);
    });

    it.each(['http://127.0.0.1:8000/v1', 'https://10.1.2.3', 'http://gpu.internal'])(
      '201 for %s with it',
      async (baseUrl) => {
        expect((await at(baseUrl, true)).status).toBe(201);
      },
    );

    it.each([
      'ftp://example.com',
      'file:///etc/passwd',
      'https://user:pw@example.com',
      'https://user@example.com',
      'https://example.com/?x=1',
      'https://example.com/#x',
      'javascript:alert(1)',
      'example.com',
      '',
    ])('400 for %s, with or without it, and no credential is repeated', async (baseUrl) => {
      for (const allow of [true, false]) {
        const answer = await at(baseUrl, allow);
        expect([answer.status, answer.json.error?.details?.[0]?.path]).toEqual([400, 'baseUrl']);
        expect(answer.text).not.toContain('pw@');
      }
    });
  });
});

describe('what an account is for (CF-02)', () => {
  it('keeps tier, notes and whom it serves, and names what it is bound to', async () => {
    const project = { slug: 'web' };
    const { id } = (await world.call('/api/projects', { local: true, method: 'POST', body: project })).json;
    const boundTo = [`project:${id}`];
    const made = await create({
      provider: 'anthropic',
      name: 'm',
      apiKey: API_KEY,
      tier: 20,
      notes: 'ü',
      boundTo,
    });
    expect(made.json).toMatchObject({
      tier: 20,
      notes: 'ü',
      boundTo: [{ kind: 'project', name: 'web' }],
    });
    const changed = await change(made.json.id, { tier: 5, notes: null, boundTo: [] });
    expect(changed.json).toMatchObject({ tier: 5, notes: null, boundTo: [], weight: 1 });
    for (const wrong of [['project:nobody'], ['key:nobody'], ['team:x'], ['key:']])
      expect((await change(made.json.id, { boundTo: wrong })).status).toBe(400);
    expect((await change(made.json.id, { tier: 0 })).status).toBe(400);
  });

  it('forgets limits on request', async () => {
    const { id } = (await create({ provider: 'anthropic', name: 'm', apiKey: API_KEY })).json;
    const nowMs = world.deps.clock.now();
    const bench = { model: null, family: false, untilMs: nowMs + 1e9, reason: 'x' };
    world.deps.accountState(String(id)).bench(bench, nowMs);
    const limited = (await world.call('/api/accounts', { local: true })).json.accounts as object[];
    expect(limited).toMatchObject([{ condition: 'limited' }]);
    const reset = await world.call(`/api/accounts/${id}/reset`, { local: true, method: 'POST' });
    expect([reset.status, reset.json.condition]).toEqual([200, 'ready']);
  });
});

describe('PATCH /api/accounts/:id', () => {
  it('200 pauses, resumes and renames, leaving the credential alone', async () => {
    const { id } = (await create({ provider: 'anthropic', name: 'main', apiKey: API_KEY })).json;
    const sealed = (await stored())?.sealedCredential;
    expect((await change(id, { paused: true, priority: 5, models: ['claude-*'] })).json).toMatchObject({
      paused: true,
      priority: 5,
      models: ['claude-*'],
      name: 'main',
    });
    expect((await change(id, { paused: false, name: 'second' })).json).toMatchObject({
      paused: false,
      name: 'second',
      priority: 5,
    });
    expect((await stored())?.sealedCredential).toBe(sealed);
    expect(world.refreshes()).toBe(3);
  });

  it('200 seals a new credential', async () => {
    const { id } = (await create({ provider: 'anthropic', name: 'main', apiKey: API_KEY })).json;
    expect((await change(id, { apiKey: 'sk-ant-another-credential-ABCD' })).json.credentialHint).toBe('ABCD');
    const context = { table: 'account', row: String(id), column: 'credential' };
    expect(world.deps.vault.open((await stored())?.sealedCredential ?? '', context).reveal()).toBe(
      'sk-ant-another-credential-ABCD',
    );
  });

  it('400 for what cannot be changed, 404 for an unknown one', async () => {
    const { id } = (await create({ provider: 'anthropic', name: 'main', apiKey: API_KEY })).json;
    expect((await change(id, { baseUrl: 'https://evil.example' })).status).toBe(400);
    expect((await change('nope', { paused: true })).status).toBe(404);
    expect((await change('nope', {})).status).toBe(404);
  });
});

describe('what is known of an account (CF-06, NX-12)', () => {
  it('shows windows and limits until they end, and a new credential starts anew', async () => {
    const { id } = (await create({ provider: 'anthropic', name: 'main', apiKey: API_KEY })).json;
    const state = world.deps.accountState(String(id));
    const nowMs = world.deps.clock.now();
    const window = { limit: null, remaining: null, status: 'allowed_warning', observedAtMs: nowMs };
    state.learn(
      [
        { ...window, name: '5h', utilization: 0.42, resetAtMs: nowMs + 3_600_000 },
        { ...window, name: '7d', utilization: 1.01, resetAtMs: nowMs + 86_400_000 },
        { ...window, name: 'old', utilization: 1, resetAtMs: nowMs },
      ],
      nowMs,
    );
    const first = async () =>
      ((await world.call('/api/accounts', { local: true })).json.accounts as Record<string, unknown>[])[0];
    expect(await first()).toMatchObject({ condition: 'ready', limits: [] });
    state.bench({ model: 'opus', family: true, untilMs: nowMs + 60_000, reason: 'seven_day_opus' }, nowMs);
    expect(await first()).toMatchObject({
      condition: 'warned',
      windows: [
        { name: '5h', utilization: 0.42, resetAt: new Date(nowMs + 3_600_000).toISOString() },
        { name: '7d', utilization: 1.01 },
      ],
      limits: [{ model: 'opus', reason: 'seven_day_opus' }],
    });
    state.bench({ model: null, family: false, untilMs: nowMs + 60_000, reason: 'five_hour' }, nowMs);
    expect((await first())?.condition).toBe('limited');
    expect((await change(id, { apiKey: 'sk-ant-another-credential-ABCD' })).json.condition).toBe('ready');
  });

  it('GET and PATCH /api/pool (CF-05)', async () => {
    const pool = (body?: unknown) =>
      world.call('/api/pool', { local: true, ...(body === undefined ? {} : { method: 'PATCH', body }) });
    expect((await pool()).json).toEqual({ strategy: 'session', chosen: false });
    expect((await pool({ strategy: 'weighted' })).json).toEqual({ strategy: 'weighted', chosen: true });
    expect((await pool({ strategy: null })).json).toEqual({ strategy: 'session', chosen: false });
    expect((await pool({ strategy: 'best' })).status).toBe(400);
    expect((await pool({})).status).toBe(400);
  });
});

describe('DELETE and test', () => {
  it('200 removes it with its credential, then 404', async () => {
    const { id } = (await create({ provider: 'anthropic', name: 'main', apiKey: API_KEY })).json;
    const remove = () => world.call(`/api/accounts/${id}`, { local: true, method: 'DELETE' });
    const answer = await remove();
    expect([answer.status, answer.json]).toEqual([200, {}]);
    expect(await stored()).toBeUndefined();
    expect((await remove()).status).toBe(404);
  });

  it('200 with what the test found, 404 for an unknown one', async () => {
    const { id } = (await create({ provider: 'anthropic', name: 'main', apiKey: API_KEY })).json;
    const answer = await world.call(`/api/accounts/${id}/test`, { local: true, method: 'POST' });
    expect([answer.status, answer.json.ok, answer.json.httpStatus]).toEqual([200, false, 401]);
    expect(tested.map((row) => row.id)).toEqual([id]);
    expect((await world.call('/api/accounts/nope/test', { local: true, method: 'POST' })).status).toBe(404);
  });
});

it('GET /api/providers 200 lists adapters and presets without their inner workings', async () => {
  const { json, text } = await world.call('/api/providers', { local: true });
  expect((json.providers as { id: string }[]).map((provider) => provider.id)).toEqual([
    'anthropic',
    'openai',
    'compatible',
    'gemini',
  ]);
  expect(text).toContain('"ollama"');
  expect(text).not.toContain('priceProvider');
});
