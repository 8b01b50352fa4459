import { KEY_SCOPES, type KeyScope } from '@tallygate/contract/api/keys';
import { type AdminWorld, type SignedIn, startAdminWorld, statusOf } from '@tallygate/testkit/admin-world';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AdminRoute } from '../admin/route.ts';
import { createAdminServices } from './admin-services.ts';
import { adminRouteTable } from './route-table.ts';

/** Who gets into which row, written down by hand: the table of the code must say the same. */
const EXPECTED: Readonly<Record<string, 'public' | 'session' | 'read' | 'admin' | 'local'>> = {
  'GET /': 'public',
  'GET /*': 'public',
  'GET /healthz': 'public',
  'GET /readyz': 'public',
  'GET /metrics': 'read',
  'GET /api/setup/status': 'public',
  'POST /api/setup': 'public',
  'POST /api/auth/login': 'public',
  'POST /api/auth/second-factor': 'session',
  'POST /api/auth/logout': 'session',
  'GET /api/auth/me': 'session',
  'GET /api/auth/csrf': 'session',
  'POST /api/auth/password': 'session',
  'GET /api/auth/second-factor': 'session',
  'POST /api/auth/second-factor/offer': 'session',
  'POST /api/auth/second-factor/confirm': 'session',
  'POST /api/auth/second-factor/recovery-codes': 'session',
  'POST /api/auth/second-factor/remove': 'session',
  'GET /api/auth/workspaces': 'session',
  'POST /api/auth/workspace': 'session',
  'POST /api/auth/passkey/ask': 'public',
  'POST /api/auth/passkey/sign-in': 'public',
  'GET /api/auth/passkeys': 'session',
  'POST /api/auth/passkeys': 'session',
  'POST /api/auth/passkeys/offer': 'session',
  'PATCH /api/auth/passkeys/:id': 'session',
  'POST /api/auth/passkeys/:id/remove': 'session',
  'POST /api/auth/sso/start': 'public',
  'GET /api/auth/sso/return': 'public',
  'GET /api/auth/sso': 'session',
  'POST /api/auth/sso/connect': 'session',
  'POST /api/auth/sso/disconnect': 'session',
  'GET /api/auth/sessions': 'session',
  'DELETE /api/auth/sessions/:id': 'session',
  'POST /api/auth/sessions/end-others': 'session',
  'POST /api/entry/look': 'public',
  'POST /api/entry/accept': 'public',
  'GET /api/users': 'admin',
  'PATCH /api/users/:id': 'admin',
  'DELETE /api/users/:id': 'admin',
  'POST /api/users/:id/reset-password': 'admin',
  'DELETE /api/users/:id/second-factor': 'admin',
  'DELETE /api/users/:id/sessions': 'admin',
  'GET /api/sessions': 'admin',
  'DELETE /api/sessions/:id': 'admin',
  'GET /api/invitations': 'admin',
  'POST /api/invitations': 'admin',
  'DELETE /api/invitations/:id': 'admin',
  'GET /api/roles': 'admin',
  'POST /api/roles': 'admin',
  'PATCH /api/roles/:name': 'admin',
  'DELETE /api/roles/:name': 'admin',
  'GET /api/security/checkup': 'admin',
  'POST /api/security/checkup': 'admin',
  'POST /api/security/dependencies': 'local',
  'GET /api/security/network': 'admin',
  'GET /api/security/sso': 'admin',
  'POST /api/security/sso/test': 'admin',
  'GET /api/security/second-factor': 'admin',
  'PATCH /api/security/second-factor': 'admin',
  'GET /api/keys': 'admin',
  'POST /api/keys': 'admin',
  'PATCH /api/keys/:id': 'admin',
  'DELETE /api/keys/:id': 'admin',
  'POST /api/keys/:id/rotate': 'admin',
  'GET /api/admin/tokens': 'admin',
  'POST /api/admin/tokens': 'admin',
  'DELETE /api/admin/tokens/:id': 'admin',
  'GET /api/projects': 'admin',
  'POST /api/projects': 'admin',
  'PATCH /api/projects/:id': 'admin',
  'GET /api/accounts/:id/health': 'admin',
  'POST /api/accounts/:id/reset': 'admin',
  'GET /api/pools': 'admin',
  'POST /api/pools': 'admin',
  'PATCH /api/pools/:id': 'admin',
  'DELETE /api/pools/:id': 'admin',
  'GET /api/rules': 'admin',
  'POST /api/rules': 'admin',
  'POST /api/rules/test': 'admin',
  'POST /api/rules/order': 'admin',
  'PATCH /api/rules/:id': 'admin',
  'DELETE /api/rules/:id': 'admin',
  'GET /api/accounts': 'admin',
  'POST /api/accounts': 'admin',
  'PATCH /api/accounts/:id': 'admin',
  'DELETE /api/accounts/:id': 'admin',
  'POST /api/accounts/:id/test': 'admin',
  'GET /api/oauth/settings': 'admin',
  'POST /api/oauth/sessions': 'admin',
  'GET /api/oauth/callback': 'public',
  'POST /api/oauth/complete': 'admin',
  'POST /api/imports': 'admin',
  'GET /api/pool': 'admin',
  'PATCH /api/pool': 'admin',
  'GET /api/providers': 'admin',
  'GET /api/usage/totals': 'read',
  'GET /api/usage/timeseries': 'read',
  'GET /api/usage/breakdown': 'read',
  'GET /api/usage/stream': 'read',
  'GET /api/requests': 'read',
  'GET /api/requests/:id': 'read',
  'GET /api/requests/stream': 'read',
  'POST /api/requests/redact': 'admin',
  'GET /api/system': 'admin',
  'POST /api/rollups/rebuild': 'admin',
  'POST /api/rollups/verify': 'admin',
  'POST /api/backup': 'local',
  'GET /api/vault': 'admin',
  'POST /api/vault/rotate-data-key': 'admin',
  'POST /api/vault/rotate-master-key': 'local',
  'POST /api/vault/change-master-key': 'session',
  'POST /api/vault/give-up-master-key': 'session',
  'POST /api/prices/quote': 'admin',
  'GET /api/prices/overrides': 'admin',
  'POST /api/prices/overrides': 'admin',
  'DELETE /api/prices/overrides/:id': 'admin',
  'GET /api/alerts/rules': 'admin',
  'POST /api/alerts/rules': 'admin',
  'PATCH /api/alerts/rules/:id': 'admin',
  'DELETE /api/alerts/rules/:id': 'admin',
  'POST /api/alerts/rules/rehearse': 'admin',
  'POST /api/alerts/evaluate': 'admin',
  'GET /api/alerts/events': 'admin',
  'GET /api/alerts/deliveries': 'admin',
  'POST /api/alerts/deliveries/:id/redeliver': 'admin',
  'GET /api/alerts/channels': 'admin',
  'POST /api/alerts/channels': 'admin',
  'PATCH /api/alerts/channels/:id': 'admin',
  'DELETE /api/alerts/channels/:id': 'admin',
  'POST /api/alerts/channels/:id/test': 'admin',
  'POST /api/alerts/preview': 'admin',
  'GET /api/budgets': 'read',
  'GET /api/budgets/holds': 'read',
  'GET /api/budgets/:id': 'read',
  'GET /api/budgets/:id/history': 'read',
  'POST /api/budgets': 'admin',
  'PATCH /api/budgets/:id': 'admin',
  'DELETE /api/budgets/:id': 'admin',
  'GET /api/limits': 'read',
  'GET /api/limits/:id': 'read',
  'POST /api/limits': 'admin',
  'PATCH /api/limits/:id': 'admin',
  'DELETE /api/limits/:id': 'admin',
  'GET /api/workspaces': 'admin',
  'POST /api/workspaces': 'admin',
  'PATCH /api/workspaces/:id': 'admin',
  'POST /api/workspaces/:id/members': 'admin',
  'GET /api/openapi.json': 'read',
  'GET /api/audit': 'admin',
  'GET /api/audit/export': 'admin',
  'POST /api/audit/verify': 'admin',
  'GET /api/security/overview': 'admin',
  'POST /api/csp-report': 'public',
  'GET /api/incident': 'admin',
  'POST /api/incident/pause': 'admin',
  'POST /api/incident/resume': 'admin',
  'POST /api/incident/rotate-all': 'admin',
  'POST /api/incident/revoke-sessions': 'admin',
  'GET /api/incident/export': 'admin',
};

let world: AdminWorld;
let routes: AdminRoute[];
const keys = new Map<KeyScope, string>();
let owner: SignedIn;
let revoked: string;
let expired: string;

beforeAll(async () => {
  world = await startAdminWorld(await openTestStore(), {
    sessionLimits: { idleMs: 1e12, absoluteMs: 1e12 },
  });
  const { deps } = world;
  routes = adminRouteTable(
    {
      ...deps,
      ...createAdminServices(deps, () => undefined),
    },
    { headless: false, files: new Map() },
  );
  owner = await world.setUp();
  for (const scope of KEY_SCOPES) keys.set(scope, (await world.makeKey([scope])).key);
  const gone = await world.makeKey(['admin']);
  await world.call(`/api/keys/${gone.id}`, { method: 'DELETE', local: true });
  revoked = gone.key;
  const expiresAt = new Date(world.clock.ms + 1000).toISOString();
  const old = await world.call('/api/keys', {
    local: true,
    body: { name: 'old', scopes: ['admin'], expiresAt },
  });
  expired = String(old.json.key);
  world.clock.ms += 2000;
});
beforeEach(() => {
  world.clock.ms += 120_000; // so that limits on frequency have room again
});
afterAll(() => world.close());

/** Sign-in and sign-out end the session they come with; every other row shares one. */
const ownerFor = (name: string): Promise<SignedIn> | SignedIn =>
  /login|logout/.test(name) ? world.signIn() : owner;

const rowName = (route: AdminRoute): string => `${route.method} ${route.path}`;
const address = (route: AdminRoute): string =>
  route.path.replace(/:(id|name)/, 'nobody').replace('*', 'some/page');

async function ask(route: AdminRoute, headers: Record<string, string>, local = false): Promise<number> {
  const options = { method: route.method, headers, ...(route.method === 'GET' ? {} : { body: {} }) };
  if (local) return (await world.call(address(route), { ...options, local })).status;
  return statusOf(world.port, address(route), options);
}
const admitted = (status: number): boolean => status !== 401 && status !== 403;

describe('the route table (WT-04, CW-08, NX-01)', () => {
  it('is the one written down here', () => {
    expect(routes.map(rowName).sort()).toEqual(Object.keys(EXPECTED).sort());
  });

  it('is all there is: the app has no handler outside of it', () => {
    const printed = world.app.printRoutes({ commonPrefix: false });
    const handlers = [...printed.matchAll(/\(([A-Z, ]+)\)/g)].flatMap(([, methods = '']) =>
      methods.split(', '),
    );
    const inTable = routes.flatMap((route) =>
      route.method === 'GET' && route.kind !== 'stream' ? ['GET', 'HEAD'] : [route.method],
    );
    expect(handlers.sort()).toEqual(inTable.sort());
    for (const route of routes)
      expect(world.app.hasRoute({ method: route.method, url: route.path })).toBe(true);
  });

  it('declares limits, cache and audit for every row, and protects every write', () => {
    for (const route of routes) {
      expect(route.bodyLimitBytes).toBeGreaterThan(0);
      expect(route.bodyLimitBytes).toBeLessThanOrEqual(1024 * 1024);
      if (route.method !== 'GET') expect([rowName(route), route.csrf]).not.toEqual([rowName(route), 'none']);
      if (route.path.startsWith('/api/')) expect(route.cache).toBe('no-store');
      if (route.access === 'permitted') expect(route.permission).not.toBeNull();
    }
  });

  describe.each(Object.entries(EXPECTED))('%s is %s', (name, who) => {
    const row = (): AdminRoute => {
      const route = routes.find((candidate) => rowName(candidate) === name);
      if (!route) throw new Error(`no row ${name}`);
      return route;
    };

    it('nobody (no credential)', async () => {
      const status = await ask(row(), {});
      if (who !== 'public') expect(status).toBe(401);
      else if (name === 'POST /api/setup') expect(status).toBe(400);
      else expect(status).not.toBe(401);
    });

    it.each(KEY_SCOPES)('a key with scope %s', async (scope) => {
      const status = await ask(row(), { authorization: `Bearer ${keys.get(scope)}` });
      const may =
        who === 'public' ||
        (who === 'admin' && scope === 'admin') ||
        (who === 'read' && ['read', 'admin'].includes(scope));
      if (may) expect(admitted(status)).toBe(true);
      else expect(status).toBe(403);
    });

    it.each([
      ['revoked', () => revoked],
      ['expired', () => expired],
      ['unknown', () => `tg_${'A'.repeat(43)}`],
      ['malformed', () => 'sk-ant-whatever'],
    ])('a key that is %s', async (_state, key) => {
      expect(await ask(row(), { 'x-api-key': key() })).toBe(401);
    });

    it('the owner, signed in', async () => {
      const me = await ownerFor(name);
      const status = await ask(row(), me.headers);
      if (who === 'local') expect(status).toBe(403);
      else expect(admitted(status) || (name === 'POST /api/auth/login' && status === 401)).toBe(true);
    });

    it('the owner, signed in, without or with another CSRF token', async () => {
      const me = await ownerFor(name);
      const write = row().method !== 'GET' && who !== 'public';
      const tokens: Record<string, string>[] = [
        {},
        { 'x-csrf-token': '' },
        { 'x-csrf-token': 'A'.repeat(43) },
      ];
      for (const token of tokens) {
        const status = await ask(row(), { cookie: me.cookie, ...token });
        if (write) expect(status).toBe(403);
        else expect(status).not.toBe(403);
      }
    });

    it('a page of another site with the owner’s cookie and token', async () => {
      const me = await ownerFor(name);
      const signs: Record<string, string>[] = [
        { 'sec-fetch-site': 'cross-site' },
        { 'sec-fetch-site': 'same-site' },
        { origin: 'https://evil.example' },
        { origin: 'null' },
      ];
      for (const foreign of signs) {
        const status = await ask(row(), { ...me.headers, ...foreign });
        if (row().method === 'GET') expect(status).not.toBe(403);
        else expect(status).toBe(403);
      }
    });

    it('the local socket', async () => {
      if (row().kind === 'stream') return; // opened in the stream tests
      const status = await ask(row(), {}, true);
      if (who === 'session') expect(status).toBe(403);
      else expect(admitted(status)).toBe(true);
    });

    it('refuses unknown query and body fields by name', async () => {
      if (name === 'GET /' || name === 'GET /*') return; // a page's own parameters are none of the server's business
      if (row().kind === 'redirect') return; // its query is that of the site that sent the browser
      const me = await ownerFor(name);
      const isRead = row().method === 'GET';
      const answer = await world.call(`${address(row())}${isRead ? '?' : '?'}nonsense=1`, {
        method: row().method,
        headers: me.headers,
        local: who === 'local',
        ...(isRead ? {} : { body: {} }),
      });
      expect(answer.status).toBe(400);
      expect(answer.json.error).toMatchObject({ code: 'invalid_request' });
      expect(answer.json.error?.details?.map((problem) => problem.path)).toContain('nonsense');
      if (isRead) return;
      const again = await ownerFor(name);
      const body = { nonsense: 1 };
      const posted = await world.call(address(row()), {
        method: row().method,
        headers: again.headers,
        local: who === 'local',
        body,
      });
      expect(posted.status).toBe(400);
      expect(posted.json.error?.details?.map((problem) => problem.path)).toContain('nonsense');
    });
  });
});
