import type { ApiKeyCreated } from '@tallygate/contract/api/keys';
import type { RequestView } from '@tallygate/contract/api/usage';
import { eventually } from '@tallygate/testkit/eventually';
import { anthropicApi } from '@tallygate/testkit/fake-upstream/anthropic';
import { type FakeUpstream, startFakeUpstream } from '@tallygate/testkit/fake-upstream/fake-upstream';
import { controlRequest } from '@tallygate/testkit/gate-process';
import { type Gate, startGate } from '@tallygate/testkit/harness';
import { rawCall, requestBytes } from '@tallygate/testkit/raw-client';
import { MESSAGES_BODY } from '@tallygate/testkit/wire-world';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const SECOND = 'second';
let gate: Gate;
let mine: FakeUpstream;
let theirs: FakeUpstream;
let theirKey: ApiKeyCreated;

/** The administrative API, about the second workspace. */
async function inSecond<T>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await controlRequest(gate.dataDir, { method, path, body, workspace: SECOND });
  if (answer.status > 299)
    throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.json)}`);
  return answer.json as T;
}

async function ask(key: string, method = 'POST', path = '/v1/messages'): Promise<number> {
  const headers: [string, string][] = [
    ['x-api-key', key],
    ['anthropic-version', '2023-06-01'],
    ['content-type', 'application/json'],
    ['x-claude-code-session-id', 'the same session of both'],
  ];
  const body = method === 'POST' ? { body: JSON.stringify(MESSAGES_BODY) } : {};
  return (await rawCall(gate.port, requestBytes({ method, path, headers, ...body })).answer).status;
}

beforeAll(async () => {
  [mine, theirs] = await Promise.all([startFakeUpstream(anthropicApi()), startFakeUpstream(anthropicApi())]);
  gate = await startGate({
    accounts: [{ provider: 'anthropic', baseUrl: mine.url, name: 'of-the-first' }],
    config: { RETRY_ATTEMPTS: '0' },
  });
  await gate.admin('POST', '/api/workspaces', { slug: SECOND });
  theirKey = await inSecond('POST', '/api/keys', { name: 'of-the-second', scopes: ['gateway', 'read'] });
});
afterAll(async () => {
  await gate?.stop();
  await Promise.all([mine?.stop(), theirs?.stop()]);
});

describe('a key of another workspace at the gate (TW-07, X-02)', () => {
  it('is served by no account of the first, and by its own once there is one', async () => {
    expect(await ask(gate.key)).toBe(200);
    const before = mine.requests.length;
    expect(await ask(theirKey.key)).not.toBe(200);
    const models = requestBytes({
      method: 'GET',
      path: '/v1/models',
      headers: [['x-api-key', theirKey.key]],
    });
    expect((await rawCall(gate.port, models).answer).body.toString()).not.toContain('claude');
    expect(mine.requests).toHaveLength(before);
    await inSecond('POST', '/api/accounts', {
      provider: 'anthropic',
      name: 'of-the-second',
      baseUrl: theirs.url,
      apiKey: 'sk-upstream-of-the-second',
      allowPrivateUpstream: true,
    });
    for (const key of [theirKey.key, gate.key, theirKey.key]) expect(await ask(key)).toBe(200);
    expect(mine.requests).toHaveLength(before + 1);
    expect(theirs.requests.map((one) => one.value('x-api-key'))).toEqual([
      'sk-upstream-of-the-second',
      'sk-upstream-of-the-second',
    ]);
  });

  it('follows no rule of the first', async () => {
    const rule = { name: 'nothing', conditions: { models: ['*'] }, actions: { deny: 'not here' } };
    const { id } = await gate.admin<{ id: string }>('POST', '/api/rules', rule);
    expect(await ask(gate.key)).toBe(403);
    expect(await ask(theirKey.key)).toBe(200);
    await gate.admin('DELETE', `/api/rules/${id}`);
    expect(await ask(gate.key)).toBe(200);
  });

  it('spends from no budget and counts in no limit of the first, and is stopped by neither', async () => {
    const budget = { scope: 'workspace', window: 'total', limitRequests: 1 };
    const { id } = await gate.admin<{ id: string }>('POST', '/api/budgets', budget);
    await gate.admin('POST', '/api/limits', {
      scope: 'workspace',
      measure: 'requests',
      limit: 2,
      window: 'hour',
    });
    for (const _ of [1, 2, 3]) expect(await ask(theirKey.key)).toBe(200);
    const spent = async () =>
      (await gate.admin<{ status: { spent: number } }>('GET', `/api/budgets/${id}`)).status.spent;
    expect(await spent()).toBe(0);
    expect([await ask(gate.key), await ask(gate.key)]).toEqual([200, 429]);
    expect(await spent()).toBe(1);
    expect(await ask(theirKey.key)).toBe(200);
    await gate.admin('DELETE', `/api/budgets/${id}`);
  });

  it('stands in the ledger of its own workspace alone', async () => {
    const list = (path: string) => inSecond<{ requests: RequestView[] }>('GET', path);
    const seen = await eventually('their rows', async () => {
      const { requests } = await list('/api/requests');
      return requests.length >= 5 ? requests : null;
    });
    expect(new Set(seen.map(({ key }) => key?.name))).toEqual(new Set(['of-the-second']));
    const own = await gate.untilRows(1);
    expect(own.map(({ key }) => key?.name)).not.toContain('of-the-second');
    const theirIds = new Set(seen.map(({ id }) => id));
    expect(own.filter(({ id }) => theirIds.has(id))).toEqual([]);
    const read = requestBytes({
      method: 'GET',
      path: `/api/requests/${own[0]?.id}`,
      headers: [['x-api-key', theirKey.key]],
    });
    expect((await rawCall(gate.port, read).answer).status).toBe(404);
  });
});
