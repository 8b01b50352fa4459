import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SystemView } from '@tallygate/contract/api/system';
import { eventually } from '@tallygate/testkit/eventually';
import { startGate } from '@tallygate/testkit/harness';
import { MESSAGES_BODY } from '@tallygate/testkit/wire-world';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type NodesWorld, nano, SKIPPED, startNodes } from './nodes-world.ts';

const BODY = MESSAGES_BODY;

describe.skipIf(SKIPPED !== null)('several nodes (X-08)', () => {
  let world: NodesWorld;
  beforeAll(async () => {
    world = await startNodes(2, { config: { TALLYGATE_REDIS_DEADLINE_MS: '1000' } }); // a busy machine
  });
  afterAll(() => world?.stop());
  const gate = (node: number) => {
    const found = world.gates[node];
    if (found === undefined) throw new Error('no such node');
    return found;
  };

  it('what is made on one node works on the other: accounts, keys, a revoked key is refused', async () => {
    expect((await world.messages(1, BODY).answer).status).toBe(200);
    const key = await gate(1).addKey({ name: 'short-lived' });
    await eventually('the other node knows the key', async () => {
      return (await world.messages(0, BODY, key.key).answer).status === 200;
    });
    await gate(1).revokeKey(key.id);
    await eventually('the other node refuses the key', async () => {
      return (await world.answered(0, BODY, key.key)) === 401;
    });
  });

  it('a running answer ends when its key is revoked on another node', async () => {
    const key = await gate(0).addKey({ name: 'running' });
    await eventually('the other node knows the key', async () => {
      return (await world.messages(1, BODY, key.key).answer).status === 200;
    });
    const hang = Promise.withResolvers<void>();
    world.upstream.respondOnce(() => hang.promise);
    const call = world.messages(1, BODY, key.key);
    const arrived = world.upstream.requests.length + 1;
    await eventually('it is on its way', () => world.upstream.requests.length >= arrived - 1);
    await gate(0).revokeKey(key.id);
    expect((await call.answer).status).toBe(401);
    hang.resolve();
  });

  it('a pause on one node holds on all, and its end too', async () => {
    await gate(0).admin('POST', '/api/incident/pause', {});
    await eventually('the other is paused', async () => (await world.answered(1, BODY)) === 503);
    await gate(0).admin('POST', '/api/incident/resume', {});
    await eventually('the other goes on', async () => (await world.messages(1, BODY).answer).status === 200);
  });

  it('a budget counts what every node serves, says so on each, and is gone from each', async () => {
    const budget = await world.budget({ scope: 'workspace', window: 'total', limitRequests: 3 });
    const codes: number[] = [];
    for (const node of [0, 1, 0, 1, 0]) codes.push((await world.messages(node, BODY).answer).status);
    expect(codes).toEqual([200, 200, 200, 429, 429]);
    for (const node of [0, 1]) {
      const seen = await eventually('both say so', async () => {
        const status = await world.status(budget.id, node);
        return status.spent === 3 && status.held === 0 ? status : null;
      });
      expect(seen.left).toBe(0);
    }
    await gate(1).admin('DELETE', `/api/budgets/${budget.id}`);
    await eventually('it is gone', async () => (await world.messages(0, BODY).answer).status === 200);
  });

  it('Redis frozen: a closed budget refuses, an open one lets through and counts later; the banner says so', async () => {
    const onOutage = 'open';
    const open = await world.budget({ scope: 'workspace', window: 'total', limitUsd: '5', onOutage });
    expect((await world.messages(0, BODY).answer).status).toBe(200);
    world.redis.freeze();
    expect((await world.messages(0, BODY).answer).status).toBe(200);
    const warned = await eventually('the banner', async () => {
      const { warnings } = await gate(0).admin<SystemView>('GET', '/api/system');
      return warnings.find(({ code }) => code === 'shared_limits_unavailable') ?? null;
    });
    expect(warned?.message).toContain('Redis');
    await gate(0).admin('PATCH', `/api/budgets/${open.id}`, { onOutage: 'closed' });
    const refused = await world.messages(0, BODY).answer;
    expect([refused.status, refused.value('x-tallygate-error')]).toEqual([503, 'limits_unavailable']);
    world.redis.thaw();
    await eventually(
      'it counts what was let through',
      async () => {
        const { spent, held } = await world.status(open.id);
        const first = (await gate(0).requestsJson()).filter(({ startedAt }) => startedAt >= open.createdAt);
        const sum = first.reduce((total, { costUsd }) => total + nano(costUsd ?? '0'), 0n);
        return held === '0' && nano(spent) === sum && first.length >= 2;
      },
      30_000,
    );
    await gate(0).admin('DELETE', `/api/budgets/${open.id}`);
  });
});

describe('what does not go together (X-08)', () => {
  it.each([
    ['REDIS_URL', { REDIS_URL: 'redis://127.0.0.1:1' }],
    ['ROLES', { ROLES: 'gateway' }],
  ])(
    '%s on a database that one process has for itself stops the start and says why',
    async (name, config) => {
      const dataDir = await mkdtemp(join(tmpdir(), 'tallygate-nodes-'));
      try {
        await expect(startGate({ dataDir, config })).rejects.toThrow(name);
      } finally {
        await rm(dataDir, { recursive: true, force: true });
      }
    },
  );
});

describe.skipIf(SKIPPED !== null)('roles (X-08)', { timeout: 180_000 }, () => {
  it('a gateway has no dashboard and no API, a control node serves no model; health is on both', async () => {
    const world = await startNodes(2, { roles: ['control', 'gateway'] });
    try {
      const at = (node: number, path: string) => fetch(`${world.gates[node]?.url}${path}`);
      expect((await world.messages(1, BODY).answer).status).toBe(200);
      expect((await world.messages(0, BODY).answer).status).toBe(404);
      expect([(await at(1, '/')).status, (await at(1, '/api/budgets')).status]).toEqual([404, 404]);
      expect((await at(0, '/api/budgets')).status).toBe(401);
      for (const node of [0, 1]) expect((await at(node, '/healthz')).status).toBe(200);
      const rows = await eventually('the row of the other node', async () => {
        const found = await world.gates[0]?.requestsJson();
        return found?.length === 1 ? found : null;
      });
      expect(rows).toHaveLength(1);
    } finally {
      await world.stop();
    }
  });
});
