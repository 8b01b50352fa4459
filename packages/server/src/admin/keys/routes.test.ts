import { type AdminWorld, OWNER, startAdminWorld } from '@tallygate/testkit/admin-world';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256Hex } from '../../identity/token.ts';

let world: AdminWorld;
beforeEach(async () => {
  world = await startAdminWorld(await openTestStore());
});
afterEach(() => world.close());

const create = (body: unknown) => world.call('/api/keys', { local: true, method: 'POST', body });

describe('POST /api/keys (TW-05)', () => {
  it('201 shows the key once; only its hash and prefix are stored; the data plane knows before the answer', async () => {
    const answer = await create({ name: 'laptop', scopes: ['gateway', 'read', 'gateway'], project: 'alpha' });
    expect(answer.status).toBe(201);
    const key = String(answer.json.key);
    expect(key).toMatch(/^tg_[A-Za-z0-9_-]{43}$/);
    expect(answer.json).toMatchObject({
      name: 'laptop',
      prefix: key.slice(0, 10),
      scopes: ['gateway', 'read'],
      project: { slug: 'alpha' },
      expiresAt: null,
      revokedAt: null,
      lastUsedAt: null,
    });
    const [row] = await world.deps.store.config.listKeys(null);
    expect(row?.keyHash).toBe(sha256Hex(key));
    expect(JSON.stringify(row)).not.toContain(key.slice(10));
    expect(world.refreshes()).toBe(1);
    const list = await world.call('/api/keys', { local: true });
    expect(list.text).not.toContain(key);
    expect(list.text).not.toContain('keyHash');
  });

  it('201 in the project default when none is named, and two at once share a new project', async () => {
    const made = await Promise.all([
      create({ name: 'a', scopes: ['gateway'] }),
      create({ name: 'b', scopes: ['gateway'], project: 'new' }),
      create({ name: 'c', scopes: ['gateway'], project: 'new' }),
    ]);
    expect(made.map((answer) => answer.status)).toEqual([201, 201, 201]);
    const projects = await world.deps.store.config.listProjects(null);
    expect(projects.map((project) => project.slug).sort()).toEqual(['default', 'new']);
  });

  it.each([
    ['scopes', { name: 'x' }],
    ['scopes', { name: 'x', scopes: [] }],
    ['scopes.0', { name: 'x', scopes: ['root'] }],
    ['name', { name: '  ', scopes: ['read'] }],
    ['name', { name: 'a\u0000b', scopes: ['read'] }],
    ['project', { name: 'x', scopes: ['read'], project: 'Not A Slug' }],
    ['expiresAt', { name: 'x', scopes: ['read'], expiresAt: 'tomorrow' }],
    ['expiresAt', { name: 'x', scopes: ['read'], expiresAt: '2020-01-01T00:00:00Z' }],
    ['keyHash', { name: 'x', scopes: ['read'], keyHash: 'f'.repeat(64) }],
  ])('400 naming %s, and nothing is stored', async (field, body) => {
    const answer = await create(body);
    expect(answer.status).toBe(400);
    expect(answer.json.error?.details?.map((problem) => problem.path)).toContain(field);
    expect(await world.deps.store.config.listKeys(null)).toEqual([]);
    expect(await world.deps.store.config.listProjects(null)).toEqual([]);
    expect(world.refreshes()).toBe(0);
  });
});

describe('the owner of a key', () => {
  it('is given by name or id, shown by name, changed and taken away; nobody unknown is taken', async () => {
    await world.setUp();
    const made = await create({ name: 'x', scopes: ['gateway'], user: OWNER.username });
    expect(made.json.user).toMatchObject({ username: OWNER.username });
    const { id } = made.json.user as { id: string };
    const [row] = await world.deps.store.config.listKeys(null);
    expect(row?.userId).toBe(id);
    const change = (user: unknown) =>
      world.call(`/api/keys/${made.json.id}`, { local: true, method: 'PATCH', body: { user } });
    expect((await change(null)).json.user).toBeNull();
    expect((await change(id)).json.user).toEqual({ id, username: OWNER.username });
    for (const answer of [
      await change('nobody'),
      await create({ name: 'y', scopes: ['gateway'], user: 'nobody' }),
    ])
      expect([answer.status, answer.json.error?.details?.[0]?.path]).toEqual([400, 'user']);
    const { text } = await world.call('/api/audit', { local: true });
    expect(text).toContain('"field":"userId"');
  });
});

describe('limits (CF-13)', () => {
  const restrictions = {
    addresses: ['10.0.0.0/8', '2001:db8::1'],
    origins: ['https://app.example.com'],
    models: ['claude-*'],
    providers: ['anthropic', 'ollama'],
  };

  it('are stored, shown, replaced whole and removed', async () => {
    const made = await create({ name: 'x', scopes: ['gateway'], restrictions });
    expect([made.status, made.json.restrictions]).toEqual([201, restrictions]);
    const change = (body: unknown) =>
      world.call(`/api/keys/${made.json.id}`, { local: true, method: 'PATCH', body });
    const none = { addresses: [], origins: [], models: [], providers: [] };
    const narrowed = await change({ restrictions: { models: ['gpt-*', 'gpt-*'] } });
    expect(narrowed.json.restrictions).toEqual({ ...none, models: ['gpt-*'] });
    expect((await change({ name: 'y' })).json.restrictions).toEqual({ ...none, models: ['gpt-*'] });
    expect((await change({ restrictions: {} })).json.restrictions).toEqual(none);
    expect((await world.deps.store.config.listKeys(null))[0]?.restrictions).toBeNull();
    expect((await change({})).status).toBe(400);
  });

  it.each([
    ['restrictions.addresses.0', { addresses: ['10.0.0.0/33'] }],
    ['restrictions.addresses.0', { addresses: ['example.com'] }],
    ['restrictions.addresses.0', { addresses: ['::ffff:10.0.0.1'] }],
    ['restrictions.origins.0', { origins: ['https://app.example.com/'] }],
    ['restrictions.origins.0', { origins: ['https://App.example.com'] }],
    ['restrictions.origins.0', { origins: ['https://app.example.com:443'] }],
    ['restrictions.origins.0', { origins: ['*'] }],
    ['restrictions.models.0', { models: [''] }],
    ['restrictions.providers.0', { providers: ['nobody'] }],
    ['restrictions.colour', { colour: ['red'] }],
  ])('400 naming %s for %j', async (field, given) => {
    const answer = await create({ name: 'x', scopes: ['gateway'], restrictions: given });
    expect(answer.status).toBe(400);
    expect(answer.json.error?.details?.map((problem) => problem.path)).toContain(field);
    expect(await world.deps.store.config.listKeys(null)).toEqual([]);
  });

  it('on addresses and origins hold on the admin side as well', async () => {
    const use = async (given: unknown, headers: Record<string, string> = {}) => {
      const { json } = await create({ name: 'x', scopes: ['read'], restrictions: given });
      return world.call('/api/requests', { headers: { authorization: `Bearer ${json.key}`, ...headers } });
    };
    expect((await use({ addresses: ['127.0.0.0/8', '::1'] })).status).toBe(200);
    const refused = await use({ addresses: ['192.0.2.1'] });
    expect([refused.status, refused.json.error?.code]).toEqual([403, 'key_restricted']);
    expect((await use({ origins: ['https://a.example'] })).status).toBe(403);
    expect((await use({ origins: ['https://a.example'] }, { origin: 'https://a.example' })).status).toBe(200);
  });
});

describe('/api/admin/tokens (TW-05, WT-04)', () => {
  it('lists and revokes as well, and leaves a trace of making and revoking with who did it', async () => {
    const { key: adminKey, id: actorId } = await world.makeKey(['admin']);
    const headers = { authorization: `Bearer ${adminKey}` };
    const body = { name: 'script', scopes: ['ingest', 'embed', 'chat'] };
    const made = await world.call('/api/admin/tokens', { headers, body });
    const path = `/api/admin/tokens/${made.json.id}`;
    const listed = (await world.call('/api/admin/tokens', { headers })).json.keys as { name: string }[];
    expect(listed.map(({ name }) => name)).toContain('script');
    expect((await world.call(path, { method: 'DELETE', headers })).json.revokedAt).not.toBeNull();
    const { json } = await world.call('/api/audit', { local: true });
    const entries = json.entries as { action: string; outcome: string; actor: unknown; resourceId: string }[];
    const traces = entries.filter(
      ({ action, outcome }) => action.includes('/api/admin/tokens') && outcome === 'ok',
    );
    expect(traces.map(({ action, resourceId }) => [action, resourceId])).toEqual([
      ['DELETE /api/admin/tokens/:id', made.json.id],
      ['POST /api/admin/tokens', made.json.id],
    ]);
    for (const { actor } of traces) expect(actor).toMatchObject({ kind: 'key', id: actorId });
    expect(JSON.stringify(json)).not.toContain(String(made.json.key));
    const reader = await world.makeKey(['read', 'gateway']);
    const refused = await world.call('/api/admin/tokens', { headers: { 'x-api-key': reader.key } });
    expect(refused.status).toBe(403);
  });

  it('is POST /api/keys under another path', async () => {
    const body = { name: 'script', scopes: ['gateway'] };
    const answer = await world.call('/api/admin/tokens', { local: true, method: 'POST', body });
    expect([answer.status, answer.json.name]).toEqual([201, 'script']);
    expect(await world.deps.store.config.listKeys(null)).toHaveLength(1);
  });
});

describe('POST /api/keys/:id/rotate (TW-05)', () => {
  const rotate = (id: string, body: unknown) =>
    world.call(`/api/keys/${id}/rotate`, { local: true, method: 'POST', body });
  const use = async (key: string) => {
    const answer = await world.call('/api/requests', { headers: { authorization: `Bearer ${key}` } });
    return answer.json.error?.code ?? answer.status;
  };

  it('lets the old secret work exactly until the overlap ends', async () => {
    const { id, key } = await world.makeKey(['read']);
    const answer = await rotate(id, { overlapSeconds: 3600 });
    expect(answer.status).toBe(200);
    expect(answer.json).toMatchObject({
      id,
      rotatedAt: '2026-11-22T12:00:00.000Z',
      previous: { prefix: key.slice(0, 10), expiresAt: '2026-11-22T13:00:00.000Z' },
    });
    const renewed = String(answer.json.key);
    expect(renewed).toMatch(/^tg_[A-Za-z0-9_-]{43}$/);
    expect(renewed).not.toBe(key);
    expect(JSON.stringify(await world.deps.store.config.listKeys(null))).not.toContain(renewed.slice(10));
    world.clock.ms += 3_599_999;
    expect([await use(key), await use(renewed)]).toEqual([200, 200]);
    world.clock.ms += 1;
    expect([await use(key), await use(renewed)]).toEqual(['expired_api_key', 200]);
    expect((await world.call('/api/keys', { local: true })).json.keys).toMatchObject([{ previous: null }]);
    expect(world.endedKeys).toEqual([]);
  });

  it('ends every old secret at once without overlap, and cuts what they had open', async () => {
    const { id, key } = await world.makeKey(['read']);
    const second = String((await rotate(id, { overlapSeconds: 60 })).json.key);
    const third = String((await rotate(id, {})).json.key);
    expect([await use(key), await use(second), await use(third)]).toEqual([
      'invalid_api_key',
      'invalid_api_key',
      200,
    ]);
    expect(world.endedKeys).toEqual([id]);
  });

  it('409 while the secret before still works, for a revoked and for an expired key; 404 for none', async () => {
    const { id } = await world.makeKey(['read']);
    await rotate(id, { overlapSeconds: 60 });
    const early = await rotate(id, { overlapSeconds: 60 });
    expect([early.status, early.json.error?.message]).toEqual([409, expect.stringContaining('12:01:00')]);
    world.clock.ms += 60_000;
    expect((await rotate(id, { overlapSeconds: 60 })).status).toBe(200);
    await world.call(`/api/keys/${id}`, { local: true, method: 'DELETE' });
    expect((await rotate(id, {})).status).toBe(409);
    const expiresAt = new Date(world.clock.ms + 1000).toISOString();
    const { json } = await create({ name: 'old', scopes: ['read'], expiresAt });
    world.clock.ms += 1000;
    expect((await rotate(String(json.id), {})).status).toBe(409);
    expect((await rotate('nope', {})).status).toBe(404);
  });

  it.each([{ overlapSeconds: -1 }, { overlapSeconds: 1.5 }, { overlapSeconds: 1e9 }, { overlap: 3 }])(
    '400 for %j',
    async (body) => {
      const { id, key } = await world.makeKey(['read']);
      expect((await rotate(id, body)).status).toBe(400);
      expect(await use(key)).toBe(200);
    },
  );

  it('gives one of two who rotate at once a conflict, so that no secret is shown that does not work', async () => {
    const { id } = await world.makeKey(['read']);
    const answers = await Promise.all([1, 2, 3].map(() => rotate(id, {})));
    const won = answers.filter((answer) => answer.status === 200);
    expect(won.length).toBeGreaterThan(0);
    expect(await use(String(won.at(-1)?.json.key))).not.toBe('expired_api_key');
    const [row] = await world.deps.store.config.listKeys(null);
    expect(won.filter((answer) => sha256Hex(String(answer.json.key)) === row?.keyHash)).toHaveLength(1);
  });
});

describe('PATCH /api/keys/:id', () => {
  it('200 renames and nothing else', async () => {
    const { id } = await world.makeKey(['read']);
    const answer = await world.call(`/api/keys/${id}`, {
      local: true,
      method: 'PATCH',
      body: { name: 'renamed' },
    });
    expect([answer.status, answer.json.name, answer.json.scopes]).toEqual([200, 'renamed', ['read']]);
    const widen = await world.call(`/api/keys/${id}`, {
      local: true,
      method: 'PATCH',
      body: { name: 'x', scopes: ['admin'] },
    });
    expect(widen.status).toBe(400);
  });

  it('404 for an unknown one', async () => {
    expect(
      (await world.call('/api/keys/nope', { local: true, method: 'PATCH', body: { name: 'x' } })).status,
    ).toBe(404);
  });
});

describe('DELETE /api/keys/:id', () => {
  it('200 revokes at once, keeps it listed, and keeps the first time when repeated', async () => {
    const { id, key } = await world.makeKey(['admin']);
    const use = () => world.call('/api/keys', { headers: { authorization: `Bearer ${key}` } });
    expect((await use()).status).toBe(200);
    const refreshes = world.refreshes();
    const first = await world.call(`/api/keys/${id}`, { local: true, method: 'DELETE' });
    expect([first.status, first.json.revokedAt]).toEqual([200, '2026-11-22T12:00:00.000Z']);
    expect(world.refreshes()).toBe(refreshes + 1);
    expect((await use()).status).toBe(401);
    world.clock.ms += 60_000;
    const again = await world.call(`/api/keys/${id}`, { local: true, method: 'DELETE' });
    expect(again.json.revokedAt).toBe('2026-11-22T12:00:00.000Z');
    expect((await world.call('/api/keys', { local: true })).json.keys).toHaveLength(1);
  });

  it('404 for an unknown one', async () => {
    expect((await world.call('/api/keys/nope', { local: true, method: 'DELETE' })).status).toBe(404);
  });
});
