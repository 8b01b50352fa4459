import { type AdminWorld, startAdminWorld } from '@tallygate/testkit/admin-world';
import { sampleEvent, sampleSettled } from '@tallygate/testkit/sample-event';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let world: AdminWorld;
beforeAll(async () => {
  world = await startAdminWorld(await openTestStore(), {
    costLinesOf: (event) =>
      event.costNanoUsd === null
        ? null
        : [{ unit: 'outputVisible', quantity: 345, ratePicoUsd: '15000000', amountUsd: '0.005175' }],
  });
  const { id: accountId } = (
    await world.call('/api/accounts', {
      local: true,
      body: { provider: 'anthropic', name: 'Main', apiKey: 'sk-ant-0123456789abcdef' },
    })
  ).json;
  const { id: apiKeyId } = await world.makeKey(['gateway'], 'alpha');
  const project = (await world.deps.store.config.listProjects(null)).find((row) => row.slug === 'alpha');
  const common = { projectId: project?.id ?? '', apiKeyId, accountId: String(accountId) };
  await world.deps.store.ledger.commit(
    [
      ...Array.from({ length: 5 }, (_, i) =>
        sampleSettled(`r${i}`, { ...common, startedAtMs: world.clock.ms + i, tags: [`t${i}`] }),
      ),
      sampleSettled('child', {
        ...common,
        parentId: 'r0',
        startedAtMs: world.clock.ms - 10,
        modelServed: 'advisor',
      }),
      sampleEvent('cut', {
        ...common,
        accountId: 'gone',
        startedAtMs: world.clock.ms - 20,
        rawUsage: 'not json',
      }),
    ],
    { nodeId: 'n', committed: { segment: 0, offset: 0 }, lowWaterSegment: 0 },
  );
});
afterAll(() => world.close());

const ids = (json: Record<string, unknown>) => (json.requests as { id: string }[]).map((row) => row.id);

describe('GET /api/requests (CF-08)', () => {
  it('200 newest first, in pages that neither repeat nor skip', async () => {
    const seen: string[] = [];
    let cursor = '';
    do {
      const { json } = await world.call(
        `/api/requests?limit=2${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
        { local: true },
      );
      seen.push(...ids(json));
      cursor = (json.nextCursor as string | null) ?? '';
    } while (cursor);
    expect(seen).toEqual(['r4', 'r3', 'r2', 'r1', 'r0', 'child', 'cut']);
  });

  it('200 with names, exact cost, whole milliseconds, and null for what is unknown', async () => {
    const { json } = await world.call('/api/requests?tag=t0', { local: true });
    expect(json.requests).toMatchObject([
      {
        id: 'r0',
        project: { slug: 'alpha' },
        key: { name: 'gateway' },
        account: { name: 'Main' },
        costUsd: '0.005211',
        totalTokens: 357,
        tokens: { inputUncached: 12, cacheRead: 0, cacheWrite5m: null, outputVisible: 345 },
        latencyMs: 900,
        ttftMs: 102,
        status: 'ok',
      },
    ]);
    const cut = (await world.call('/api/requests?status=interrupted', { local: true })).json
      .requests as Record<string, unknown>[];
    expect(cut[0]).toMatchObject({
      id: 'cut',
      costUsd: null,
      totalTokens: null,
      endedAt: null,
      latencyMs: null,
      account: { id: 'gone', name: 'gone' },
    });
  });

  it.each([
    'limit=0',
    'limit=501',
    'limit=x',
    'status=fine',
    'from=now',
    'from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z',
    'cursor=%27%3B--',
    'tags=x',
    `cursor=${'1'.repeat(201)}`,
  ])('400 for %s', async (query) => {
    const answer = await world.call(`/api/requests?${query}`, { local: true });
    expect([answer.status, answer.json.error?.code]).toEqual([400, 'invalid_request']);
  });
});

describe('GET /api/requests/:id', () => {
  it('200 with attempts, sub-calls, the bill and the provider’s own usage', async () => {
    const { json } = await world.call('/api/requests/r0', { local: true });
    expect(json).toMatchObject({
      request: { id: 'r0' },
      attempts: [{ index: 0, outcome: 'ok', httpStatus: 200 }],
      children: [{ id: 'child', parentId: 'r0', modelServed: 'advisor' }],
      costLines: [{ unit: 'outputVisible', amountUsd: '0.005175' }],
      rawUsage: { input_tokens: 12, output_tokens: 345 },
      requestBytes: 120,
      responseBytes: 4321,
    });
  });

  it('200 for one that was cut: no bill, usage as the text it is', async () => {
    const { json } = await world.call('/api/requests/cut', { local: true });
    expect(json).toMatchObject({ costLines: null, rawUsage: 'not json', attempts: [], children: [] });
  });

  it('404 for an unknown one', async () => {
    const answer = await world.call('/api/requests/nope', { local: true });
    expect([answer.status, answer.json.error?.code]).toEqual([404, 'resource_not_found']);
  });
});
