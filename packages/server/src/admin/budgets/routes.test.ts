import type { BudgetView } from '@tallygate/contract/api/budgets';
import { type AdminWorld, startAdminWorld } from '@tallygate/testkit/admin-world';
import { SAMPLE_WORKSPACE_ID, sampleSettled } from '@tallygate/testkit/sample-event';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BudgetBook } from './budget-book.ts';

let world: AdminWorld;
beforeEach(async () => {
  world = await startAdminWorld(await openTestStore());
});
afterEach(() => world.close());

const call = (path: string, method = 'GET', body?: unknown) =>
  world.call(path, { local: true, method, ...(body === undefined ? {} : { body }) });
const create = (body: Record<string, unknown>) =>
  call('/api/budgets', 'POST', { scope: 'workspace', window: 'month', ...body });
const status = async (id: unknown) =>
  (JSON.parse((await call(`/api/budgets/${id}`)).text) as BudgetView).status;

/** Rows in the ledger: three of one key, one of them a month ago. */
async function spend(): Promise<void> {
  const row = (id: string, startedAtMs: number) =>
    sampleSettled(id, { startedAtMs, projectId: 'p', apiKeyId: 'k', costNanoUsd: 1_500_000_000n });
  const now = world.clock.ms;
  await world.deps.store.ledger.commit(
    [row('r1', now - 1000), row('r2', now - 2000), row('old', now - 31 * 86_400_000)],
    { nodeId: 'n', committed: { segment: 1, offset: 1 }, lowWaterSegment: 0 },
  );
}

describe('budgets (X-02)', () => {
  it('POST 201 gives back every field, with what the window has spent', async () => {
    await spend();
    const answer = await create({ limitUsd: '12.5', name: 'Web', mode: 'clamp', timeZone: 'Europe/Berlin' });
    expect(answer.status).toBe(201);
    expect(answer.json).toEqual({
      id: expect.any(String),
      name: 'Web',
      scope: 'workspace',
      scopeLabel: 'workspace',
      measure: 'usd',
      limitUsd: '12.5',
      limitTokens: null,
      limitWeightedTokens: null,
      limitRequests: null,
      window: 'month',
      windowHours: null,
      sliding: false,
      timeZone: 'Europe/Berlin',
      mode: 'clamp',
      unpriced: 'refuse',
      onOutage: 'closed',
      provisionalUsdPerMtok: null,
      createdAt: '2026-11-22T12:00:00.000Z',
      status: {
        windowStart: '2026-10-31T23:00:00.000Z',
        resetsAt: '2026-11-30T23:00:00.000Z',
        spent: '3',
        held: '0',
        left: '9.5',
        utilisation: 0.24,
        exceeded: false,
      },
    });
    const { json } = await call('/api/budgets');
    expect(json.budgets).toEqual([answer.json]);
  });

  it.each([
    ['a key', { scope: 'key:k2', limitRequests: 5 }, 0],
    ['a model that was asked for', { scope: 'model:claude-*', limitRequests: 5 }, 2],
    ['tokens', { scope: 'provider:anthropic', limitTokens: 5000 }, 714],
    ['a total, which begins now', { limitRequests: 5, window: 'total' }, 0],
  ])('counts what was spent before: %s', async (_name, body, spent) => {
    await spend();
    const { id: project } = (await call('/api/projects', 'POST', { slug: 'web' })).json;
    const key = (await call('/api/keys', 'POST', { name: 'k2', scopes: ['gateway'] })).json;
    const scope = 'scope' in body && body.scope === 'key:k2' ? { scope: `key:${key.id}` } : {};
    const { json } = await create({ ...body, ...scope });
    expect((await status(json.id)).spent).toBe(spent);
    const named = await create({ scope: 'project:web', limitRequests: 1 });
    expect(named.json).toMatchObject({ scope: 'project:web', scopeLabel: 'project web' });
    expect((await world.deps.store.budgets.listBudgets(null)).at(-1)?.scope).toEqual([
      { kind: 'project', value: project },
    ]);
  });

  it.each([
    [{}, 'limitUsd'],
    [{ limitUsd: '1', limitTokens: 1 }, 'limitUsd'],
    [{ limitUsd: '-1' }, 'limitUsd'],
    [{ limitUsd: '9000001' }, 'limitUsd'],
    [{ limitTokens: 1.5 }, 'limitTokens'],
    [{ limitUsd: '1', window: 'year' }, 'window'],
    [{ limitUsd: '1', mode: 'strict' }, 'mode'],
    [{ limitRequests: 1, mode: 'clamp' }, 'mode'],
    [{ limitUsd: '1', timeZone: 'Mars' }, 'timeZone'],
    [{ limitUsd: '1', scope: 'project:nope' }, 'scope'],
    [{ limitUsd: '1', scope: 'key:nope' }, 'scope'],
    [{ limitUsd: '1', scope: 'provider:nope' }, 'scope'],
    [{ limitUsd: '1', scope: 'user:ada' }, 'scope'],
    [{ limitUsd: '1', scope: 'workspace:x' }, 'scope'],
    [{ limitUsd: '1', scope: 'key' }, 'scope'],
    [{ limitUsd: '1', soft: true }, 'soft'],
    [{ limitUsd: '1', scope: 'model:a,model:b' }, 'scope'],
    [{ limitUsd: '1', window: 'custom' }, 'windowHours'],
    [{ limitUsd: '1', windowHours: 5 }, 'windowHours'],
    [{ limitUsd: '1', window: 'custom', windowHours: 0 }, 'windowHours'],
    [{ limitUsd: '1', window: 'total', sliding: true }, 'sliding'],
    [{ limitUsd: '1', window: 'day', sliding: true, timeZone: 'Europe/Berlin' }, 'timeZone'],
    [{ limitUsd: '1', unpriced: 'provisional' }, 'provisionalUsdPerMtok'],
    [{ limitUsd: '1', provisionalUsdPerMtok: '1' }, 'provisionalUsdPerMtok'],
    [{ limitTokens: 1, unpriced: 'provisional', provisionalUsdPerMtok: '1' }, 'unpriced'],
  ])('POST 400 for %j names %s', async (body, field) => {
    const answer = await create(body);
    expect([answer.status, answer.json.error?.details?.[0]?.path]).toEqual([400, field]);
    expect(await world.deps.store.budgets.listBudgets(null)).toEqual([]);
    expect(world.deps.budgets.engine.active).toBe(false);
  });

  it('PATCH changes limit and mode at once, and nothing else', async () => {
    const { id } = (await create({ limitUsd: '1' })).json;
    const changed = await call(`/api/budgets/${id}`, 'PATCH', { limitUsd: '0', mode: 'soft', name: 'n' });
    expect(changed.json).toMatchObject({
      limitUsd: '0',
      mode: 'soft',
      name: 'n',
      status: { utilisation: null },
    });
    expect(world.deps.budgets.engine.status(String(id), world.clock.ms)?.budget).toMatchObject({
      limit: 0,
      mode: 'soft',
    });
    expect((await call(`/api/budgets/${id}`, 'PATCH', { limitTokens: 5 })).status).toBe(400);
    expect((await call(`/api/budgets/${id}`, 'PATCH', { window: 'day' })).status).toBe(400);
    expect((await call('/api/budgets/nope', 'PATCH', { name: 'x' })).status).toBe(404);
  });

  it('counts several things at once, in windows of its own, at a price of its own', async () => {
    await world.setUp();
    const project = String((await call('/api/projects', 'POST', { slug: 'web' })).json.id);
    const owner = (await world.deps.store.people.listMembers(SAMPLE_WORKSPACE_ID))[0]?.id ?? '';
    const row = (id: string, change: Parameters<typeof sampleSettled>[1]) =>
      sampleSettled(id, {
        ...{
          startedAtMs: world.clock.ms,
          projectId: project,
          userId: owner,
          sessionId: 's',
          tags: ['a', 'b'],
        },
        ...{ costNanoUsd: null, priceStatus: 'unpriced', weightedTokens: 50 },
        ...change,
      });
    await world.deps.store.ledger.commit(
      [
        row('r1', {}),
        row('r2', { tags: ['a'] }),
        row('r3', { projectId: 'other' }),
        row('r4', { sessionId: null }),
      ],
      { nodeId: 'n', committed: { segment: 1, offset: 1 }, lowWaterSegment: 0 },
    );
    const spent = async (scope: string, body: object) => {
      const answer = await create({ scope, ...body });
      expect([answer.status, answer.json.scope]).toEqual([201, scope]);
      return (answer.json.status as BudgetView['status']).spent;
    };
    const requests = { limitRequests: 9 };
    expect(await spent('project:web,user:maria', requests)).toBe(3);
    expect(await spent('project:web,model:claude-*', requests)).toBe(3);
    expect(await spent('user:maria,session:s,tag:a,tag:b', requests)).toBe(2);
    expect(await spent('project:web,tag:a', { limitWeightedTokens: 1000 })).toBe(150);
    const provisional = { limitUsd: '5', unpriced: 'provisional', provisionalUsdPerMtok: '2' };
    expect(await spent('project:web,session:s', provisional)).toBe('0.001428'); // two times 357 tokens that have no price
    const custom = await create({ ...requests, window: 'custom', windowHours: 5 });
    const { windowStart, resetsAt } = custom.json.status as BudgetView['status'];
    expect(Date.parse(resetsAt ?? '') - Date.parse(windowStart)).toBe(5 * 3_600_000);
    expect(Date.parse(windowStart)).toBe(world.clock.ms);
  });

  it('PATCH of the policy takes its price along', async () => {
    const { id } = (await create({ limitUsd: '1' })).json;
    const patch = (body: unknown) => call(`/api/budgets/${id}`, 'PATCH', body);
    const price = { unpriced: 'provisional', provisionalUsdPerMtok: '2.5' };
    expect((await patch(price)).json).toMatchObject(price);
    expect((await patch({ unpriced: 'provisional' })).status).toBe(400);
    expect((await patch({ unpriced: 'allow' })).json).toMatchObject({ provisionalUsdPerMtok: null });
    const { text } = await call('/api/audit');
    expect(text).toContain('"resource":"budget"');
  });

  it('DELETE takes it out of the store and of the engine', async () => {
    const { id } = (await create({ limitUsd: '1' })).json;
    expect((await call(`/api/budgets/${id}`, 'DELETE')).status).toBe(200);
    expect((await call(`/api/budgets/${id}`, 'DELETE')).status).toBe(404);
    expect((await call(`/api/budgets/${id}`)).status).toBe(404);
    expect(world.deps.budgets.engine.active).toBe(false);
  });

  it('holds and history', async () => {
    await spend();
    const { id } = (await create({ limitUsd: '10' })).json;
    const scopes = {
      workspaceId: SAMPLE_WORKSPACE_ID,
      keyId: 'k',
      userId: null,
      sessionId: null,
      projectId: 'p',
      model: 'm',
      provider: 'anthropic',
      accountId: 'a',
      tags: [],
    };
    const upper = {
      ...{ outputTokens: 0, minOutputTokens: null, costNanoUsd: () => 2_000_000 },
      ...{ tokens: () => 1, weightedTokens: () => 1 },
    };
    world.deps.budgets.engine.reserve({ id: 'req', startedAtMs: world.clock.ms + 1, scopes }, () => upper);
    expect((await call(`/api/budgets/holds?budget=${id}`)).json).toEqual({
      holds: [
        {
          requestId: 'req',
          startedAt: '2026-11-22T12:00:00.001Z',
          clampedTo: null,
          budgets: [{ id, name: 'workspace', measure: 'usd', held: '0.002' }],
        },
      ],
    });
    expect((await call('/api/budgets/holds?budget=nope')).status).toBe(404);
    const { json } = await call(`/api/budgets/${id}/history`);
    expect((json.windows as unknown[]).slice(0, 2)).toEqual([
      { start: '2026-11-01T00:00:00.000Z', end: '2026-12-01T00:00:00.000Z', spent: '3' },
      { start: '2026-10-01T00:00:00.000Z', end: '2026-11-01T00:00:00.000Z', spent: '1.5' },
    ]);
    expect(json.users).toEqual([{ kind: 'key', id: 'k', label: 'k', spent: '3' }]);
  });

  it('a key bound to a project sees that project’s budgets only', async () => {
    const { key } = await world.makeKey(['read'], 'web');
    await create({ limitUsd: '1' });
    const own = (await create({ limitUsd: '2', scope: 'project:web' })).json;
    const headers = { authorization: `Bearer ${key}` };
    const { json } = await world.call('/api/budgets', { headers });
    const ids = (json.budgets as BudgetView[]).map(({ id }) => id);
    expect(ids).toEqual([own.id]);
    const write = await world.call('/api/budgets', { headers, method: 'POST', body: {} });
    expect(write.status).toBe(403);
  });

  it('sliding: what was spent within its length counts, when it is made and when it is rebuilt', async () => {
    const hour = 3_600_000;
    const rows = [1, 23, 26, 40].map((hours) =>
      sampleSettled(`h${hours}`, { startedAtMs: world.clock.ms - hours * hour, costNanoUsd: 10n ** 9n }),
    );
    const checkpoint = { nodeId: 'n', committed: { segment: 1, offset: 1 }, lowWaterSegment: 0 };
    await world.deps.store.ledger.commit(rows, checkpoint);
    const made = await create({ limitUsd: '10', window: 'day', sliding: true });
    expect(made.json).toMatchObject({
      ...{ window: 'day', sliding: true, timeZone: 'UTC' },
      // Slices of an hour, this one and 24 before it; the last row leaves a day after its slice ends.
      status: { windowStart: '2026-11-21T12:00:00.000Z', resetsAt: '2026-11-23T12:00:00.000Z', spent: '2' },
    });
    const { json } = await call(`/api/budgets/${made.json.id}/history`);
    expect((json.windows as unknown[]).slice(0, 2)).toEqual([
      { start: '2026-11-21T12:00:00.000Z', end: '2026-11-22T13:00:00.000Z', spent: '2' },
      { start: '2026-11-20T12:00:00.000Z', end: '2026-11-21T12:00:00.000Z', spent: '2' },
    ]);
    const { store, clock, logger } = world.deps;
    const book = new BudgetBook({ store, clock, logger, wait: async () => undefined });
    await book.load();
    const spent = () => book.engine.status(String(made.json.id), clock.now())?.window.before;
    expect(spent()).toBe(2_000_000_000);
    world.clock.ms += 3 * hour; // the row of 23 hours ago leaves
    expect(spent()).toBe(1_000_000_000);
  });

  it('books are rebuilt from the ledger', async () => {
    await spend();
    const { id } = (await create({ limitUsd: '10' })).json;
    const { store, clock, logger } = world.deps;
    const book = new BudgetBook({ store, clock, logger, wait: async () => undefined });
    await book.load();
    expect(book.engine.status(String(id), clock.now())?.window.before).toBe(3_000_000_000);
  });
});
