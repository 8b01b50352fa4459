import { type AdminWorld, startAdminWorld } from '@tallygate/testkit/admin-world';
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
    const [row] = await world.deps.store.config.listKeys();
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
    const projects = await world.deps.store.config.listProjects();
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
    expect(await world.deps.store.config.listKeys()).toEqual([]);
    expect(await world.deps.store.config.listProjects()).toEqual([]);
    expect(world.refreshes()).toBe(0);
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
