import { describe, expect, it } from 'vitest';
import { sampleSettled } from './sample-event.ts';
import type { StoreBench } from './store-conformance.ts';
import { account, workspace } from './store-conformance-config.ts';

const pool = {
  ...{ id: 'p1', workspaceId: workspace.id, name: 'fast', strategy: 'weighted' as const },
  ...{ notes: 'ünïcode', accountIds: ['a1', 'a2'], createdAtMs: 5 },
};
const rule = {
  ...{ id: 'r1', workspaceId: workspace.id, name: "o'brien", enabled: true },
  ...{ conditions: '{"models":["x"]}', actions: '{"model":"y"}', createdAtMs: 6 },
};
const checkpoint = { nodeId: 'n', committed: { segment: 1, offset: 1 }, lowWaterSegment: 0 };

export function poolConformance(bench: StoreBench): void {
  describe('pools (CF-05)', () => {
    it('keeps them with their members, changes and removes them', async () => {
      const { config, pool: pools } = await bench.open('main');
      await config.ensureWorkspace(workspace);
      for (const id of ['a1', 'a2', 'a3']) await config.insertAccount({ ...account, id, name: id });
      await pools.insertPool({ ...pool, accountIds: ['a2', 'gone', 'a1'] });
      expect(await pools.listPools(workspace.id)).toEqual([pool]);
      await expect(pools.insertPool({ ...pool, id: 'p2' })).rejects.toMatchObject({ code: 'name_taken' });
      expect(await pools.listPools(workspace.id)).toHaveLength(1); // nothing of it stays
      expect(await pools.updatePool('p1', { strategy: 'session', notes: null, accountIds: ['a3'] })).toBe(
        true,
      );
      expect(await pools.listPools(workspace.id)).toMatchObject([
        { strategy: 'session', notes: null, accountIds: ['a3'] },
      ]);
      await pools.insertPool({ ...pool, id: 'p2', name: 'slow', accountIds: [] });
      await expect(pools.updatePool('p2', { name: 'fast' })).rejects.toMatchObject({ code: 'name_taken' });
      expect([await pools.updatePool('none', { name: 'x' }), await pools.updatePool('p1', {})]).toEqual([
        false,
        true,
      ]);
      await config.deleteAccount({ id: 'a3', workspaceId: workspace.id });
      expect((await pools.listPools(workspace.id))[0]?.accountIds).toEqual([]);
      expect([await pools.deletePool('p1'), await pools.deletePool('p1')]).toEqual([true, false]);
      expect([(await pools.listPools(null)).length, await pools.listPools('another')]).toEqual([1, []]);
    });

    it('adds up how accounts fared by hour, in the transaction of the rows, each once', async () => {
      const { config, pool: pools, ledger, maintenance } = await bench.open('ledger');
      await config.ensureWorkspace(workspace);
      const HOUR = 3_600_000;
      const attempt = (index: number, accountId: string, change: object) => ({
        ...sampleSettled('x').attempts[0],
        ...{
          index,
          accountId,
          provider: 'p',
          startedAtMs: 10 * HOUR + 5,
          endedAtMs: null,
          firstByteAtMs: null,
        },
        ...{ httpStatus: 200, outcome: 'ok', errorCode: null, upstreamRequestId: null, model: null },
        chosenBy: 'session',
        ...change,
      });
      const rows = [
        sampleSettled('r1', {
          accountId: 'a2',
          startedAtMs: 10 * HOUR,
          poolId: 'p1',
          ruleId: 'r1',
          ruleChanges: '[{"what":"model","from":"ü","to":"y"}]',
          cacheLostTokens: 900,
          cacheLossNanoUsd: 9_007_199_254_740_993n,
          attempts: [
            attempt(0, 'a1', { httpStatus: 429, outcome: 'http_error', model: 'm' }),
            attempt(1, 'a1', { httpStatus: null, outcome: 'connection_lost' }),
            attempt(2, 'a1', { httpStatus: 401, outcome: 'http_error' }),
            attempt(3, 'a2', {}),
          ],
        }),
        sampleSettled('r2', {
          accountId: 'a2',
          startedAtMs: 11 * HOUR,
          attempts: [
            attempt(0, 'a2', { startedAtMs: 11 * HOUR, httpStatus: 400, outcome: 'http_error' }),
            attempt(1, 'a2', { startedAtMs: 11 * HOUR, httpStatus: 200, outcome: 'aborted' }),
          ],
        }),
      ];
      await ledger.commit(rows, checkpoint);
      await ledger.commit([...rows, { ...rows[1], id: 'r3' } as (typeof rows)[number]], {
        ...checkpoint,
        committed: { segment: 1, offset: 2 },
      });
      const none = { attempts: 0, served: 0, limited: 0, refused: 0, failed: 0, sessionsMoved: 0 };
      const free = { cacheLostTokens: 0, cacheLossNanoUsd: 0n };
      const hours = [
        {
          ...{ accountId: 'a1', poolId: 'p1', bucketMs: 10 * HOUR, ...none, ...free },
          ...{ attempts: 3, limited: 1, failed: 1, refused: 1 },
        },
        {
          ...{ accountId: 'a2', poolId: 'p1', bucketMs: 10 * HOUR, ...none },
          ...{ attempts: 1, served: 1, sessionsMoved: 1 },
          ...{ cacheLostTokens: 900, cacheLossNanoUsd: 9_007_199_254_740_993n },
        },
        {
          ...{ accountId: 'a2', poolId: '', bucketMs: 11 * HOUR, ...none, ...free },
          ...{ attempts: 4, served: 2 },
        },
      ];
      const kept = () => pools.listAccountHours({ fromMs: 0, toMs: 12 * HOUR });
      expect(await kept()).toEqual(hours);
      expect((await maintenance.verifyRollups(null, null)).differences).toEqual([]);
      await maintenance.rebuildRollups(null, null);
      expect(await kept()).toEqual(hours);
      const some = await pools.listAccountHours({ fromMs: 11 * HOUR, toMs: 12 * HOUR, accountId: 'a1' });
      expect(some).toEqual([]);
    });
  });

  describe('rules (CF-09)', () => {
    it('keeps them in order, changes, re-orders and removes them', async () => {
      const { config, rules } = await bench.open('main');
      await config.ensureWorkspace(workspace);
      for (const id of ['r1', 'r2', 'r3'])
        await rules.insertRule({ ...rule, id, name: id === 'r1' ? rule.name : id });
      expect((await rules.listRules(null))[0]).toEqual(rule);
      await expect(rules.insertRule({ ...rule, id: 'r4' })).rejects.toMatchObject({ code: 'name_taken' });
      await expect(rules.updateRule('r2', { name: 'r3' })).rejects.toMatchObject({ code: 'name_taken' });
      expect(await rules.updateRule('r2', { enabled: false, actions: '{}' })).toBe(true);
      expect([await rules.updateRule('none', { enabled: true }), await rules.updateRule('r1', {})]).toEqual([
        false,
        true,
      ]);
      await rules.orderRules(workspace.id, ['r3', 'gone', 'r1']);
      const order = async () => (await rules.listRules(null)).map(({ id, enabled }) => `${id} ${enabled}`);
      expect(await order()).toEqual(['r3 true', 'r1 true', 'r2 false']);
      await rules.orderRules('another', ['r2']);
      expect([(await order())[0], await rules.listRules('another')]).toEqual(['r3 true', []]);
      expect([await rules.deleteRule('r3'), await rules.deleteRule('r3')]).toEqual([true, false]);
      await rules.insertRule({ ...rule, id: 'r5', name: 'r5' });
      expect(await order()).toEqual(['r1 true', 'r2 false', 'r5 true']);
    });
  });

  describe('state of the account pool (CF-06)', () => {
    const row = (accountId: string, state: string) => ({ accountId, state, updatedAtMs: 7 });

    it('replaces, forgets with the account, and passes over accounts that are gone', async () => {
      const { config, pool } = await bench.open('main');
      await config.ensureWorkspace(workspace);
      await config.insertAccount({ ...account, id: 'a1', name: 'one' });
      await config.insertAccount({ ...account, id: 'a2', name: 'two' });
      await pool.saveAccountStates([]);
      await pool.saveAccountStates([row('a1', '{}'), row('gone', '{}')]);
      await pool.saveAccountStates([row('a1', '{"x":"ünïcode"}'), row('a2', '{}')]);
      expect(await pool.listAccountStates()).toEqual([row('a1', '{"x":"ünïcode"}'), row('a2', '{}')]);
      await config.deleteAccount(account);
      expect(await pool.listAccountStates()).toEqual([row('a2', '{}')]);
    });
  });
}
