import type { LimitView } from '@tallygate/contract/api/limits';
import { eventually } from '@tallygate/testkit/eventually';
import {
  anthropicApi,
  anthropicError,
  anthropicEvents,
  anthropicMessage,
} from '@tallygate/testkit/fake-upstream/anthropic';
import { jsonAnswer, sseThen, stall } from '@tallygate/testkit/fake-upstream/exchange';
import { openAiApi } from '@tallygate/testkit/fake-upstream/openai';
import { CHAT_BODY, MESSAGES_BODY, startWireWorld, type WireWorld } from '@tallygate/testkit/wire-world';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

const USAGE = {
  input_tokens: 10,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 5,
  output_tokens: 100,
};

let world: WireWorld;
beforeAll(async () => {
  world = await startWireWorld();
  world.openai.respond(openAiApi({ usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 } }));
});
afterAll(() => world?.stop());
afterEach(async () => {
  const { limits } = await world.gate.admin<{ limits: LimitView[] }>('GET', '/api/limits');
  for (const { id } of limits) await world.gate.admin('DELETE', `/api/limits/${id}`);
  const { budgets } = await world.gate.admin<{ budgets: { id: string }[] }>('GET', '/api/budgets');
  for (const { id } of budgets) await world.gate.admin('DELETE', `/api/budgets/${id}`);
  world.anthropic.clear();
  world.openai.clear();
  world.anthropic.respond(anthropicApi({ usage: USAGE }));
});

const make = (body: Record<string, unknown>) =>
  world.gate.admin<LimitView>('POST', '/api/limits', { scope: 'workspace', ...body });
const show = (id: string) => world.gate.admin<LimitView>('GET', `/api/limits/${id}`);
const usedOf = async (id: string) => (await show(id)).status.fullest.reduce((sum, { used }) => sum + used, 0);
const slotsOf = { measure: 'concurrent_requests' };
const nothingLeft = (id: string) =>
  eventually('no slot is taken', async () => ((await usedOf(id)) === 0 ? true : null));
const send = (change: Record<string, unknown> = {}, headers: [string, string][] = []) =>
  world.messages({ ...MESSAGES_BODY, ...change }, { headers }).answer;

describe('a limit on requests (CF-13, CW-04)', () => {
  it('Anthropic: 429 rate_limit_error with the time to wait and the headers that its clients read', async () => {
    const { id } = await make({ measure: 'requests', limit: 2, window: 'minute', per: 'key' });
    world.anthropic.respond(jsonAnswer(anthropicMessage({ usage: USAGE })));
    const first = await send();
    expect(first.status).toBe(200);
    expect(first.value('ratelimit-policy')).toBe('"requests-per-minute";q=2;w=60');
    expect(first.value('ratelimit')).toMatch(/^"requests-per-minute";r=1;t=6\d$/);
    expect(first.value('anthropic-ratelimit-requests-remaining')).toBe('1');
    expect((await send()).status).toBe(200);
    const refused = await send();
    expect(refused.status).toBe(429);
    expect(refused.json()).toMatchObject({ type: 'error', error: { type: 'rate_limit_error' } });
    expect(refused.text).toContain(id);
    expect(refused.value('x-tallygate-error')).toBe('rate_limited');
    const seconds = Number(refused.value('retry-after'));
    expect(seconds > 0 && seconds <= 64).toBe(true);
    expect(refused.value('ratelimit')).toMatch(/r=0/);
    expect(refused.value('anthropic-ratelimit-requests-limit')).toBe('2');
    expect(refused.value('anthropic-ratelimit-requests-remaining')).toBe('0');
    expect(Date.parse(refused.value('anthropic-ratelimit-requests-reset') ?? '')).toBeGreaterThan(
      Date.now() - 1000,
    );
    expect(world.anthropic.requests).toHaveLength(2);
  });

  it('OpenAI: 429 with x-ratelimit headers', async () => {
    await make({ measure: 'requests', limit: 1, window: 'hour' });
    expect((await world.chat(CHAT_BODY).answer).value('ratelimit')).toMatch(/r=0/);
    const refused = await world.chat(CHAT_BODY).answer;
    expect([refused.status, refused.value('x-ratelimit-limit-requests')]).toEqual([429, '1']);
    expect(refused.value('x-ratelimit-reset-requests')).toMatch(/^1h\d+m\d+s$/);
    expect(refused.json()).toMatchObject({ error: { type: 'rate_limit_error', code: 'rate_limited' } });
  });

  it('what the upstream says of its own limits stays', async () => {
    await make({ measure: 'requests', limit: 5, window: 'minute' });
    world.anthropic.respond(
      jsonAnswer(anthropicMessage({ usage: USAGE }), {
        headers: [['anthropic-ratelimit-requests-remaining', '4000']],
      }),
    );
    const answer = await send();
    expect(answer.value('anthropic-ratelimit-requests-remaining')).toBe('4000');
    expect(answer.value('ratelimit')).toMatch(/r=4/);
  });

  it('calls that cost nothing count as well; one that a budget refuses does not', async () => {
    const { id } = await make({ measure: 'requests', limit: 2, window: 'day' });
    await world.gate.admin('POST', '/api/budgets', { scope: 'workspace', window: 'day', limitUsd: '0' });
    expect((await send()).value('x-tallygate-error')).toBe('budget_exhausted');
    expect(await usedOf(id)).toBe(0);
    const models = () => world.get('/v1/models', { headers: [['anthropic-version', '2023-06-01']] }).answer;
    await models();
    await models();
    expect((await models()).value('x-tallygate-error')).toBe('rate_limited');
  });

  it('counts users by the keys that are theirs, and sessions by what clients say', async () => {
    await make({ measure: 'requests', limit: 1, window: 'day', per: 'user' });
    expect([(await send()).status, (await send()).status]).toEqual([200, 200]); // the key is nobody's
    await make({ measure: 'requests', limit: 1, window: 'day', per: 'session' });
    const of = (session: string) => send({ metadata: { user_id: `user_x_account__session_${session}` } });
    const uuid = (n: number) => `0000000${n}-0000-4000-8000-000000000000`;
    expect([(await of(uuid(1))).status, (await of(uuid(1))).status, (await of(uuid(2))).status]).toEqual([
      200, 429, 200,
    ]);
  });
});

describe('a limit on tokens', () => {
  it('keeps back the bound and counts what the rows say, read from a cache or not', async () => {
    const all = await make({ measure: 'tokens', limit: 100_000, window: 'minute' });
    const input = await make({ measure: 'input_tokens', limit: 100_000, window: 'minute' });
    const output = await make({ measure: 'output_tokens', limit: 100_000, window: 'minute' });
    expect((await send()).status).toBe(200);
    expect((await send({ stream: true })).status).toBe(200);
    await eventually('both are settled', async () => ((await usedOf(all.id)) === 230 ? true : null));
    expect([await usedOf(input.id), await usedOf(output.id)]).toEqual([30, 200]);
  });

  it('refuses while the bounds of others take the room, and lets through once they ended', async () => {
    const { id } = await make({ measure: 'output_tokens', limit: 300, window: 'minute' });
    let finish = (): void => undefined;
    const wait = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const events = anthropicEvents({ usage: USAGE });
    world.anthropic.respond(
      sseThen(events.slice(0, 2), async (exchange) => {
        await wait;
        for (const event of events.slice(2)) await exchange.chunk(event);
        await exchange.endChunks();
      }),
    );
    const running = world.messages({ ...MESSAGES_BODY, stream: true, max_tokens: 250 });
    await eventually('it is on its way', async () => ((await usedOf(id)) === 250 ? true : null));
    expect((await send({ max_tokens: 100 })).value('x-tallygate-error')).toBe('rate_limited');
    finish();
    expect((await running.answer).status).toBe(200);
    await eventually('it is settled', async () => ((await usedOf(id)) === 100 ? true : null));
    world.anthropic.respond(anthropicApi({ usage: USAGE }));
    expect((await send({ max_tokens: 100 })).status).toBe(200);
  });
});

describe('a slot leaks on no way out', () => {
  it.each([
    ['an answer', () => send()],
    [
      'an error of the upstream',
      async () => {
        world.anthropic.respond(jsonAnswer(anthropicError('invalid_request_error', 'no'), { status: 400 }));
        await send();
      },
    ],
    [
      'a connection that breaks',
      async () => {
        world.anthropic.respond((exchange) => exchange.reset());
        await send().catch(() => undefined);
      },
    ],
    ['a model that nobody serves', () => send({ model: 'no-such-model' })],
    ['a body that is no JSON', () => world.messages('{').answer],
    [
      'a refusal of a budget',
      async () => {
        await world.gate.admin('POST', '/api/budgets', {
          scope: 'workspace',
          window: 'day',
          limitRequests: 0,
        });
        await send();
      },
    ],
    [
      'a client that leaves',
      async () => {
        world.anthropic.respond(sseThen(anthropicEvents({ usage: USAGE }).slice(0, 2), stall));
        const client = world.messages({ ...MESSAGES_BODY, stream: true });
        await eventually('it is on its way', async () => (world.anthropic.requests.length > 0 ? true : null));
        client.leave();
        await client.answer.catch(() => undefined);
      },
    ],
  ])('after %s', async (_what, act) => {
    const slots = await make({ ...slotsOf, limit: 3 });
    const streams = await make({ measure: 'concurrent_streams', limit: 3, per: 'key' });
    await act();
    await nothingLeft(slots.id);
    await nothingLeft(streams.id);
  });
});

describe('RATE_LIMIT_MAX_REQUESTS, and users (CW-04)', () => {
  let strict: WireWorld;
  beforeAll(async () => {
    strict = await startWireWorld({
      config: {
        RATE_LIMIT_MAX_REQUESTS: '3',
        RATE_LIMIT_WINDOW_MS: '3600000',
        DASHBOARD_USERNAME: 'ada',
        DASHBOARD_PASSWORD: 'tall giraffes eat mangoes',
      },
      keys: [{ name: 'one' }, { name: 'two' }],
    });
  });
  afterAll(() => strict?.stop());

  it('holds for the address, whatever the key; limits of a user count all keys that are theirs', async () => {
    const { keys } = await strict.gate.admin<{ keys: { id: string; name: string }[] }>('GET', '/api/keys');
    for (const { id } of keys.filter(({ name }) => name === 'one' || name === 'two'))
      await strict.gate.admin('PATCH', `/api/keys/${id}`, { user: 'ada' });
    const limit = { scope: 'user:ada', measure: 'requests', limit: 2, window: 'day' };
    const { id } = await strict.gate.admin<LimitView>('POST', '/api/limits', limit);
    const of = (key: string | undefined) => strict.messages(MESSAGES_BODY, { key: key ?? null }).answer;
    const [one, two] = strict.gate.keys;
    expect([(await of(one?.key)).status, (await of(two?.key)).status]).toEqual([200, 200]);
    expect((await of(two?.key)).text).toContain(id);
    await strict.gate.admin('DELETE', `/api/limits/${id}`);
    await strict.gate.untilRows(2); // a budget reads what was spent before it from the ledger
    const budget = { scope: 'user:ada,model:claude-*', window: 'day', limitRequests: 5 };
    const made = await strict.gate.admin<{ id: string; status: { spent: number } }>(
      'POST',
      '/api/budgets',
      budget,
    );
    expect(made.status.spent).toBe(2); // the ledger knows whose they were
    expect((await of(one?.key)).status).toBe(200);
    const refused = await of(two?.key);
    expect([refused.status, refused.text.includes('setting:address')]).toEqual([429, true]);
  });
});
