import { type AdminWorld, startAdminWorld } from '@tallygate/testkit/admin-world';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let world: AdminWorld;
beforeEach(async () => {
  world = await startAdminWorld(await openTestStore());
});
afterEach(() => world.close());

const local = (path: string, method: string, body?: unknown) =>
  world.call(path, { local: true, method, ...(body === undefined ? {} : { body }) });
const create = (body: Record<string, unknown>) =>
  local('/api/limits', 'POST', {
    ...{ scope: 'workspace', measure: 'requests', limit: 10, window: 'minute' },
    ...body,
  });
const problem = (answer: Awaited<ReturnType<typeof create>>) => answer.json.error?.details?.[0];

describe('POST /api/limits (CF-13)', () => {
  it('201 with everything that was asked for, in force at once', async () => {
    const answer = await create({ per: 'key', burst: 3, name: 'for each key' });
    expect(answer.status).toBe(201);
    expect(answer.json).toMatchObject({
      name: 'for each key',
      scope: 'workspace',
      scopeLabel: 'workspace',
      per: 'key',
      measure: 'requests',
      limit: 10,
      window: 'minute',
      burst: 3,
      status: { counting: 0, fullest: [] },
    });
    expect(world.deps.limits.state.active).toBe(true);
  });

  it('201 for several parts, given with slugs and names and shown so', async () => {
    await local('/api/projects', 'POST', { slug: 'web', name: 'Web' });
    await world.setUp();
    const answer = await create({ scope: 'project:web,user:maria,model:claude-*,tag:nightly' });
    expect(answer.json).toMatchObject({
      scope: 'project:web,user:maria,model:claude-*,tag:nightly',
      scopeLabel: 'project web, user maria, model claude-*, tag nightly',
    });
    const [row] = await world.deps.store.limits.listLimits(null);
    expect(row?.scope.map(({ kind }) => kind)).toEqual(['project', 'user', 'model', 'tag']);
    expect(row?.scope[0]?.value).not.toBe('web');
  });

  it.each([
    ['scope', { scope: 'everything' }],
    ['scope', { scope: 'project:nowhere' }],
    ['scope', { scope: 'key:none' }],
    ['scope', { scope: 'user:nobody' }],
    ['scope', { scope: 'provider:none' }],
    ['scope', { scope: 'model:a*,model:b*' }],
    ['scope', { scope: 'workspace,tag:x' }],
    ['scope', { scope: 'tag:a,tag:b,tag:c,tag:d,tag:e,tag:f' }],
    ['window', { window: undefined }],
    ['window', { measure: 'concurrent_requests' }],
    ['burst', { measure: 'concurrent_requests', window: undefined, burst: 2 }],
    ['burst', { burst: 11 }],
    ['burst', { burst: 0 }],
    ['burst', { limit: 999_999_999_989, burst: 999_999_999_989, window: 'day' }],
    ['limit', { limit: -1 }],
    ['limit', { limit: 1.5 }],
    ['measure', { measure: 'money' }],
    ['per', { per: 'person' }],
    ['model', { model: 'x' }],
  ])('400 naming %s for %j, and nothing is stored', async (path, body) => {
    const answer = await create(body);
    expect(answer.status).toBe(400);
    expect(problem(answer)?.path).toBe(path);
    expect(await world.deps.store.limits.listLimits(null)).toEqual([]);
  });
});

describe('what is counted', () => {
  it('is shown with the names of those it belongs to', async () => {
    const { json } = await create({
      per: 'key',
      measure: 'concurrent_requests',
      limit: 3,
      window: undefined,
    });
    const key = await world.makeKey(['gateway']);
    const names = (await world.call('/api/keys', { local: true })).json.keys as {
      id: string;
      name: string;
    }[];
    const ask = {
      subject: {
        workspaceId: world.deps.firstWorkspaceId,
        ...{ keyId: key.id, userId: null, projectId: 'p', sessionId: null, model: null },
        ...{ provider: 'anthropic', accountId: null, tags: [] },
      },
      address: () => null,
      ...{ stream: false, requests: 1, nowMs: world.clock.ms },
    };
    await world.deps.limits.state.admit(ask, () => ({ input: 0, output: 0 }));
    const view = await world.call(`/api/limits/${json.id}`, { local: true });
    const label = names.find(({ id }) => id === key.id)?.name;
    expect(view.json.status).toEqual({ counting: 1, fullest: [{ label, used: 1, held: 1, left: 2 }] });
  });
});

describe('PATCH and DELETE /api/limits/:id', () => {
  it('200 changes name, limit and burst; a burst above the limit is refused', async () => {
    const { json } = await create({ burst: 5 });
    const patch = (body: unknown) => local(`/api/limits/${json.id}`, 'PATCH', body);
    expect((await patch({ limit: 20, burst: null, name: 'x' })).json).toMatchObject({
      ...{ limit: 20, burst: null, name: 'x' },
    });
    expect((await patch({ burst: 20 })).status).toBe(200);
    expect(problem(await patch({ limit: 19 }))?.path).toBe('burst');
    expect((await patch({ scope: 'workspace' })).status).toBe(400);
    expect((await local('/api/limits/none', 'PATCH', { limit: 1 })).status).toBe(404);
  });

  it('200 removes; 404 afterwards; every change is in the audit log with what changed', async () => {
    const { json } = await create({});
    await local(`/api/limits/${json.id}`, 'PATCH', { limit: 11 });
    expect((await local(`/api/limits/${json.id}`, 'DELETE')).status).toBe(200);
    expect((await local(`/api/limits/${json.id}`, 'DELETE')).status).toBe(404);
    expect(world.deps.limits.state.active).toBe(false);
    const { text } = await world.call('/api/audit', { local: true });
    expect(text).toContain('"resource":"limit"');
    expect(text).toContain('"field":"limit","before":"10","after":"11"');
  });

  it('a key bound to a project sees the limits of that project', async () => {
    const reader = await world.makeKey(['read'], 'web');
    const own = await create({ scope: 'project:web,model:claude-*' });
    await local('/api/projects', 'POST', { slug: 'elsewhere', name: 'Elsewhere' });
    const other = await create({});
    const foreign = await create({ scope: 'project:elsewhere' });
    const headers = { authorization: `Bearer ${reader.key}` };
    const list = await world.call('/api/limits', { headers });
    expect((list.json.limits as { id: string }[]).map(({ id }) => id)).toEqual([own.json.id]);
    for (const { json } of [other, foreign])
      expect((await world.call(`/api/limits/${json.id}`, { headers })).status).toBe(404);
  });
});
