import { type AdminWorld, startAdminWorld } from '@tallygate/testkit/admin-world';
import { openTestStore } from '@tallygate/testkit/test-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let world: AdminWorld;
beforeEach(async () => {
  world = await startAdminWorld(await openTestStore());
  await world.call('/api/workspaces', { local: true, body: { slug: 'second' } });
});
afterEach(() => world.close());

const SECOND = { 'x-tallygate-workspace': 'second' };
const account = {
  ref: 'a-1',
  name: 'max',
  apiFlavor: 'anthropic.messages',
  weight: 1,
  paused: false,
  apiKey: 'sk-ant-1',
};
const event = {
  ref: 'r-1',
  startedAt: '2026-11-01T00:00:00.000Z',
  accountRef: 'a-1',
  project: null,
  apiFlavor: 'anthropic.messages',
  model: 'claude-sonnet-4-5',
  status: 'ok',
  httpStatus: 200,
  stream: false,
  latencyMs: 10,
  ttftMs: null,
  sessionId: null,
  tokens: { inputUncached: 10, cacheRead: null, cacheWrite5m: null, cacheWrite1h: null, outputVisible: 5 },
  costUsd: null,
};
const imported = (headers: Record<string, string> = {}) =>
  world.call('/api/imports', {
    local: true,
    headers,
    body: { source: 'ccflare', dryRun: false, accounts: [account], keys: [], events: [event] },
  });

describe('POST /api/imports (X-01)', () => {
  it('brings everything once, however often it is repeated', async () => {
    expect((await imported()).json).toMatchObject({ accounts: { added: 1 }, events: { added: 1 } });
    expect((await imported()).json).toMatchObject({
      accounts: { added: 0, present: 1 },
      events: { added: 0, present: 1 },
    });
  });

  it('brings the same to two workspaces: nobody takes the ids that another one would get', async () => {
    for (const headers of [SECOND, {}]) {
      const answer = await imported(headers);
      expect([answer.status, answer.json.accounts, answer.json.events]).toMatchObject([
        200,
        { added: 1, present: 0 },
        { added: 1, present: 0 },
      ]);
    }
    const accounts = await world.deps.store.config.listAccounts(null);
    expect(new Set(accounts.map(({ id }) => id)).size).toBe(2);
  });
});
