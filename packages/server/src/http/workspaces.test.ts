import { KEY_SCOPES } from '@tallygate/contract/api/keys';
import { type AdminWorld, type SignedIn, startAdminWorld } from '@tallygate/testkit/admin-world';
import { openEvents } from '@tallygate/testkit/event-client';
import { sampleSettled } from '@tallygate/testkit/sample-event';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AdminRoute } from '../admin/route.ts';
import { BUILT_IN_ROLES } from '../identity/permissions.ts';
import { createAdminServices } from './admin-services.ts';
import { adminRouteTable } from './route-table.ts';

/** Stands in every name of the first workspace, so that a leak shows wherever it is. */
const CANARY = 'zq-first-workspace';
const PASSWORD = 'tall giraffes eat mangoes';

let world: AdminWorld;
let routes: AdminRoute[];
let owner: SignedIn;
/** Owns the second workspace and nothing else. */
let stranger: SignedIn;
let strangerKey: string;
let secondId: string;
/** Requests of the second workspace so far. */
let theirRequests = 0;
/** Ids of the first workspace by the word of the path before `:id`. */
const first: Record<string, string> = {};

const inSecond = { 'x-tallygate-workspace': 'second' };
const local = (path: string, body?: unknown, headers: Record<string, string> = {}, method?: string) =>
  world.call(path, {
    local: true,
    headers,
    ...(method === undefined ? {} : { method }),
    ...(body === undefined ? {} : { body }),
  });
const made = async (path: string, body: unknown, headers?: Record<string, string>): Promise<string> => {
  const answer = await local(path, body, headers);
  if (answer.status > 201) throw new Error(`${path}: ${answer.text}`);
  return String(answer.json.id);
};

async function join(role: string, username: string, headers: Record<string, string>): Promise<SignedIn> {
  const { json } = await local('/api/invitations', { role }, headers);
  const code = String(json.path).split('code=')[1];
  const accepted = await world.call('/api/entry/accept', { body: { code, username, password: PASSWORD } });
  const cookie = accepted.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
  const { csrfToken } = (await world.call('/api/auth/csrf', { headers: { cookie } })).json;
  const csrf = String(csrfToken);
  return { cookie, csrf, headers: { cookie, 'x-csrf-token': csrf } };
}

/** What an alert of the first workspace has told, with a delivery that is over. */
async function tellOfDelivery(id: string, channelId: string, ruleId: string): Promise<void> {
  const atMs = world.clock.ms;
  const about = { ruleId, subject: CANARY, version: 1 };
  await world.deps.store.alerts.recordAlertEdge({
    before: null,
    after: { ...about, firing: true, sinceMs: atMs, lastFiredAtMs: atMs, lastSeenAtMs: atMs },
    event: {
      ...about,
      id: `${CANARY}-event`,
      workspaceId: world.deps.firstWorkspaceId,
      ruleName: CANARY,
      state: 'firing',
      severity: 'info',
      environment: null,
      atMs,
      sinceMs: atMs,
      title: CANARY,
      text: CANARY,
      facts: [],
      path: null,
    },
    deliveries: [
      {
        id,
        eventId: `${CANARY}-event`,
        channelId,
        status: 'dead',
        attempts: 1,
        createdAtMs: atMs,
        nextAttemptAtMs: atMs,
        expiresAtMs: atMs,
        finishedAtMs: atMs,
        log: [],
      },
    ],
  });
}

async function fillFirst(): Promise<void> {
  first.projects = await made('/api/projects', { slug: CANARY });
  first.keys = await made('/api/keys', { name: CANARY, scopes: ['gateway'], project: CANARY });
  const apiKey = 'sk-ant-x';
  first.accounts = await made('/api/accounts', { provider: 'anthropic', name: CANARY, apiKey });
  const budget = { scope: 'workspace', window: 'month', limitUsd: '10', name: CANARY };
  first.budgets = await made('/api/budgets', budget);
  const target = { kind: 'slack', url: 'https://hooks.example.com/x' };
  first.channels = await made('/api/alerts/channels', { name: CANARY, target });
  const condition = { kind: 'budget', budget: first.budgets };
  first.rules = await made('/api/alerts/rules', { name: CANARY, condition });
  first.deliveries = `${CANARY}-delivery`;
  await tellOfDelivery(first.deliveries, first.channels, first.rules);
  first.limits = await made('/api/limits', {
    scope: 'workspace',
    measure: 'concurrent_requests',
    limit: 9,
    name: CANARY,
  });
  first.invitations = await made('/api/invitations', { role: 'viewer', note: CANARY });
  await join('viewer', CANARY, {});
  const { users } = (await local('/api/users')).json as { users: { id: string; username: string }[] };
  first.users = users.find((user) => user.username === CANARY)?.id ?? '';
  const found = (await local(`/api/sessions?user=${first.users}`)).json as { sessions: { id: string }[] };
  first.sessions = found.sessions[0]?.id ?? '';
  first.pools = await made('/api/pools', { name: CANARY, accountIds: [first.accounts] });
  // Rules of alerts have the same word.
  first['/api/rules'] = await made('/api/rules', {
    name: CANARY,
    conditions: { keys: [first.keys] },
    actions: { deny: CANARY },
  });
  first.tokens = first.keys; // the same by another path
  first.workspaces = world.deps.firstWorkspaceId;
  first.requests = `${CANARY}-request`;
  const about = { projectId: first.projects, apiKeyId: first.keys, accountId: first.accounts };
  const event = { ...about, tags: [CANARY], modelServed: CANARY, modelRequested: CANARY };
  await world.deps.store.ledger.commit(
    [sampleSettled(first.requests, { ...event, startedAtMs: world.clock.ms - 1000 })],
    { nodeId: 'n', committed: { segment: 1, offset: 1 }, lowWaterSegment: 0 },
  );
}

beforeAll(async () => {
  world = await startAdminWorld(await openTestStore(), { sessionLimits: { idleMs: 1e12, absoluteMs: 1e12 } });
  const { deps } = world;
  const parts = { ...deps, ...createAdminServices(deps, () => undefined) };
  routes = adminRouteTable(parts, { headless: false, files: new Map() });
  owner = await world.setUp();
  await fillFirst();
  world.clock.ms += 1000;
  secondId = await made('/api/workspaces', { slug: 'second' });
  stranger = await join('owner', 'stranger', inSecond);
  const key = await local('/api/keys', { name: 'theirs', scopes: ['admin'] }, inSecond);
  strangerKey = String(key.json.key);
});
afterAll(() => world.close());

/** Bodies that every row takes as well-formed, so that only the workspace can be the reason of a refusal. */
const BODIES: Record<string, unknown> = {
  'PATCH /api/keys/:id': { name: 'mine now' },
  'POST /api/keys/:id/rotate': { overlapSeconds: 0 },
  'PATCH /api/admin/tokens/:id': { name: 'mine now' },
  'POST /api/admin/tokens/:id/rotate': { overlapSeconds: 0 },
  'PATCH /api/projects/:id': { name: 'mine now' },
  'PATCH /api/accounts/:id': { name: 'mine now' },
  'PATCH /api/budgets/:id': { name: 'mine now' },
  'PATCH /api/limits/:id': { name: 'mine now' },
  'PATCH /api/users/:id': { role: 'viewer' },
  'PATCH /api/pools/:id': { name: 'mine now' },
  'PATCH /api/rules/:id': { name: 'mine now' },
};
const rowName = (route: AdminRoute): string => `${route.method} ${route.path}`;
const day = () => new Date(world.clock.ms - 86_400_000).toISOString();
const range = () => `from=${day()}&to=${new Date(world.clock.ms + 1000).toISOString()}`;
const QUERIES: Record<string, () => string> = {
  'GET /api/accounts/:id/health': range,
  'GET /api/usage/totals': range,
  'GET /api/usage/timeseries': () => `${range()}&step=day&group=project`,
  'GET /api/usage/breakdown': () => `${range()}&group=key`,
};

const callers: [string, () => Record<string, string>][] = [
  ['its owner, signed in', () => stranger.headers],
  ['its admin key', () => ({ 'x-api-key': strangerKey })],
];

describe.each(callers)('from another workspace, %s (TW-07, CF-14)', (_who, headers) => {
  const ask = (route: AdminRoute, path: string) =>
    world.call(path, {
      method: route.method,
      headers: headers(),
      ...(route.method === 'GET' || route.method === 'DELETE' ? {} : { body: BODIES[rowName(route)] ?? {} }),
    });

  it('finds nothing by an id of the first, in any row that takes one', async () => {
    const wrong: string[] = [];
    const tried: string[] = [];
    for (const route of routes.filter(({ path, access }) => path.includes(':id') && access === 'permitted')) {
      world.clock.ms += 60_000;
      const place = route.path.split('/:id')[0] ?? '';
      const id = first[place] ?? first[place.split('/').at(-1) ?? ''];
      if (route.reach === 'workspace' && id === undefined) throw new Error(`no id for ${rowName(route)}`);
      const query = QUERIES[rowName(route)]?.() ?? '';
      const path = route.path.replace(':id', id ?? 'x');
      const answer = await ask(route, query === '' ? path : `${path}?${query}`);
      const expected = route.reach === 'installation' ? 403 : 404;
      if (answer.status !== expected || answer.text.includes(CANARY))
        wrong.push(`${rowName(route)}: ${answer.status} ${answer.text}`);
      tried.push(rowName(route));
    }
    expect(wrong).toEqual([]);
    expect(tried.length).toBeGreaterThan(20);
  });

  it('sees nothing of the first in any list, sum or export, and reaches nothing of the installation', async () => {
    const wrong: string[] = [];
    const reads = routes.filter(
      ({ path, access, method, kind }) =>
        method === 'GET' && access === 'permitted' && kind !== 'stream' && !path.includes(':'),
    );
    for (const route of reads) {
      world.clock.ms += 60_000;
      const query = QUERIES[rowName(route)]?.() ?? '';
      const answer = await ask(route, query === '' ? route.path : `${route.path}?${query}`);
      const expected = route.reach === 'installation' ? 403 : 200;
      const leaks = Object.values(first).filter((id) => answer.text.includes(id));
      if (answer.status !== expected || answer.text.includes(CANARY) || leaks.length > 0)
        wrong.push(`${rowName(route)}: ${answer.status} ${answer.text.slice(0, 300)}`);
    }
    expect(wrong).toEqual([]);
    expect(reads.length).toBeGreaterThan(15);
  });

  it.each([
    () => `/api/usage/totals?${range()}&project=${first.projects}`,
    () => `/api/usage/totals?${range()}&key=${first.keys}`,
    () => `/api/usage/totals?${range()}&model=${CANARY}&tag=${CANARY}`,
    () => `/api/usage/totals?${range()}&account=${first.accounts}`,
  ])('counts nothing of the first when a filter names it (%#)', async (path) => {
    const { json } = await world.call(path(), { headers: headers() });
    expect(json.totals).toMatchObject({ requests: 0, costUsd: '0' });
    const requests = path().replace('/usage/totals', '/requests');
    expect((await world.call(requests, { headers: headers() })).json.requests).toEqual([]);
  });

  it.each(['scope=project', 'scope=key', 'scope=account'])(
    'makes no budget over what is of the first: %s',
    async (text) => {
      const kind = text.slice('scope='.length);
      const scope = `${kind}:${first[`${kind}s`]}`;
      const body = { scope, window: 'month', limitUsd: '1' };
      const answer = await world.call('/api/budgets', { headers: headers(), body });
      expect([answer.status, answer.json.error?.details?.[0]?.path]).toEqual([400, 'scope']);
      const limit = { scope, measure: 'concurrent_requests', limit: 1 };
      const limited = await world.call('/api/limits', { headers: headers(), body: limit });
      expect([limited.status, limited.json.error?.details?.[0]?.path]).toEqual([400, 'scope']);
    },
  );

  it('hears nothing of the first in live views', async () => {
    const streams = ['/api/requests/stream?after=0', '/api/usage/stream'];
    const [requests, totals] = await Promise.all(
      streams.map((path) => openEvents(world.port, path, headers())),
    );
    expect((await totals?.next())?.data.totals).toMatchObject({ requests: theirRequests });
    theirRequests += 1;
    const own = sampleSettled(`theirs-${_who}`, { workspaceId: secondId, startedAtMs: world.clock.ms });
    const theirs = sampleSettled(`${CANARY}-${_who}`, { startedAtMs: world.clock.ms });
    const checkpoint = { nodeId: 'n', committed: { segment: 9, offset: 9 }, lowWaterSegment: 0 };
    await world.deps.store.ledger.commit([theirs, own], checkpoint);
    world.feed.announce();
    expect((await requests?.next())?.data.id).toMatch(/^theirs-/);
    expect(requests?.raw()).not.toContain(CANARY);
    requests?.close();
    totals?.close();
  });
});

describe('several workspaces in one installation (TW-07)', () => {
  it('the same names in both are different things', async () => {
    const body = { slug: 'shared', name: 'Another' };
    const theirs = await made('/api/projects', body);
    const id = await made('/api/projects', body, inSecond);
    expect(id).not.toBe(theirs);
    const { json } = await local('/api/projects', undefined, inSecond);
    expect((json.projects as { slug: string }[]).map(({ slug }) => slug)).toEqual(['default', 'shared']);
    expect((await local('/api/projects', body, inSecond)).status).toBe(409);
    await local(`/api/projects/${id}`, { name: 'Renamed' }, inSecond, 'PATCH');
    const { projects } = (await local('/api/projects')).json as { projects: { name: string }[] };
    expect(projects.map(({ name }) => name)).not.toContain('Renamed');
  });

  it('a workspace that is not there is named as such, and its slug is taken once', async () => {
    const answer = await local('/api/projects', undefined, { 'x-tallygate-workspace': 'nope' });
    expect([answer.status, answer.json.error?.code]).toEqual([404, 'resource_not_found']);
    expect((await local('/api/workspaces', { slug: 'second' })).json.error?.code).toBe('name_taken');
    expect((await local('/api/workspaces', { slug: 'Not A Slug' })).status).toBe(400);
  });

  it('the header counts through the owner-only socket alone', async () => {
    const headers = { ...stranger.headers, 'x-tallygate-workspace': 'default' };
    const { json } = await world.call('/api/projects', { headers });
    expect(JSON.stringify(json)).not.toContain(first.projects);
  });

  it('an owner of the installation looks at any workspace; others at their own alone', async () => {
    const choose = (who: SignedIn, workspace: string) =>
      world.call('/api/auth/workspace', { headers: who.headers, body: { workspace } });
    const list = (who: SignedIn) => world.call('/api/auth/workspaces', { headers: who.headers });
    expect((await list(stranger)).json.workspaces).toMatchObject([{ slug: 'second', current: true }]);
    for (const name of ['default', world.deps.firstWorkspaceId, 'nope'])
      expect((await choose(stranger, name)).status).toBe(404);
    const live = await openEvents(world.port, '/api/requests/stream', { cookie: owner.cookie });
    expect((await choose(owner, 'second')).json).toMatchObject({ user: { role: 'owner' } });
    await live.ended;
    const { json } = await world.call('/api/keys', { headers: owner.headers });
    expect((json.keys as { name: string }[]).map(({ name }) => name)).toEqual(['theirs']);
    expect((await world.call('/api/system', { headers: owner.headers })).status).toBe(200);
    expect((await list(owner)).json.workspaces).toMatchObject([
      { slug: 'default', current: false },
      { slug: 'second', current: true, role: 'owner' },
    ]);
    expect((await choose(owner, 'default')).status).toBe(200);
  });

  it('somebody in both has a role in each, and neither workspace can take their sign-in over', async () => {
    const body = { username: CANARY, role: 'developer' };
    expect((await local(`/api/workspaces/${secondId}/members`, body)).status).toBe(201);
    expect((await local(`/api/workspaces/${secondId}/members`, body)).json.error?.code).toBe('name_taken');
    const unknown = { username: 'nobody', role: 'viewer' };
    expect((await local(`/api/workspaces/${secondId}/members`, unknown)).status).toBe(400);
    const { users } = (await world.call('/api/users', { headers: stranger.headers })).json as {
      users: { username: string; role: string }[];
    };
    expect(users.find(({ username }) => username === CANARY)?.role).toBe('developer');
    const act = (method: string, path: string, given?: unknown) =>
      world.call(`/api/users/${first.users}${path}`, {
        method,
        headers: stranger.headers,
        ...(given === undefined ? {} : { body: given }),
      });
    for (const [method, path, given] of [
      ['POST', '/reset-password', {}],
      ['DELETE', '/second-factor', undefined],
      ['DELETE', '/sessions', undefined],
      ['PATCH', '', { disabled: true }],
    ] as const)
      expect([path, (await act(method, path, given)).status]).toEqual([path, 403]);
    const sessions = await world.call('/api/sessions', { headers: stranger.headers });
    expect(sessions.text).not.toContain(CANARY);
    expect((await act('PATCH', '', { role: 'viewer' })).status).toBe(200);
    expect((await act('DELETE', '')).status).toBe(200);
    const left = (await local('/api/users')).json as { users: { id: string; role: string }[] };
    expect(left.users.find(({ id }) => id === first.users)?.role).toBe('viewer');
  });

  it('an act is in the log of its workspace alone, and the chain of all of them is whole', async () => {
    const text = async (headers: Record<string, string>) =>
      JSON.stringify((await world.call('/api/audit?limit=500', { headers })).json);
    expect(await text(stranger.headers)).not.toContain(CANARY);
    expect(await text(stranger.headers)).toContain('Renamed');
    expect(await text(owner.headers)).not.toContain('Renamed');
    expect(await text(owner.headers)).toContain(CANARY);
    expect((await local('/api/audit/verify', {})).json).toMatchObject({ ok: true, problems: [] });
    expect((await local('/api/audit/export?limit=5000')).text).toContain(`\\"workspaceId\\":\\"${secondId}`);
  });
});

describe('of every role and scope of another workspace (TW-07, WT-04)', () => {
  const rows = () => routes.filter(({ path, access }) => path.includes(':id') && access === 'permitted');

  it('nobody reaches a thing of the first by its id: 404 where they may ask, 403 where they may not', async () => {
    const who: [string, Record<string, string>][] = [];
    for (const role of Object.keys(BUILT_IN_ROLES))
      who.push([role, (await join(role, `second-${role}`, inSecond)).headers]);
    for (const scope of KEY_SCOPES) {
      const { key } = (await local('/api/keys', { name: scope, scopes: [scope] }, inSecond)).json;
      who.push([`key with ${scope}`, { 'x-api-key': String(key) }]);
    }
    const wrong: string[] = [];
    const outcomes = new Map<number, number>();
    for (const [name, headers] of who) {
      for (const route of rows()) {
        world.clock.ms += 60_000;
        const place = route.path.split('/:id')[0] ?? '';
        const id = first[place] ?? first[place.split('/').at(-1) ?? ''] ?? 'x';
        const query = QUERIES[rowName(route)]?.() ?? '';
        const path = route.path.replace(':id', id) + (query === '' ? '' : `?${query}`);
        const reads = route.method === 'GET' || route.method === 'DELETE';
        const body = reads ? {} : { body: BODIES[rowName(route)] ?? {} };
        const answer = await world.call(path, { method: route.method, headers, ...body });
        outcomes.set(answer.status, (outcomes.get(answer.status) ?? 0) + 1);
        if (![403, 404].includes(answer.status) || answer.text.includes(CANARY))
          wrong.push(`${name}, ${rowName(route)}: ${answer.status}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(who.length * rows().length).toBeGreaterThan(300);
    for (const status of [403, 404]) expect(outcomes.get(status)).toBeGreaterThan(50);
    // All of it is still there.
    expect((await local(`/api/requests/${first.requests}`)).status).toBe(200);
    const { projects } = (await local('/api/projects')).json as { projects: { id: string; name: string }[] };
    expect(projects.find(({ id }) => id === first.projects)?.name).not.toBe('mine now');
  });
});
