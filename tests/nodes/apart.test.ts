import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BudgetView } from '@tallygate/contract/api/budgets';
import type { SystemView } from '@tallygate/contract/api/system';
import { postgresEngine } from '@tallygate/server/store/postgres/engine';
import { eventually } from '@tallygate/testkit/eventually';
import { anthropicApi } from '@tallygate/testkit/fake-upstream/anthropic';
import { type FakeUpstream, startFakeUpstream } from '@tallygate/testkit/fake-upstream/fake-upstream';
import { type Gate, startGate } from '@tallygate/testkit/harness';
import { rawCall, requestBytes } from '@tallygate/testkit/raw-client';
import { postgresTarget } from '@tallygate/testkit/store-target';
import { MESSAGES_BODY } from '@tallygate/testkit/wire-world';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

const postgres = await postgresTarget();

describe.skipIf(postgres.skipped !== null)(
  'nodes without a common Redis (X-02, X-08)',
  { timeout: 120_000 },
  () => {
    let upstream: FakeUpstream;
    let config: Record<string, string>;
    const gates: Gate[] = [];
    beforeAll(async () => {
      upstream = await startFakeUpstream(anthropicApi());
    });
    afterEach(async () => {
      for (const gate of gates.splice(0)) await gate.stop();
    });
    afterAll(async () => {
      await upstream?.stop();
      await postgres.cleanUp();
    });

    async function first(): Promise<Gate> {
      config = {
        ...{ DB_URL: await postgres.fresh(), TALLYGATE_MASTER_KEY: randomBytes(32).toString('hex') },
        RETRY_ATTEMPTS: '0',
      };
      const gate = await startGate({
        config,
        accounts: [{ provider: 'anthropic', baseUrl: upstream.url }],
      });
      gates.push(gate);
      return gate;
    }
    const send = (gate: Gate, key: string) =>
      rawCall(
        gate.port,
        requestBytes({
          path: '/v1/messages',
          headers: [
            ['content-type', 'application/json'],
            ['anthropic-version', '2023-06-01'],
            ['x-api-key', key],
          ],
          body: JSON.stringify(MESSAGES_BODY),
        }),
      ).answer;
    const warnings = async (gate: Gate) =>
      (await gate.admin<SystemView>('GET', '/api/system')).warnings.map(({ code }) => code);
    const readyz = (gate: Gate) => fetch(`${gate.url}/readyz`);

    it('the second does not start and says why; the first is not disturbed; a control node may join', async () => {
      const gate = await first();
      const dataDir = await mkdtemp(join(tmpdir(), 'tallygate-apart-'));
      try {
        await expect(startGate({ dataDir, config, keys: [] })).rejects.toThrow(/TALLYGATE_LIMITS_PER_NODE/);
      } finally {
        await rm(dataDir, { recursive: true, force: true });
      }
      expect((await readyz(gate)).status).toBe(200);
      expect(await warnings(gate)).not.toContain('nodes_apart');
      gates.push(await startGate({ config: { ...config, ROLES: 'control' }, keys: [] }));
      expect((await send(gate, gate.key)).status).toBe(200);
    });

    it('with the option each counts for itself, and every node says so for as long as it is so', async () => {
      const gate = await first();
      config = { ...config, TALLYGATE_LIMITS_PER_NODE: 'true' };
      const second = await startGate({ config, keys: [] });
      gates.push(second);
      expect(await warnings(second)).toContain('limits_per_node');
      expect((await readyz(second)).status).toBe(200);
      expect((await send(second, gate.key)).status).toBe(200);
    });

    it('one that finds another beside it: not ready, a hard budget refuses, a soft one lets through; then it goes on', async () => {
      const gate = await first();
      const budget = (mode: string) =>
        gate.admin<BudgetView>('POST', '/api/budgets', {
          ...{ scope: 'workspace', window: 'total', limitRequests: 100, mode },
        });
      await budget('soft');
      expect((await send(gate, gate.key)).status).toBe(200);
      const store = await postgresEngine.open(config.DB_URL ?? '', { role: 'main' });
      const other = { id: 'other', process: 'p', roles: 'gateway', version: '1' } as const;
      try {
        // As one that was cut off from the database when this one started.
        await store.nodes.beat({ ...other, countsIn: 'self', startedAtMs: 1, lifeMs: 600_000 });
        await eventually('it says so', async () => (await warnings(gate)).includes('nodes_apart'));
        const ready = await readyz(gate);
        expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining('nodes')]);
        expect((await send(gate, gate.key)).status).toBe(200);
        const hard = await budget('hard');
        const refused = await send(gate, gate.key);
        expect([refused.status, refused.value('x-tallygate-error')]).toEqual([503, 'limits_unavailable']);
        await store.nodes.leave(other);
        await eventually('it is ready', async () => (await readyz(gate)).status === 200);
        expect((await send(gate, gate.key)).status).toBe(200);
        const { status } = await gate.admin<BudgetView>('GET', `/api/budgets/${hard.id}`);
        expect([status.spent, status.held]).toEqual([expect.any(Number), 0]);
      } finally {
        await store.close();
      }
    });
  },
);
