import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unknownTokens } from '@tallygate/contract/usage';
import type { BudgetRow } from '@tallygate/server/store/ports/budgets';
import { describe, expect, it } from 'vitest';
import { SAMPLE_WORKSPACE_ID, sampleSettled } from './sample-event.ts';
import type { StoreBench } from './store-conformance.ts';
import { workspace } from './store-conformance-config.ts';

const budget: BudgetRow = {
  id: 'b1',
  workspaceId: 'ws',
  name: "o'brien ünïcode",
  scope: [{ kind: 'model', value: 'claude-*' }],
  measure: 'usd',
  limit: 9_000_000_000_000_000,
  window: 'custom',
  windowHours: 5,
  sliding: true,
  timeZone: 'Europe/Berlin',
  mode: 'clamp',
  onOutage: 'open',
  unpriced: 'provisional',
  provisionalNanoUsdPerMtok: 12_500_000_000,
  createdAtMs: 7,
};
const checkpoint = { nodeId: 'n', committed: { segment: 1, offset: 1 }, lowWaterSegment: 0 };

export function budgetsConformance(bench: StoreBench): void {
  describe('budgets (X-02)', () => {
    it('keeps them exactly, changes and removes them', async () => {
      const { config, budgets } = await bench.open('main');
      await config.ensureWorkspace(workspace);
      await budgets.insertBudget(budget);
      await budgets.insertBudget({ ...budget, id: 'b0', limit: 0, createdAtMs: 8 });
      expect(await budgets.listBudgets(null)).toEqual([
        budget,
        { ...budget, id: 'b0', limit: 0, createdAtMs: 8 },
      ]);
      expect(
        await budgets.updateBudget(budget, {
          limit: 5,
          mode: 'soft',
          name: 'x',
          unpriced: 'allow',
          onOutage: 'closed',
          provisionalNanoUsdPerMtok: null,
        }),
      ).toBe(true);
      expect(await budgets.updateBudget({ ...budget, id: 'none' }, { limit: 5 })).toBe(false);
      expect((await budgets.listBudgets(null))[0]).toEqual({
        ...budget,
        ...{
          limit: 5,
          mode: 'soft',
          name: 'x',
          unpriced: 'allow',
          onOutage: 'closed',
          provisionalNanoUsdPerMtok: null,
        },
      });
      expect([await budgets.deleteBudget(budget), await budgets.deleteBudget(budget)]).toEqual([true, false]);
    });

    it('sums rows by the model that was asked for; sub-calls count with their request', async () => {
      const { config, budgets, ledger } = await bench.open('ledger');
      await config.ensureWorkspace(workspace);
      const tokens = { ...unknownTokens(), inputUncached: 10, outputVisible: 5 };
      const row = (id: string, change: Parameters<typeof sampleSettled>[1]) =>
        sampleSettled(id, { startedAtMs: 1000, costNanoUsd: 3n, tokens, weightedTokens: 7, ...change });
      await ledger.commit(
        [
          row('r1', {}),
          row('r2', { modelRequested: 'gpt-5', costNanoUsd: null, priceStatus: 'unpriced' }),
          row('s1', { parentId: 'r1', modelRequested: null, costNanoUsd: 4n }),
          row('late', { startedAtMs: 2000 }),
          row('early', { startedAtMs: 999 }),
        ],
        checkpoint,
      );
      const sums = await budgets.readSpendByModel({
        workspaceId: SAMPLE_WORKSPACE_ID,
        fromMs: 1000,
        toMs: 2000,
      });
      expect(sums.sort((a, b) => String(a.model).localeCompare(String(b.model)))).toEqual([
        {
          model: 'claude-sonnet-4-5',
          requests: 1,
          tokens: 30,
          weightedTokens: 14,
          unpricedTokens: 0,
          costNanoUsd: 7n,
        },
        { model: 'gpt-5', requests: 1, tokens: 15, weightedTokens: 7, unpricedTokens: 15, costNanoUsd: 0n },
      ]);
    });

    it('sums the rows of one project, key, user, session, provider and account, with all of some tags', async () => {
      const { config, budgets, ledger } = await bench.open('ledger');
      await config.ensureWorkspace(workspace);
      const about = {
        ...{ projectId: 'p', apiKeyId: 'k', userId: 'u', sessionId: 's', provider: 'openai', accountId: 'a' },
        tags: ['x', 'y'],
      };
      const row = (id: string, change: Parameters<typeof sampleSettled>[1]) =>
        sampleSettled(id, { startedAtMs: 1000, costNanoUsd: 3n, ...about, ...change });
      const others = [
        ...[{ projectId: 'q' }, { apiKeyId: 'l' }, { userId: null }, { sessionId: 't' }],
        ...[{ provider: 'anthropic' }, { accountId: null }, { tags: ['x'] }],
      ];
      await ledger.commit(
        [row('r', {}), ...others.map((change, i) => row(`other-${i}`, change))],
        checkpoint,
      );
      const range = { workspaceId: SAMPLE_WORKSPACE_ID, fromMs: 1000, toMs: 2000 };
      const sums = async (question: object) =>
        (await budgets.readSpendByModel({ ...range, ...question })).map(({ requests }) => requests);
      expect(await sums(about)).toEqual([1]);
      for (const [name, value] of Object.entries(about))
        expect(await sums({ [name]: value }), name).toEqual([7]);
      expect(await sums({ tags: ['x'] })).toEqual([8]);
      expect(await sums({ userId: 'nobody' })).toEqual([]);
    });

    it('counts the requests of a scope that came to nothing, by model and key', async () => {
      const { config, budgets, ledger } = await bench.open('ledger');
      await config.ensureWorkspace(workspace);
      const row = (id: string, change: Parameters<typeof sampleSettled>[1]) =>
        sampleSettled(id, {
          ...{ startedAtMs: 1000, settleStatus: 'refunded', apiKeyId: 'k', modelRequested: 'm', tags: ['x'] },
          ...change,
        });
      await ledger.commit(
        [
          ...[row('r1', {}), row('r2', {}), row('r3', { apiKeyId: 'l' }), row('r4', { modelRequested: 'n' })],
          ...[row('early', { startedAtMs: 999 }), row('late', { startedAtMs: 2000 })],
          ...[row('counts', { settleStatus: 'final' }), row('cut', { settleStatus: 'estimated' })],
        ],
        checkpoint,
      );
      const range = { workspaceId: SAMPLE_WORKSPACE_ID, fromMs: 1000, toMs: 2000 };
      const said = async (question: object) =>
        (await budgets.readRefunded({ ...range, ...question }))
          .map(({ model, apiKeyId, requests }) => `${model} ${apiKeyId} ${requests}`)
          .sort();
      expect(await said({})).toEqual(['m k 2', 'm l 1', 'n k 1']);
      expect(await said({ apiKeyId: 'l' })).toEqual(['m l 1']);
      expect(await said({ tags: ['x'], fromMs: 999, toMs: 1000 })).toEqual(['m k 1']);
      expect(await said({ workspaceId: 'other' })).toEqual([]);
    });

    it('are in a backup and come back', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'tallygate-budgets-'));
      try {
        const store = await bench.open('main');
        await store.config.ensureWorkspace(workspace);
        await store.budgets.insertBudget(budget);
        const path = join(folder, 'backup');
        await store.maintenance.backup(path);
        const target = await bench.target.fresh();
        await bench.engine.restore(target, path);
        expect(await (await bench.open('main', target)).budgets.listBudgets(null)).toEqual([budget]);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  });
}
