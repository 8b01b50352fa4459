import { type AdminWorld, startAdminWorld } from '@tallygate/testkit/admin-world';
import { sampleSettled } from '@tallygate/testkit/sample-event';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let world: AdminWorld;
let accounts: string[];
beforeEach(async () => {
  world = await startAdminWorld(await openTestStore());
  accounts = [];
  for (const name of ['one', 'two']) {
    const body = { provider: 'anthropic', name, apiKey: 'sk-ant-0123456789' };
    accounts.push(String((await world.call('/api/accounts', { local: true, method: 'POST', body })).json.id));
  }
});
afterEach(() => world.close());

const call = (method: string, path: string, body?: unknown) =>
  world.call(path, { local: true, method, ...(body === undefined ? {} : { body }) });

describe('named pools (CF-05)', () => {
  it('201 makes one, 200 lists and changes it, and every change reaches the data plane', async () => {
    const made = await call('POST', '/api/pools', { name: 'fast', accountIds: [...accounts, accounts[0]] });
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({
      name: 'fast',
      strategy: 'session',
      accounts: [{ name: 'one' }, { name: 'two' }],
    });
    const before = world.refreshes();
    const changed = await call('PATCH', `/api/pools/${made.json.id}`, {
      strategy: 'drain-soonest-reset',
      accountIds: [accounts[1]],
    });
    expect(changed.json).toMatchObject({ strategy: 'drain-soonest-reset', accounts: [{ name: 'two' }] });
    expect(world.refreshes()).toBe(before + 1);
    const list = (await call('GET', '/api/accounts')).json.accounts as object[];
    expect(list).toMatchObject([{ pools: [] }, { pools: [{ name: 'fast' }] }]);
    expect((await call('DELETE', `/api/pools/${made.json.id}`)).status).toBe(200);
    expect((await call('GET', '/api/pools')).json).toMatchObject({ pools: [], all: { strategy: 'session' } });
  });

  it('400 for accounts that are not there, 409 for a name in use, 404 for a pool that is not there', async () => {
    const wrong = await call('POST', '/api/pools', { name: 'x', accountIds: [accounts[0], 'nobody'] });
    expect([wrong.status, wrong.json.error?.details?.[0]?.path]).toEqual([400, 'accountIds.1']);
    await call('POST', '/api/pools', { name: 'x', accountIds: [] });
    const twice = await call('POST', '/api/pools', { name: 'x', accountIds: [] });
    expect([twice.status, twice.json.error?.code]).toEqual([409, 'name_taken']);
    expect((await call('PATCH', '/api/pools/none', { name: 'y' })).status).toBe(404);
    expect((await call('POST', '/api/pools', { name: 'z', accountIds: [], strategy: 'best' })).status).toBe(
      400,
    );
  });

  it('409 for removing a pool that rules name', async () => {
    const { id } = (await call('POST', '/api/pools', { name: 'x', accountIds: [] })).json;
    const rule = { name: 'r', conditions: {}, actions: { model: 'm', fallbacks: [{ pool: id }] } };
    expect((await call('POST', '/api/rules', rule)).status).toBe(201);
    const refused = await call('DELETE', `/api/pools/${id}`);
    expect([refused.status, refused.json.error?.message]).toEqual([409, expect.stringContaining('"r"')]);
  });

  it('shows how accounts fared, and what moved sessions cost', async () => {
    const startedAtMs = world.deps.clock.now() - 60_000;
    const attempts = sampleSettled('r').attempts.map((attempt) => ({
      ...attempt,
      accountId: accounts[0] ?? '',
      startedAtMs,
    }));
    const event = sampleSettled('r', {
      ...{ accountId: accounts[0] ?? null, startedAtMs, attempts },
      ...{ cacheLostTokens: 1_000, cacheLossNanoUsd: 2_700_000n },
    });
    const committed = { segment: 1, offset: 1 };
    await world.deps.store.ledger.commit([event], { nodeId: 'n', committed, lowWaterSegment: 0 });
    const week = { attempts: 1, served: 1, failed: 0, sessionsMoved: 1, cacheLossUsd: '0.0027' };
    expect((await call('GET', '/api/pools')).json).toMatchObject({ all: { week } });
    const range = (from: number, to: number) =>
      `from=${new Date(from).toISOString()}&to=${new Date(to).toISOString()}`;
    const health = (text: string) => call('GET', `/api/accounts/${accounts[0]}/health?${text}`);
    const day = 86_400_000;
    const shown = await health(range(startedAtMs - day, startedAtMs + day));
    expect(shown.json.hours).toMatchObject([week]);
    expect((await health(range(startedAtMs, startedAtMs + 32 * day))).status).toBe(400);
    expect((await health(range(startedAtMs, startedAtMs))).status).toBe(400);
  });
});
