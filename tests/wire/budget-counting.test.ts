import type { BudgetView } from '@tallygate/contract/api/budgets';
import type { LimitView } from '@tallygate/contract/api/limits';
import { eventually } from '@tallygate/testkit/eventually';
import { anthropicApi } from '@tallygate/testkit/fake-upstream/anthropic';
import { type Exchange, jsonAnswer, type Responder } from '@tallygate/testkit/fake-upstream/exchange';
import { openAiApi } from '@tallygate/testkit/fake-upstream/openai';
import {
  ANTHROPIC_CREDENTIAL,
  MESSAGES_BODY,
  OPENAI_CREDENTIAL,
  startWireWorld,
  type WireWorld,
} from '@tallygate/testkit/wire-world';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

const USAGE = {
  input_tokens: 9_000,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 100,
};
/** 40,000 bytes: at a token each $0.12 of Sonnet 4.5, and $0.0015 for the output. */
let prompts = 0;
const prompt = (): string => `${prompts++} `.padEnd(40_000, 'lorem ipsum ');
/** 9,000 tokens, a twentieth and a hundred more, and 100 of output. */
const COUNTED_USD = '0.030150001';

let world: WireWorld;
beforeAll(async () => {
  world = await startWireWorld({ config: { TALLYGATE_COUNT_TOKENS_MS: '700' } });
});
afterAll(() => world?.stop());
afterEach(async () => {
  const { budgets } = await world.gate.admin<{ budgets: BudgetView[] }>('GET', '/api/budgets');
  for (const { id } of budgets) await world.gate.admin('DELETE', `/api/budgets/${id}`);
  world.anthropic.clear();
  world.openai.clear();
});

const make = (limitUsd: string, change: Record<string, unknown> = {}) =>
  world.gate.admin<BudgetView>('POST', '/api/budgets', {
    ...{ scope: 'workspace', window: 'total', limitUsd },
    ...change,
  });
const held = async (id: string) =>
  (await world.gate.admin<BudgetView>('GET', `/api/budgets/${id}`)).status.held;

/** How often askings came to what, by the metric. */
async function outcomes(): Promise<number[]> {
  const { key } = await world.gate.addKey({ scopes: ['read'] });
  const text = await (await fetch(`${world.gate.url}/metrics`, { headers: { 'x-api-key': key } })).text();
  return ['counted', 'remembered', 'failed', 'passed_over'].map((outcome) => {
    const line = `tallygate_budget_input_counts_total{outcome="${outcome}"} `;
    return Number(text.split(line)[1]?.split('\n')[0]);
  });
}

/** The Messages API; counts are answered as told. */
function countsAs(answer: Responder): void {
  const api = anthropicApi({ usage: USAGE });
  world.anthropic.respond((exchange: Exchange) =>
    exchange.request.path.includes('count_tokens') ? answer(exchange) : api(exchange),
  );
}
const tokens = (count: number): Responder => jsonAnswer({ input_tokens: count });
const paths = () => world.anthropic.requests.map(({ path }) => path);
const send = (content: string, change: Record<string, unknown> = {}) =>
  world.messages({ ...MESSAGES_BODY, messages: [{ role: 'user', content }], ...change }).answer;

describe('near the cap of a budget the provider counts (X-02)', () => {
  it('what a token for each byte would refuse is let through by the count, and held by it', async () => {
    const { id } = await make('0.06');
    const answered = Promise.withResolvers<void>();
    const api = anthropicApi({ usage: USAGE });
    world.anthropic.respond(async (exchange) => {
      if (exchange.request.path.includes('count_tokens')) return tokens(9_000)(exchange);
      await answered.promise;
      return api(exchange);
    });
    const content = prompt();
    const answer = send(content, { system: 'Be brief.', temperature: 0.5 });
    await eventually('the request is at the upstream', () => paths().length === 2);
    expect(await held(id)).toBe(COUNTED_USD);
    answered.resolve();
    expect((await answer).status).toBe(200);
    const [count] = world.anthropic.requests;
    expect(count?.path).toBe('/v1/messages/count_tokens');
    expect(count?.value('x-api-key')).toBe(ANTHROPIC_CREDENTIAL);
    expect(count?.value('anthropic-version')).toBe(world.anthropic.requests[1]?.value('anthropic-version'));
    expect(count?.json()).toEqual({
      ...{ model: MESSAGES_BODY.model, system: 'Be brief.' },
      messages: [{ role: 'user', content }],
    });
  });

  it('one prompt is counted once', async () => {
    await make('0.09');
    countsAs(tokens(9_000));
    const content = prompt();
    const before = await outcomes();
    for (let i = 0; i < 2; i++) expect((await send(content)).status).toBe(200);
    expect(paths().filter((path) => path.includes('count_tokens'))).toHaveLength(1);
    expect((await send(content)).status).toBe(429); // two came to $0.057: now even the count does not fit
    const now = await outcomes();
    expect(now.map((count, i) => count - (before[i] ?? 0))).toEqual([1, 1, 0, 0]);
  });

  it('nobody is asked when the request fits, or has no chance', async () => {
    countsAs(tokens(9_000));
    const { id } = await make('1');
    expect((await send(prompt())).status).toBe(200);
    await world.gate.admin('DELETE', `/api/budgets/${id}`);
    await make('0.01');
    expect((await send(prompt())).status).toBe(429);
    expect(paths()).toEqual(['/v1/messages']);
  });

  it.each<[string, Responder]>([
    ['an error', jsonAnswer({ type: 'error' }, { status: 500 })],
    ['nonsense', jsonAnswer({ input_tokens: 'many' })],
    ['no answer in time', () => new Promise<void>(() => undefined)],
    ['a broken connection', (exchange) => exchange.reset()],
    ['a count that does not fit either', tokens(30_000)],
  ])('%s: the refusal stands', async (_name, answer) => {
    await make('0.06');
    countsAs(answer);
    const refused = await send(prompt());
    expect([refused.status, refused.value('x-tallygate-error')]).toEqual([429, 'budget_exhausted']);
    expect(paths()).toEqual(['/v1/messages/count_tokens']);
  });

  it('a count above a token for each byte changes nothing', async () => {
    await make('0.06');
    countsAs(tokens(1_000_000));
    const refused = await send(prompt());
    expect(refused.status).toBe(429);
    expect(refused.text).toMatch(/may come to \$0\.12\d/);
  });

  it.each<[string, Record<string, unknown>]>([
    ['content that is not in it', { container: 'c_1' }],
    [
      'servers of the client’s choice',
      { mcp_servers: [{ type: 'url', url: 'https://x.invalid', name: 'x' }] },
    ],
  ])('a request with %s is not counted', async (_name, change) => {
    await make('0.06');
    countsAs(tokens(10));
    expect((await send(prompt(), change)).status).toBe(429);
    expect(paths()).toEqual([]);
  });

  it('a budget of requests has nothing to count', async () => {
    await world.gate.admin('POST', '/api/budgets', { scope: 'workspace', window: 'total', limitRequests: 0 });
    expect((await send(prompt())).status).toBe(429);
    expect(paths()).toEqual([]);
  });

  it('clamp: the output is shortened to what the count leaves', async () => {
    await make('0.06', { mode: 'clamp' });
    countsAs(tokens(9_000));
    const answer = await send(prompt(), { max_tokens: 50_000 });
    expect(answer.status).toBe(200);
    // $0.06 less $0.02865 of input, at $15 a million.
    const clamped = Number(answer.value('x-tallygate-clamped-output'));
    expect(clamped).toBeGreaterThan(2_080);
    expect(clamped).toBeLessThanOrEqual(2_090);
  });

  it('many at once: never more than the cap, by the count', async () => {
    const { id } = await make('0.13'); // four at the count
    const answered = Promise.withResolvers<void>();
    const api = anthropicApi({ usage: USAGE });
    let atUpstream = 0;
    world.anthropic.respond(async (exchange) => {
      if (exchange.request.path.includes('count_tokens')) return tokens(9_000)(exchange);
      atUpstream += 1;
      await answered.promise;
      return api(exchange);
    });
    const content = prompt();
    let refused = 0;
    const all = Array.from({ length: 30 }, () =>
      send(content).then(({ status }) => {
        if (status === 429) refused += 1;
      }),
    );
    await eventually('each is refused or waits', () => atUpstream + refused === 30);
    expect(Number(await held(id))).toBeLessThanOrEqual(0.13);
    expect(atUpstream).toBeGreaterThanOrEqual(1);
    answered.resolve();
    await Promise.all(all);
    await eventually('nothing is held', async () => (await held(id)) === '0');
  });

  it('a request that is decided about twice counts once in its limits, and leaves no slot taken', async () => {
    const limits = await Promise.all(
      [{ measure: 'requests', window: 'hour' }, { measure: 'concurrent_requests' }].map((what) =>
        world.gate.admin<LimitView>('POST', '/api/limits', {
          ...{ scope: 'workspace', per: 'all', limit: 50 },
          ...what,
        }),
      ),
    );
    const used = () =>
      Promise.all(
        limits.map(async ({ id }) => {
          const { status } = await world.gate.admin<LimitView>('GET', `/api/limits/${id}`);
          return status.fullest[0]?.used ?? 0;
        }),
      );
    await make('0.06');
    countsAs(tokens(9_000));
    expect((await send(prompt())).status).toBe(200);
    countsAs(tokens(30_000));
    expect((await send(prompt())).status).toBe(429);
    await eventually('no slot is taken', async () => (await used())[1] === 0);
    expect(await used()).toEqual([1, 0]);
    for (const { id } of limits) await world.gate.admin('DELETE', `/api/limits/${id}`);
  });

  it('Responses are counted where OpenAI counts them', async () => {
    await make('0.03');
    const api = openAiApi();
    world.openai.respond((exchange) =>
      exchange.request.path.endsWith('/input_tokens')
        ? jsonAnswer({ object: 'response.input_tokens', input_tokens: 8_000 })(exchange)
        : api(exchange),
    );
    const input = prompt();
    const ask = { model: 'gpt-5', input, instructions: 'Be brief.', max_output_tokens: 100, store: false };
    const answer = await world.post('/v1/responses', ask).answer;
    expect([answer.status, answer.text.slice(0, 200)]).toEqual([200, expect.any(String)]);
    const [count] = world.openai.requests;
    expect(count?.path).toBe('/v1/responses/input_tokens');
    expect(count?.value('authorization')).toBe(`Bearer ${OPENAI_CREDENTIAL}`);
    expect(count?.json()).toEqual({ model: 'gpt-5', input, instructions: 'Be brief.' });
  });
});
