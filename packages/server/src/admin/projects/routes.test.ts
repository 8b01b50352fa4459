import { type AdminWorld, startAdminWorld } from '@tallygate/testkit/admin-world';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, expect, it } from 'vitest';

let world: AdminWorld;
beforeEach(async () => {
  world = await startAdminWorld(await openTestStore());
});
afterEach(() => world.close());

const create = (body: unknown) => world.call('/api/projects', { local: true, method: 'POST', body });
const patch = (id: unknown, body: unknown) =>
  world.call(`/api/projects/${id}`, { local: true, method: 'PATCH', body });

it('POST 201 with defaults or what was asked for; GET 200 lists them', async () => {
  expect((await create({ slug: 'plain' })).json).toMatchObject({
    slug: 'plain',
    name: 'plain',
    disconnectPolicy: 'abort',
  });
  const answer = await create({ slug: 'full', name: 'Full', disconnectPolicy: 'drain' });
  expect([answer.status, answer.json.name, answer.json.disconnectPolicy]).toEqual([201, 'Full', 'drain']);
  const { json } = await world.call('/api/projects', { local: true });
  expect((json.projects as { slug: string }[]).map((project) => project.slug)).toEqual(['plain', 'full']);
  expect(world.refreshes()).toBe(2);
});

it('POST 409 name_taken for a slug in use', async () => {
  await create({ slug: 'same' });
  const answer = await create({ slug: 'same' });
  expect([answer.status, answer.json.error?.code]).toEqual([409, 'name_taken']);
});

it.each([
  {},
  { slug: '' },
  { slug: '-a' },
  { slug: 'A' },
  { slug: 'a'.repeat(64) },
  { slug: 'a', disconnectPolicy: 'wait' },
  { slug: 'a', environment: 'prod' },
])('POST 400 for %j', async (body) => {
  expect((await create(body)).status).toBe(400);
  expect(await world.deps.store.config.listProjects(null)).toEqual([]);
});

it('projects are of production unless they say otherwise, and can be moved (TW-20)', async () => {
  const { id, environment } = (await create({ slug: 'p' })).json;
  expect(environment).toBe('production');
  expect((await create({ slug: 's', environment: 'staging' })).json.environment).toBe('staging');
  expect((await patch(id, { environment: 'test' })).json.environment).toBe('test');
  const [entry] = await world.deps.store.audit.list(
    { workspaceId: null, resourceId: String(id) },
    { limit: 1, beforeSeq: null },
  );
  expect(entry?.changes).toEqual([{ field: 'environment', before: 'production', after: 'test' }]);
});

it('PATCH 200 changes what was given, 404 for an unknown one, also without a change', async () => {
  const { id } = (await create({ slug: 'p' })).json;
  expect((await patch(id, { disconnectPolicy: 'drain' })).json).toMatchObject({
    name: 'p',
    disconnectPolicy: 'drain',
  });
  expect((await patch(id, { name: 'New' })).json).toMatchObject({ name: 'New', disconnectPolicy: 'drain' });
  const refreshes = world.refreshes();
  expect((await patch(id, {})).status).toBe(200);
  expect(world.refreshes()).toBe(refreshes);
  expect((await patch('nope', { name: 'x' })).status).toBe(404);
  expect((await patch('nope', {})).status).toBe(404);
});
