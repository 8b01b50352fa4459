import { describe, expect, it } from 'vitest';
import type { StoreBench } from './store-conformance.ts';
import { account, workspace } from './store-conformance-config.ts';

export function poolConformance(bench: StoreBench): void {
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
