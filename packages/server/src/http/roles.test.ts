import { KEY_SCOPES, type KeyScope } from '@tallygate/contract/api/keys';
import { type AdminWorld, type SignedIn, startAdminWorld, statusOf } from '@tallygate/testkit/admin-world';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AdminRoute } from '../admin/route.ts';
import { PERMISSIONS } from '../identity/permissions.ts';
import { createAdminServices } from './admin-services.ts';
import { adminRouteTable } from './route-table.ts';

/** What each role may do, written down by hand and in full: the code must come to the same. */
const ROLES: Readonly<Record<string, string>> = {
  owner:
    'dashboard.view usage.view logs.view logs.redact payloads.view metrics.view api.request keys.manage projects.manage accounts.manage prices.manage budgets.view alerts.view budgets.manage alerts.manage users.manage audit.view security.manage system.view system.manage',
  admin:
    'dashboard.view usage.view logs.view logs.redact payloads.view metrics.view api.request keys.manage projects.manage accounts.manage prices.manage budgets.view alerts.view budgets.manage alerts.manage users.manage audit.view security.manage system.view',
  manager:
    'dashboard.view usage.view budgets.view alerts.view logs.view metrics.view api.request keys.manage projects.manage budgets.manage alerts.manage',
  developer: 'dashboard.view usage.view budgets.view alerts.view logs.view metrics.view api.request',
  viewer: 'dashboard.view usage.view budgets.view alerts.view',
  auditor: 'dashboard.view usage.view budgets.view alerts.view logs.view audit.view system.view',
  /** One's own role, made below. */
  'price-keeper': 'prices.manage system.view',
};
const SCOPES: Readonly<Record<KeyScope, string>> = {
  gateway: 'api.request',
  ingest: '',
  read: 'usage.view logs.view metrics.view budgets.view',
  embed: '',
  chat: '',
  admin: ROLES.owner ?? '',
};

let world: AdminWorld;
let routes: AdminRoute[];
const people = new Map<string, SignedIn>();
const keys = new Map<KeyScope, string>();

beforeAll(async () => {
  world = await startAdminWorld(await openTestStore(), { sessionLimits: { idleMs: 1e12, absoluteMs: 1e12 } });
  routes = adminRouteTable(
    { ...world.deps, ...createAdminServices(world.deps, () => undefined) },
    { headless: false, files: new Map() },
  );
  people.set('owner', await world.setUp());
  const own = { name: 'price-keeper', permissions: ['prices.manage', 'system.view'] };
  expect((await world.call('/api/roles', { local: true, body: own })).status).toBe(201);
  for (const role of Object.keys(ROLES).slice(1)) people.set(role, await world.join(role, `some-${role}`));
  for (const scope of KEY_SCOPES) keys.set(scope, (await world.makeKey([scope])).key);
});
beforeEach(() => {
  world.clock.ms += 120_000; // so that limits on frequency have room again
});
afterAll(() => world.close());

const includes = (list: string | undefined, permission: string | null): boolean =>
  (list ?? '').split(' ').includes(permission ?? 'none');

async function ask(route: AdminRoute, headers: Record<string, string>): Promise<number> {
  const path = route.path.replace(/:(id|name)/, 'nobody');
  const body = route.method === 'GET' ? {} : { body: {} };
  return statusOf(world.port, path, { method: route.method, headers, ...body });
}

describe('roles and permissions (CF-14)', () => {
  it('are all named in the table of this test', async () => {
    expect([...new Set((ROLES.owner ?? '').split(' '))].sort()).toEqual([...PERMISSIONS].sort());
    const { json } = await world.call('/api/roles', { local: true });
    const listed = (json.roles as { name: string; permissions: string[] }[]).map((role) => [
      role.name,
      [...role.permissions].sort().join(' '),
    ]);
    const written = Object.entries(ROLES).map(([name, list]) => [name, list.split(' ').sort().join(' ')]);
    expect(listed).toEqual(written);
  });

  it.each(Object.keys(ROLES))('%s gets into exactly the rows of its permissions', async (role) => {
    const wrong: string[] = [];
    for (const route of routes.filter((row) => row.permission !== null)) {
      world.clock.ms += 1_000;
      const status = await ask(route, people.get(role)?.headers ?? {});
      const may = includes(ROLES[role], route.permission);
      if ((status !== 403 && status !== 401) !== may) wrong.push(`${route.method} ${route.path}: ${status}`);
    }
    expect(wrong).toEqual([]);
  });

  it.each(KEY_SCOPES)('a key with scope %s gets into exactly the rows of its permissions', async (scope) => {
    const wrong: string[] = [];
    for (const route of routes.filter((row) => row.permission !== null)) {
      world.clock.ms += 1_000;
      const status = await ask(route, { authorization: `Bearer ${keys.get(scope)}` });
      // What only people may do takes no key, whatever its scopes carry.
      const may = route.access !== 'session' && includes(SCOPES[scope], route.permission);
      if ((status !== 403 && status !== 401) !== may) wrong.push(`${route.method} ${route.path}: ${status}`);
    }
    expect(wrong).toEqual([]);
  });

  it('a role that is not known carries nothing', async () => {
    const { store, firstWorkspaceId: workspaceId } = world.deps;
    const [viewer] = (await store.people.listMembers(workspaceId)).filter(
      (user) => user.username === 'some-viewer',
    );
    const ref = { userId: viewer?.id ?? '', workspaceId };
    await store.people.updateMember(ref, { role: 'no-such-role' });
    for (const route of routes.filter((row) => row.permission !== null)) {
      world.clock.ms += 1_000;
      expect(await ask(route, people.get('viewer')?.headers ?? {})).toBe(403);
    }
    for (const name of ['constructor', '__proto__', 'toString']) {
      await store.people.updateMember(ref, { role: name });
      const me = await world.call('/api/auth/me', { headers: people.get('viewer')?.headers ?? {} });
      expect(me.json.permissions).toEqual([]);
    }
  });
});
