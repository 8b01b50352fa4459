import type { BudgetView } from '@tallygate/contract/api/budgets';
import { eventually } from '@tallygate/testkit/eventually';
import { anthropicApi, anthropicError } from '@tallygate/testkit/fake-upstream/anthropic';
import { jsonAnswer } from '@tallygate/testkit/fake-upstream/exchange';
import { type PoolWorld, startPoolWorld } from '@tallygate/testkit/pool-world';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** 10 in and 100 out at the prices of Sonnet 4.5. */
const USAGE = {
  input_tokens: 10,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 100,
};
const COST = '0.00153';
const overloaded = jsonAnswer(anthropicError('overloaded_error', 'no'), { status: 529 });

let world: PoolWorld;
// What the pool has learnt of an account in one test must not steer the next.
beforeEach(async () => {
  world = await startPoolWorld({
    accounts: [{ name: 'first' }, { name: 'second' }],
    config: { RETRY_ATTEMPTS: '1', TALLYGATE_FIRST_BYTE_TIMEOUT_MS: '2000' },
  });
  for (const upstream of Object.values(world.upstreams)) upstream.respond(anthropicApi({ usage: USAGE }));
});
afterEach(() => world?.stop());

const idOf = (index: number): string => world.gate.accounts[index]?.id ?? '';
const make = (body: Record<string, unknown>) =>
  world.gate.admin<BudgetView>('POST', '/api/budgets', { window: 'total', ...body });
const settled = (id: string) =>
  eventually('nothing is held', async () => {
    const view = await world.gate.admin<BudgetView>('GET', `/api/budgets/${id}`);
    return Number(view.status.held) === 0 ? view : null;
  });

describe('a request that moves to another account (CF-07, X-02)', () => {
  it('is held and counted where it is answered, and nowhere else', async () => {
    const first = await make({ scope: `account:${idOf(0)}`, limitUsd: '1' });
    const second = await make({ scope: `account:${idOf(1)}`, limitUsd: '1' });
    world.upstreams.first?.respondOnce(overloaded);
    const answer = await world.messages().answer;
    expect([answer.status, answer.value('x-tallygate-account')]).toEqual([200, 'second']);
    expect((await settled(first.id)).status.spent).toBe('0');
    expect((await settled(second.id)).status.spent).toBe(COST);
  });

  it('stays where it is when the budget of the other has no room, and leaves nothing held', async () => {
    const first = await make({ scope: `account:${idOf(0)}`, limitUsd: '1' });
    const second = await make({ scope: `account:${idOf(1)}`, limitUsd: '0' });
    for (let round = 0; round < 2; round++) world.upstreams.first?.respondOnce(overloaded);
    const answer = await world.messages().answer;
    expect(answer.status).toBe(529);
    expect(world.upstreams.second?.requests).toHaveLength(0);
    expect((await settled(first.id)).status.spent).toBe('0');
    expect((await settled(second.id)).status.spent).toBe('0');
  });

  it('is not sent again when a budget that refuses covers it and the first upstream may have billed it', async () => {
    const budget = await make({ scope: 'workspace', limitUsd: '1' });
    world.upstreams.first?.respondOnce((exchange) => exchange.reset());
    const answer = await world.messages().answer;
    expect(answer.status).toBe(502);
    expect(world.upstreams.second?.requests).toHaveLength(0);
    const { request } = await world.rowOf(answer);
    const { status } = await settled(budget.id);
    expect(Number(status.spent)).toBeGreaterThan(0);
    expect(request.costUsd).toBe(status.spent);
  });
});

describe('what a key may use (CF-13)', () => {
  it('holds for every attempt: another provider is no way out', async () => {
    const restrictions = { addresses: [], origins: [], models: [], providers: ['openai'] };
    const body = { name: 'narrow', scopes: ['gateway'], restrictions };
    const { key } = await world.gate.admin<{ key: string }>('POST', '/api/keys', body);
    const answer = await world.messages({}, [['authorization', `Bearer ${key}`]]).answer;
    // Two keys that differ are refused as well, so this one is sent alone below.
    expect(answer.status).toBe(401);
    const alone = await fetch(`${world.gate.url}/v1/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': key },
      body: JSON.stringify({ model: 'claude-sonnet-4-5', max_tokens: 10, messages: [] }),
    });
    expect(alone.status).toBe(403);
    expect(await alone.text()).toContain('providers');
  });
});
