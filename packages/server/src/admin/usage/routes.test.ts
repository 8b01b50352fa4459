import { unknownTokens } from '@tallygate/contract/usage';
import { type AdminWorld, startAdminWorld } from '@tallygate/testkit/admin-world';
import { sampleSettled } from '@tallygate/testkit/sample-event';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { UsageEvent } from '../../accounting/usage-event.ts';

const HOUR = 3_600_000;
let world: AdminWorld;
const start = Date.UTC(2026, 10, 22, 2);
const projectIds: Record<string, string> = {};

beforeAll(async () => {
  world = await startAdminWorld(await openTestStore());
  for (const slug of ['alpha', 'beta']) {
    const environment = slug === 'beta' ? 'staging' : 'production';
    const { json } = await world.call('/api/projects', { local: true, body: { slug, environment } });
    projectIds[slug] = String(json.id);
  }
  const event = (id: string, hour: number, change: Partial<UsageEvent>): UsageEvent =>
    sampleSettled(id, {
      projectId: projectIds.alpha ?? '',
      startedAtMs: start + hour * HOUR,
      accountId: 'gone',
      apiKeyId: null,
      ...change,
    });
  await world.deps.store.ledger.commit(
    [
      event('a', 0, { modelServed: 'big', costNanoUsd: 3_000_000_001n }),
      event('b', 1, { modelServed: 'small', costNanoUsd: 1n, projectId: projectIds.beta ?? '' }),
      event('c', 1, { modelServed: 'free', costNanoUsd: null, priceStatus: 'unpriced', tags: ['x'] }),
      event('d', 2, {
        modelServed: null,
        costNanoUsd: null,
        status: 'timeout',
        tokens: unknownTokens(),
        latencyMs: null,
        ttftMs: null,
      }),
    ],
    { nodeId: 'n', committed: { segment: 0, offset: 0 }, lowWaterSegment: 0 },
  );
});
afterAll(() => world.close());

const iso = (hour: number) => new Date(start + hour * HOUR).toISOString();
const get = (path: string, query: Record<string, string> = {}, headers?: Record<string, string>) =>
  world.call(
    `/api/usage/${path}?${new URLSearchParams({ from: iso(0), to: iso(10), ...query })}`,
    headers ? { headers } : { local: true },
  );

describe('GET /api/usage/totals (WT-05)', () => {
  it('200 with exact money, tokens, latency and what is unpriced', async () => {
    const { status, json } = await get('totals');
    expect(status).toBe(200);
    expect(json).toMatchObject({
      from: iso(0),
      to: iso(10),
      previous: null,
      totals: {
        requests: 4,
        errors: 1,
        unpricedRequests: 1,
        costUsd: '3.000000002',
        totalTokens: 3 * 357,
        cacheHitRatio: 0,
        latency: { count: 3 },
      },
    });
  });

  it('200 with the span directly before', async () => {
    const { json } = await world.call(`/api/usage/totals?from=${iso(1)}&to=${iso(2)}&compare=previous`, {
      local: true,
    });
    expect(json).toMatchObject({
      totals: { requests: 2 },
      previous: { requests: 1, costUsd: '3.000000001' },
    });
  });

  it('200 with nulls, not zeros, where nothing is known', async () => {
    const { json } = await get('totals', { status: 'timeout' });
    expect(json.totals).toMatchObject({
      requests: 1,
      cacheHitRatio: null,
      latency: { count: 0, p50Ms: null, p99Ms: null },
    });
  });

  it.each([
    [{ project: 'beta' }, 1],
    [{ project: 'alpha,beta' }, 4],
    [{ project: 'unknown' }, 0],
    [{ model: 'big,small' }, 2],
    [{ model: 'big', project: 'beta' }, 0],
    [{ status: 'ok' }, 3],
    [{ tag: 'x' }, 1],
    [{ provider: 'openai' }, 0],
    [{ account: 'gone' }, 4],
    [{ environment: 'production' }, 3],
    [{ environment: 'staging' }, 1],
    [{ environment: 'staging,production' }, 4],
    [{ environment: 'development' }, 0],
    [{ environment: 'staging', project: 'alpha' }, 0],
    [{ environment: 'production', project: 'alpha,beta' }, 3],
  ])('200 filtered by %j counts %i', async (filter, requests) => {
    expect((await get('totals', filter as Record<string, string>)).json.totals).toMatchObject({ requests });
  });

  it('200 filtered by a project id, and by repeated parameters', async () => {
    expect((await get('totals', { project: projectIds.beta ?? '' })).json.totals).toMatchObject({
      requests: 1,
    });
    const repeated = await world.call(
      `/api/usage/totals?from=${iso(0)}&to=${iso(10)}&model=big&model=small`,
      { local: true },
    );
    expect(repeated.json.totals).toMatchObject({ requests: 2 });
  });

  it('every view keeps the environments apart (TW-20)', async () => {
    const staging = { environment: 'staging' };
    const groups = (await get('breakdown', { group: 'project', ...staging })).json.rows as {
      label: string;
    }[];
    expect(groups.map((row) => row.label)).toEqual(['beta']);
    const { json } = await get('timeseries', { step: 'hour', ...staging });
    const [series] = json.series as { points: { requests: number }[] }[];
    expect(series?.points.map((point) => point.requests)).toEqual([1]);
    const list = await world.call('/api/requests?environment=staging', { local: true });
    expect((list.json.requests as { id: string }[]).map((row) => row.id)).toEqual(['b']);
    const { key } = await world.makeKey(['read'], 'beta');
    const headers = { authorization: `Bearer ${key}` };
    expect((await get('totals', { environment: 'production' }, headers)).json.totals).toMatchObject({
      requests: 0,
    });
  });

  it.each([
    ['environment.0', { environment: 'prod' }],
    ['from', { from: 'yesterday' }],
    ['to', { to: iso(0) }],
    ['to', { to: iso(-1) }],
    ['to', { from: '1970-01-01T00:00:00Z' }],
    ['status.0', { status: 'fine' }],
    ['compare', { compare: 'last-year' }],
  ])('400 naming %s for %j', async (field, query) => {
    const answer = await get('totals', query as Record<string, string>);
    expect([answer.status, answer.json.error?.details?.[0]?.path]).toEqual([400, field]);
  });
});

describe('GET /api/usage/timeseries', () => {
  it('200 with one series, empty buckets left out', async () => {
    const { json } = await get('timeseries', { step: 'hour' });
    const [series] = json.series as {
      key: string;
      points: { at: string; requests: number; costUsd: string }[];
    }[];
    expect(series?.key).toBe('all');
    expect(series?.points.map((point) => [point.at, point.requests, point.costUsd])).toEqual([
      [iso(0), 1, '3.000000001'],
      [iso(1), 2, '0.000000001'],
      [iso(2), 1, '0'],
    ]);
  });

  it('200 with the top groups by cost, then tokens, and the rest as other; nothing is lost', async () => {
    const { json } = await get('timeseries', { step: 'day', group: 'model', top: '2' });
    const series = json.series as { key: string; label: string; points: { requests: number }[] }[];
    expect(series.map((one) => one.key)).toEqual(['big', 'small', 'other']);
    expect(series.at(-1)?.label).toBe('Other (2)');
    expect(series.flatMap((one) => one.points).reduce((sum, point) => sum + point.requests, 0)).toBe(4);
  });

  it('200 labels projects by slug and what has no value as (none)', async () => {
    const byProject = (await get('timeseries', { step: 'day', group: 'project' })).json.series as {
      label: string;
    }[];
    expect(byProject.map((one) => one.label)).toEqual(['alpha', 'beta']);
    const byKey = (await get('timeseries', { step: 'day', group: 'key' })).json.series as {
      key: string;
      label: string;
    }[];
    expect(byKey).toMatchObject([{ key: '', label: '(none)' }]);
  });

  it.each([
    ['minute', { step: 'minute' }],
    ['a year of hours', { step: 'hour', from: '2025-01-01T00:00:00Z' }],
    ['no step', {}],
    ['top 21', { step: 'day', group: 'model', top: '21' }],
  ])('400 for %s over this range', async (_what, query) => {
    expect((await get('timeseries', query as Record<string, string>)).status).toBe(400);
  });
});

describe('GET /api/usage/breakdown', () => {
  it('200 ranked by cost, then tokens, within the limit', async () => {
    const { json } = await get('breakdown', { group: 'model', limit: '3' });
    const rows = json.rows as { key: string; costUsd: string; unpricedRequests: number }[];
    expect(rows.map((row) => [row.key, row.costUsd])).toEqual([
      ['big', '3.000000001'],
      ['small', '0.000000001'],
      ['free', '0'],
    ]);
    expect(rows[2]?.unpricedRequests).toBe(1);
  });

  it('200 with how fast each group was, where that is asked for (CF-11)', async () => {
    const without = (await get('breakdown', { group: 'model' })).json.rows as { times: unknown }[];
    expect(without.every(({ times }) => times === null)).toBe(true);
    for (const group of ['model', 'key', 'project', 'account'])
      expect((await get('breakdown', { group, times: 'true' })).json.rows).toContainEqual(
        expect.objectContaining({ times: expect.objectContaining({ latency: expect.any(Object) }) }),
      );
    const { json } = await get('breakdown', { group: 'model', times: 'true' });
    const rows = json.rows as {
      key: string;
      tokens: Record<string, number>;
      times: Record<string, unknown>;
    }[];
    const big = rows.find(({ key }) => key === 'big');
    const near = (ms: number) => expect.closeTo(ms, -1.6);
    expect(big?.times).toMatchObject({
      latency: { count: 1, p50Ms: near(900), p95Ms: near(900), p99Ms: near(900) },
      ttft: { count: 1, p50Ms: near(101) },
    });
    const output = Number(big?.tokens.outputVisible) + Number(big?.tokens.outputReasoning);
    const speed = Number(big?.times.outputTokensPerSecond);
    expect(output).toBeGreaterThan(0);
    expect(Math.abs(speed - output / 0.9) / (output / 0.9)).toBeLessThan(0.03);
    const late = rows.find(({ key }) => key !== 'big' && key !== 'small' && key !== 'free');
    expect(late?.times).toEqual({
      latency: { count: 0, p50Ms: null, p95Ms: null, p99Ms: null },
      ttft: { count: 0, p50Ms: null, p95Ms: null, p99Ms: null },
      outputTokensPerSecond: null,
    });
  });

  it('200 shows the id of an account that is gone', async () => {
    expect((await get('breakdown', { group: 'account' })).json.rows).toMatchObject([
      { key: 'gone', label: 'gone' },
    ]);
  });
});

describe('a read key made for a project', () => {
  it('sees its project alone, whatever it asks for', async () => {
    const { key } = await world.makeKey(['read'], 'beta');
    const headers = { authorization: `Bearer ${key}` };
    for (const query of [{}, { project: 'beta' }, { project: 'alpha,beta' }]) {
      expect((await get('totals', query as Record<string, string>, headers)).json.totals).toMatchObject({
        requests: 1,
        costUsd: '0.000000001',
      });
    }
    expect((await get('totals', { project: 'alpha' }, headers)).json.totals).toMatchObject({ requests: 0 });
    const groups = (await get('breakdown', { group: 'project' }, headers)).json.rows as { label: string }[];
    expect(groups.map((row) => row.label)).toEqual(['beta']);
    const list = await world.call('/api/requests', { headers });
    expect((list.json.requests as { id: string }[]).map((row) => row.id)).toEqual(['b']);
    expect((await world.call('/api/requests/b', { headers })).status).toBe(200);
    expect((await world.call('/api/requests/a', { headers })).status).toBe(404);
    expect((await world.call('/metrics', { headers })).status).toBe(403);
  });

  it('one made without a project sees the workspace', async () => {
    const { key } = await world.makeKey(['read']);
    const headers = { authorization: `Bearer ${key}` };
    expect((await get('totals', {}, headers)).json.totals).toMatchObject({ requests: 4 });
    expect((await world.call('/metrics', { headers })).status).toBe(200);
  });
});
