import { type AdminWorld, startAdminWorld } from '@tallygate/testkit/admin-world';
import { type EventClient, openEvents } from '@tallygate/testkit/event-client';
import { sampleSettled } from '@tallygate/testkit/sample-event';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { UsageEvent } from '../accounting/usage-event.ts';

let world: AdminWorld;
let key: { id: string; key: string };
let clients: EventClient[];
let position = 0;

beforeEach(async () => {
  world = await startAdminWorld(await openTestStore(), { streamHeartbeatMs: 100 });
  key = await world.makeKey(['read']);
  clients = [];
});
afterEach(async () => {
  for (const client of clients) client.close();
  await world.close();
});

async function open(path: string, headers: Record<string, string> = {}): Promise<EventClient> {
  const client = await openEvents(world.port, path, { authorization: `Bearer ${key.key}`, ...headers });
  clients.push(client);
  return client;
}

async function commit(...events: UsageEvent[]): Promise<void> {
  await commitQuietly(...events);
  world.feed.announce();
}
async function commitQuietly(...events: UsageEvent[]): Promise<void> {
  position += 1;
  const checkpoint = { nodeId: 'n', committed: { segment: 0, offset: position }, lowWaterSegment: 0 };
  await world.deps.store.ledger.commit(events, checkpoint);
}
const settled = (id: string, change: Partial<UsageEvent> = {}) =>
  sampleSettled(id, { startedAtMs: world.clock.ms, ...change });

describe('GET /api/requests/stream (WT-16)', () => {
  it('starts at now and sends each request as it is committed, with its ledger sequence as id', async () => {
    await commit(settled('before'));
    const client = await open('/api/requests/stream');
    expect(client.status).toBe(200);
    expect(client.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    });
    expect(client.headers['x-request-id']).toBeTruthy();
    await expect.poll(() => client.raw()).toContain(': open');
    await commit(settled('one'), settled('two'));
    expect(await client.next()).toMatchObject({
      event: 'request',
      id: '2',
      data: { id: 'one', costUsd: '0.005211' },
    });
    expect(await client.next()).toMatchObject({ id: '3', data: { id: 'two' } });
  });

  it('resumes after Last-Event-ID or ?after, without gap or repetition; the header wins', async () => {
    await commit(...Array.from({ length: 450 }, (_, i) => settled(`r${i + 1}`)));
    const client = await open('/api/requests/stream?after=3', { 'last-event-id': '440' });
    for (let seq = 441; seq <= 450; seq++) expect((await client.next()).id).toBe(String(seq));
    const early = await open('/api/requests/stream?after=3');
    await commit(settled('live'));
    const ids: number[] = [];
    while (ids.at(-1) !== 451) ids.push(Number((await early.next()).id));
    expect(ids).toEqual(Array.from({ length: 448 }, (_, i) => i + 4));
    expect((await client.next()).id).toBe('451');
  });

  it('starts at now for a point that the ledger has not reached', async () => {
    await commit(settled('a'));
    const client = await open('/api/requests/stream?after=900');
    await expect.poll(() => client.raw()).toContain('open');
    await commit(settled('b'));
    expect((await client.next()).data.id).toBe('b');
  });

  it('loses and repeats nothing while rows are committed at the moment of connecting', async () => {
    let stop = false;
    const writer = (async () => {
      for (let i = 0; !stop; i++) {
        await commit(settled(`w${i}`));
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const followers = await Promise.all(
      Array.from({ length: 6 }, () => open('/api/requests/stream?after=0')),
    );
    for (const follower of followers) {
      for (let seq = 1; seq <= 60; seq++) expect((await follower.next()).id).toBe(String(seq));
    }
    stop = true;
    await writer;
  });

  it('sends nothing twice to one who joins ahead of the others', async () => {
    const early = await open('/api/requests/stream');
    await expect.poll(() => early.raw()).toContain('open');
    await commit(settled('first'));
    expect((await early.next()).data.id).toBe('first');
    await commitQuietly(settled('quiet')); // in the ledger, but nobody was told yet
    const late = await open('/api/requests/stream');
    expect((await early.next()).data.id).toBe('quiet');
    await commit(settled('next'));
    expect((await early.next()).data.id).toBe('next');
    expect((await late.next()).data.id).toBe('next');
  });

  it('takes the filters of the request list', async () => {
    const client = await open('/api/requests/stream?status=timeout,upstream_error&provider=openai&tag=x');
    await expect.poll(() => client.raw()).toContain('open');
    await commit(
      settled('no-status', { provider: 'openai', tags: ['x'] }),
      settled('no-provider', { status: 'timeout', tags: ['x'] }),
      settled('no-tag', { status: 'timeout', provider: 'openai' }),
      settled('yes', { status: 'timeout', provider: 'openai', tags: ['y', 'x'] }),
    );
    expect((await client.next()).data.id).toBe('yes');
  });

  it('400 for an unknown filter or a resume point that is none, before anything is sent', async () => {
    for (const [path, headers] of [
      ['/api/requests/stream?limit=5', {}],
      ['/api/requests/stream?after=-1', {}],
      ['/api/requests/stream', { 'last-event-id': 'abc' }],
    ] as const) {
      const answer = await world.call(path, { headers: { 'x-api-key': key.key, ...headers } });
      expect([answer.status, answer.json.error?.code]).toEqual([400, 'invalid_request']);
    }
  });

  it('shows a project-bound key its own project only', async () => {
    const bound = await world.makeKey(['read'], 'alpha');
    const project = (await world.deps.store.config.listProjects(null)).find((row) => row.slug === 'alpha');
    const client = await openEvents(world.port, '/api/requests/stream', { 'x-api-key': bound.key });
    clients.push(client);
    await expect.poll(() => client.raw()).toContain('open');
    await commit(settled('theirs'), settled('ours', { projectId: project?.id ?? '' }));
    expect(await client.next()).toMatchObject({ data: { id: 'ours', project: { slug: 'alpha' } } });
  });

  it('names keys and projects that were made after it was opened', async () => {
    const client = await open('/api/requests/stream');
    await expect.poll(() => client.raw()).toContain('open');
    const made = await world.makeKey(['gateway'], 'fresh');
    const project = (await world.deps.store.config.listProjects(null)).find((row) => row.slug === 'fresh');
    await commit(settled('x', { apiKeyId: made.id, projectId: project?.id ?? '' }));
    expect((await client.next()).data).toMatchObject({
      key: { name: 'gateway' },
      project: { slug: 'fresh' },
    });
  });

  it('sends heartbeats as comments', async () => {
    const client = await open('/api/requests/stream');
    await expect.poll(() => client.raw().match(/: beat/g)?.length ?? 0).toBeGreaterThanOrEqual(2);
  });
});

describe('streams end with their credential', () => {
  /** Without heartbeats within reach, so that only what happens at once can end a stream. */
  async function restartWithoutBeats(): Promise<void> {
    await world.close();
    world = await startAdminWorld(await openTestStore(), { streamHeartbeatMs: 3_600_000 });
    key = await world.makeKey(['read']);
  }

  it('when the key is revoked: at once', async () => {
    await restartWithoutBeats();
    const client = await open('/api/requests/stream');
    await world.call(`/api/keys/${key.id}`, { method: 'DELETE', local: true });
    await client.ended;
  });

  it('when the key expires, at the next heartbeat', async () => {
    const expiresAt = new Date(world.clock.ms + 5_000).toISOString();
    const { json } = await world.call('/api/keys', {
      local: true,
      body: { name: 'short', scopes: ['read'], expiresAt },
    });
    const client = await open('/api/requests/stream', { authorization: `Bearer ${String(json.key)}` });
    world.clock.ms += 5_000;
    await client.ended;
  });

  it('when the person signs out: at once, and only theirs', async () => {
    await restartWithoutBeats();
    const mine = await world.setUp();
    const other = await world.signIn();
    const a = await openEvents(world.port, '/api/requests/stream', { cookie: mine.cookie });
    const b = await openEvents(world.port, '/api/requests/stream', { cookie: other.cookie });
    clients.push(a, b);
    await world.call('/api/auth/logout', { method: 'POST', headers: mine.headers });
    await a.ended;
    await commit(settled('still here'));
    expect((await b.next()).data.id).toBe('still here');
  });

  it('when the session has been idle too long: an open stream is no use of it', async () => {
    const mine = await world.setUp();
    const client = await openEvents(world.port, '/api/usage/stream', { cookie: mine.cookie });
    clients.push(client);
    await client.next();
    world.clock.ms += 3_600_000;
    await client.ended;
  });

  it('when the server stops', async () => {
    const client = await open('/api/requests/stream');
    await world.app.close();
    await client.ended;
  });

  it('429 beyond a hundred open streams of a workspace, while another one has its own, and room again when one ends', async () => {
    const many = await Promise.all(Array.from({ length: 100 }, () => open('/api/requests/stream')));
    const refused = await world.call('/api/requests/stream', { headers: { 'x-api-key': key.key } });
    expect([refused.status, refused.json.error?.code]).toEqual([429, 'rate_limited']);
    const other = { 'x-tallygate-workspace': 'other' };
    await world.call('/api/workspaces', { local: true, body: { slug: 'other' } });
    const { json } = await world.call('/api/keys', {
      local: true,
      headers: other,
      body: { name: 'o', scopes: ['read'] },
    });
    const theirs = await openEvents(world.port, '/api/requests/stream', { 'x-api-key': String(json.key) });
    clients.push(theirs);
    expect(theirs.status).toBe(200);
    many[0]?.close();
    await expect.poll(async () => (await open('/api/requests/stream')).status).toBe(200);
  });
});

describe('GET /api/usage/stream', () => {
  it('sends today’s totals at once, again on change, and those of the new day after midnight', async () => {
    await commit(settled('yesterday', { startedAtMs: world.clock.ms - 86_400_000 }), settled('today'));
    const client = await open('/api/usage/stream');
    expect(await client.next()).toMatchObject({
      event: 'totals',
      data: {
        from: '2026-11-22T00:00:00.000Z',
        to: '2026-11-23T00:00:00.000Z',
        totals: { requests: 1, costUsd: '0.005211' },
      },
    });
    await commit(settled('more'));
    expect(await client.next()).toMatchObject({ data: { totals: { requests: 2, costUsd: '0.010422' } } });
    world.clock.ms += 86_400_000 / 2;
    expect(await client.next()).toMatchObject({
      data: { from: '2026-11-23T00:00:00.000Z', totals: { requests: 0 } },
    });
  });

  it('puts the changes of a second into one event', async () => {
    const client = await open('/api/usage/stream');
    await client.next();
    for (let i = 0; i < 30; i++) await commit(settled(`c${i}`));
    expect(await client.next()).toMatchObject({ data: { totals: { requests: 30 } } });
    expect(client.raw().match(/event: totals/g)).toHaveLength(2);
  });

  it('sums only what a project-bound key may see', async () => {
    const bound = await world.makeKey(['read'], 'alpha');
    const project = (await world.deps.store.config.listProjects(null)).find((row) => row.slug === 'alpha');
    await commit(settled('theirs'), settled('ours', { projectId: project?.id ?? '' }));
    const client = await openEvents(world.port, '/api/usage/stream', { 'x-api-key': bound.key });
    clients.push(client);
    expect(await client.next()).toMatchObject({ data: { totals: { requests: 1 } } });
  });
});
