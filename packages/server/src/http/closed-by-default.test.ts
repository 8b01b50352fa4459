import { type AdminWorld, startAdminWorld } from '@tallygate/testkit/admin-world';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AdminRoute } from '../admin/route.ts';
import { createAdminServices } from './admin-services.ts';
import { adminRouteTable } from './route-table.ts';

/** What anybody may read before anything is set up, and all of what it says. */
const OPEN: Record<string, readonly string[]> = {
  'GET /': [],
  'GET /*': [],
  'GET /healthz': ['ok'],
  'GET /readyz': ['checks', 'ok'],
  'GET /api/setup/status': ['db', 'needsSetup', 'sso', 'version'],
  'GET /api/auth/sso/return': [],
  // Leads on to a page, with what the query said.
  'GET /api/oauth/callback': [],
};

let world: AdminWorld;
let routes: AdminRoute[];
beforeAll(async () => {
  // Nothing is configured: no owner, no session secret, no key.
  world = await startAdminWorld(await openTestStore(), { sessionSecret: null });
  const { deps } = world;
  routes = adminRouteTable(
    { ...deps, ...createAdminServices(deps, () => undefined) },
    { headless: false, files: new Map() },
  );
});
afterAll(() => world.close());

const TRIES: readonly Record<string, string>[] = [
  {},
  { authorization: 'Bearer ' },
  { cookie: 'tallygate_session=' },
];

const nameOf = ({ method, path }: AdminRoute): string => `${method} ${path}`;
const addressOf = ({ path }: AdminRoute): string => path.replace('/*', '/x').replace(/:\w+/g, 'x');

describe('with nothing configured (NX-01)', () => {
  it('nothing can be read but what says that nothing is configured', async () => {
    const reads = routes.filter((route) => route.method === 'GET');
    expect(reads.length).toBeGreaterThan(40);
    for (const route of reads) {
      world.clock.ms += 120_000; // so that limits on frequency have room again
      if (nameOf(route) in OPEN) continue;
      for (const headers of TRIES) {
        const answer = await world.call(addressOf(route), { headers });
        expect([nameOf(route), answer.status]).toEqual([nameOf(route), 401]);
        expect(Object.keys(answer.json)).toEqual(['error']);
      }
    }
  });

  it('nothing can be written but the set-up, which needs the code of the terminal', async () => {
    const writes = routes.filter((route) => route.method !== 'GET');
    for (const route of writes) {
      world.clock.ms += 120_000;
      const answer = await world.call(addressOf(route), { method: route.method, body: {} });
      expect([nameOf(route), answer.status < 300 && route.access !== 'public']).toEqual([
        nameOf(route),
        false,
      ]);
    }
    expect(await world.deps.store.identity.countUsers()).toBe(0);
    expect(await world.deps.store.config.listKeys(null)).toEqual([]);
  });

  it.each(Object.entries(OPEN))('%s says no more than it has to', async (name, fields) => {
    const route = routes.find((candidate) => nameOf(candidate) === name);
    if (route === undefined) return expect.fail(`there is no ${name}`);
    expect(route.access).toBe('public');
    if (fields.length > 0) {
      const answer = await world.call(addressOf(route));
      expect(Object.keys(answer.json).sort()).toEqual(fields);
    }
  });
});
