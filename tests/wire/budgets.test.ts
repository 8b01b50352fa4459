import type { BudgetHistoryView, BudgetHoldsView, BudgetView } from '@tallygate/contract/api/budgets';
import { eventually } from '@tallygate/testkit/eventually';
import {
  anthropicApi,
  anthropicError,
  anthropicEvents,
  anthropicMessage,
} from '@tallygate/testkit/fake-upstream/anthropic';
import { jsonAnswer, sseAnswer, sseThen } from '@tallygate/testkit/fake-upstream/exchange';
import { openAiApi } from '@tallygate/testkit/fake-upstream/openai';
import type { RawAnswer } from '@tallygate/testkit/raw-client';
import { CHAT_BODY, MESSAGES_BODY, startWireWorld, type WireWorld } from '@tallygate/testkit/wire-world';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

/** 10 in and 100 out at the prices of Sonnet 4.5. */
const USAGE = {
  input_tokens: 10,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 100,
};
const COST = '0.00153';
const CHAT_USAGE = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };

let world: WireWorld;
beforeAll(async () => {
  world = await startWireWorld();
  world.anthropic.respond(anthropicApi({ usage: USAGE }));
  world.openai.respond(openAiApi({ usage: CHAT_USAGE }));
});
afterAll(() => world?.stop());
afterEach(async () => {
  const { budgets } = await world.gate.admin<{ budgets: BudgetView[] }>('GET', '/api/budgets');
  for (const { id } of budgets) await world.gate.admin('DELETE', `/api/budgets/${id}`);
  world.anthropic.clear();
  world.openai.clear();
});

/** What earlier tests spent does not count in a total: it begins when the budget is made. */
const make = (body: Record<string, unknown>) =>
  world.gate.admin<BudgetView>('POST', '/api/budgets', { scope: 'workspace', window: 'total', ...body });
const show = (id: string) => world.gate.admin<BudgetView>('GET', `/api/budgets/${id}`);
const settled = (id: string) =>
  eventually('nothing is held', async () => {
    const view = await show(id);
    return Number(view.status.held) === 0 ? view : null;
  });
const send = (change: Record<string, unknown> = {}, headers: [string, string][] = []) =>
  world.messages({ ...MESSAGES_BODY, ...change }, { headers }).answer;

describe('a budget that is used up (X-02)', () => {
  it('Anthropic: 429 billing_error, not to be tried again, with the time it starts anew', async () => {
    const { id } = await make({ limitUsd: '0', window: 'day' });
    const answer = await send();
    expect(answer.status).toBe(429);
    expect(answer.json()).toMatchObject({ type: 'error', error: { type: 'billing_error' } });
    expect(answer.value('x-should-retry')).toBe('false');
    const seconds = Number(answer.value('retry-after'));
    expect(seconds > 0 && seconds <= 86_400).toBe(true);
    expect(answer.value('x-tallygate-error')).toBe('budget_exhausted');
    expect(answer.text).toContain(id);
    expect(world.anthropic.requests).toHaveLength(0);
  });

  it('OpenAI: 429 insufficient_quota', async () => {
    await make({ limitUsd: '0', window: 'month' });
    const answer = await world.chat(CHAT_BODY).answer;
    expect(answer.status).toBe(429);
    expect(answer.json()).toMatchObject({
      error: { type: 'insufficient_quota', code: 'insufficient_quota' },
    });
    expect(answer.value('x-should-retry')).toBe('false');
    expect(world.openai.requests).toHaveLength(0);
  });

  it('counts what was spent to the last nano-dollar, streaming or not, and refuses what may exceed the rest', async () => {
    const { id } = await make({ limitUsd: '0.0045' });
    expect((await send()).status).toBe(200);
    expect((await send({ stream: true })).status).toBe(200);
    expect((await settled(id)).status).toMatchObject({ spent: '0.00306', left: '0.00144', held: '0' });
    const refused = await send();
    expect([refused.status, refused.value('x-tallygate-error')]).toEqual([429, 'budget_exhausted']);
    expect((await send({ max_tokens: 10 })).status).toBe(200); // a smaller request still fits
  });

  it('budgets of requests and of tokens', async () => {
    await make({ limitRequests: 1, scope: `key:${world.gate.keys[0]?.id}` });
    expect([(await send()).status, (await send()).status]).toEqual([200, 429]);
    const tokens = await make({ limitTokens: 1000, scope: 'provider:openai' });
    await world.gate.admin('DELETE', `/api/budgets/${(await all())[0]?.id}`);
    expect((await world.chat({ ...CHAT_BODY, max_completion_tokens: 100 }).answer).status).toBe(200);
    expect((await settled(tokens.id)).status.spent).toBe(15);
  });

  it('an upstream error costs nothing and leaves no hold', async () => {
    const { id } = await make({ limitUsd: '1' });
    world.anthropic.respondOnce(jsonAnswer({ type: 'error' }, { status: 529 }));
    expect((await send()).status).toBe(529);
    expect((await settled(id)).status.spent).toBe('0');
  });

  it('a model without a price is refused unless the budget allows it', async () => {
    const { id } = await make({ limitUsd: '1' });
    const refused = await send({ model: 'nobody-knows' });
    expect([refused.status, refused.value('x-tallygate-error')]).toEqual([403, 'budget_unpriced']);
    await world.gate.admin('PATCH', `/api/budgets/${id}`, { unpriced: 'allow' });
    expect((await send({ model: 'nobody-knows' })).status).toBe(200);
  });

  it('tags of the request are counted and never go upstream', async () => {
    await make({ limitRequests: 1, scope: 'tag:nightly' });
    const tags: [string, string][] = [['x-tallygate-tags', 'a,nightly']];
    expect([(await send({}, tags)).status, (await send({}, tags)).status]).toEqual([200, 429]);
    expect((await send()).status).toBe(200);
    expect(
      world.anthropic.requests.flatMap(({ headers }) => headers.map(([name]) => name.toLowerCase())),
    ).not.toContain('x-tallygate-tags');
    expect((await send({}, [['x-tallygate-tags', 'x'.repeat(65)]])).status).toBe(400);
  });
});

const all = async () => (await world.gate.admin<{ budgets: BudgetView[] }>('GET', '/api/budgets')).budgets;

describe('holds (X-02)', () => {
  it('what is on its way is held, told apart from spent, and listed', async () => {
    const { id } = await make({ limitUsd: '0.002' });
    const gate = Promise.withResolvers<void>();
    world.anthropic.respondOnce(async (exchange) => {
      await gate.promise;
      await anthropicApi({ usage: USAGE })(exchange);
    });
    const first = world.messages(MESSAGES_BODY);
    await world.anthropic.nextRequest();
    const view = await world.gate.admin<BudgetHoldsView>('GET', `/api/budgets/holds?budget=${id}`);
    expect(view.holds).toHaveLength(1);
    expect(view.holds[0]?.budgets[0]?.held).toBe((await show(id)).status.held);
    const refused = await send();
    expect([refused.status, refused.value('x-tallygate-error')]).toEqual([429, 'budget_held']);
    expect([refused.value('x-should-retry'), refused.value('retry-after')]).toEqual(['true', '2']);
    gate.resolve();
    expect((await first.answer).status).toBe(200);
    expect((await settled(id)).status.spent).toBe(COST);
  });

  it('an answer that is cut counts its input as told and its output as allowed', async () => {
    const { id } = await make({ limitUsd: '1' });
    const cut = anthropicEvents({ usage: { ...USAGE, output_tokens: 1 } }).slice(0, 4);
    world.anthropic.respondOnce(sseThen(cut, (exchange) => exchange.reset()));
    const { head } = world.messages({ ...MESSAGES_BODY, stream: true });
    const answer = await head;
    expect((await settled(id)).status.spent).toBe(COST); // 10 in, all of the 100 allowed out
    expect((await world.rowOf(answer)).request).toMatchObject({ settleStatus: 'estimated', costUsd: COST });
  });

  it('with tools of the provider a cut answer counts as all that was held: it told of its first pass alone', async () => {
    const { id } = await make({ limitUsd: '10' });
    const gate = Promise.withResolvers<void>();
    const cut = anthropicEvents({ usage: USAGE }).slice(0, 4);
    world.anthropic.respondOnce(
      sseThen(cut, async (exchange) => {
        await gate.promise;
        exchange.reset();
      }),
    );
    const tools = [{ type: 'web_search_20250305', name: 'web_search', max_uses: 2 }];
    const { head } = world.messages({ ...MESSAGES_BODY, tools, stream: true });
    const answer = await head;
    const { held } = (await show(id)).status;
    gate.resolve();
    const { spent } = (await settled(id)).status;
    expect([spent, Number(held) > Number(COST)]).toEqual([held, true]);
    expect((await world.rowOf(answer)).request).toMatchObject({ settleStatus: 'estimated', costUsd: held });
  });

  it('a client that leaves is not a way around: no usage was seen, so the bound counts', async () => {
    const { id } = await make({ limitUsd: '1' });
    world.anthropic.respondOnce(async (exchange) => void (await exchange.untilPeerGone()));
    const call = world.messages(MESSAGES_BODY);
    await world.anthropic.nextRequest();
    const { held } = (await show(id)).status;
    call.leave();
    expect((await settled(id)).status.spent).toBe(held);
  });

  it('kill -9: what was on its way counts at its bound after the restart, what was settled as it was', async () => {
    const { id } = await make({ limitUsd: '1' });
    expect((await send()).status).toBe(200);
    await settled(id);
    world.anthropic.respondOnce(sseAnswer(anthropicEvents({ usage: USAGE }).slice(0, 3), { gapMs: 60_000 }));
    const call = world.messages({ ...MESSAGES_BODY, stream: true });
    call.answer.catch(() => undefined);
    await world.anthropic.nextRequest();
    const before = await show(id);
    await world.gate.kill9();
    await world.gate.restart();
    const after = await show(id);
    const nano = (usd: unknown) => Math.round(Number(usd) * 1e9);
    expect(after.status.held).toBe('0');
    expect(nano(after.status.spent)).toBe(nano(before.status.spent) + nano(before.status.held));
    const [row] = await world.gate.untilRows(1, ({ status }) => status === 'interrupted');
    expect([row?.status, row?.settleStatus, row?.costUsd]).toEqual([
      'interrupted',
      'interrupted',
      before.status.held,
    ]);
  });
});

describe('what a client is told (X-02)', () => {
  const headersOf = (answer: RawAnswer, prefix: string) =>
    Object.fromEntries(answer.headers.filter(([name]) => name.startsWith(prefix)));

  it('Anthropic answers carry the utilisation of the fullest budget', async () => {
    await make({ limitUsd: '0.006', window: 'day' });
    await make({ limitUsd: '100', window: 'month' });
    const budgets = await all();
    const share = Number(budgets.find(({ window }) => window === 'day')?.status.spent) / 0.006;
    // What earlier tests spent counts in the window too, so the limit is put where the share is known.
    await world.gate.admin('PATCH', `/api/budgets/${budgets.find(({ window }) => window === 'day')?.id}`, {
      limitUsd: String(((share * 0.006) / 0.8).toFixed(9)),
    });
    // An upstream without such headers of its own; those are left as they are.
    const plain = jsonAnswer(anthropicMessage({ usage: USAGE }));
    world.anthropic.respondOnce(plain);
    const answer = await send({ max_tokens: 1 });
    expect(headersOf(answer, 'anthropic-ratelimit-unified-')).toMatchObject({
      'anthropic-ratelimit-unified-status': 'allowed_warning',
      'anthropic-ratelimit-unified-representative-claim': 'five_hour',
      'anthropic-ratelimit-unified-5h-utilization': '0.8000',
    });
  });

  it('clamp lowers the output limit in the body and leaves every other byte', async () => {
    const { id } = await make({ limitUsd: '0.002', mode: 'clamp' });
    const body =
      '{"model":"claude-sonnet-4-5",  "max_tokens" : 5000 ,"messages":[{"role":"user","content":"H\\u0069"}]}';
    const answer = await world.messages(body).answer;
    expect(answer.status).toBe(200);
    const clamped = Number(answer.value('x-tallygate-clamped-output'));
    expect(clamped > 0 && clamped < 134).toBe(true);
    expect(world.anthropic.requests[0]?.body().toString()).toBe(body.replace('5000', String(clamped)));
    expect((await settled(id)).status.left).toBe('0.00047');
  });

  it('clamp lowers the limit of a translated request in the format it is sent in (X-04)', async () => {
    const { id } = await make({ limitUsd: '0.002', mode: 'clamp' });
    const body = { ...CHAT_BODY, model: 'claude-sonnet-4-5', max_completion_tokens: 5000 };
    const answer = await world.chat(body).answer;
    expect(answer.status).toBe(200);
    const sent = world.anthropic.requests[0]?.json() as { max_tokens: number };
    expect(String(sent.max_tokens)).toBe(answer.value('x-tallygate-clamped-output'));
    expect(sent.max_tokens > 0 && sent.max_tokens < 134).toBe(true);
    expect((await settled(id)).status.left).toBe('0.00047');
  });

  it('clamp gives a limit to a request that names none', async () => {
    await make({ limitUsd: '0.01', mode: 'clamp' });
    const answer = await world.chat(CHAT_BODY).answer;
    const sent = world.openai.requests[0]?.json() as { max_completion_tokens: number };
    expect(String(sent.max_completion_tokens)).toBe(answer.value('x-tallygate-clamped-output'));
  });

  it('soft lets everything through and says so', async () => {
    const { id } = await make({ limitUsd: '0', mode: 'soft' });
    const answer = await send();
    expect([answer.status, answer.value('x-tallygate-budget-exceeded')]).toEqual([200, id]);
    expect((await settled(id)).status).toMatchObject({ spent: COST, exceeded: true });
  });

  it('a request that came to nothing is a refunded row; one that no budget covers is final', async () => {
    world.anthropic.respond(jsonAnswer(anthropicError('invalid_request_error', 'no'), { status: 400 }));
    const free = await send();
    expect((await world.rowOf(free)).request.settleStatus).toBe('final');
    const { id } = await make({ limitUsd: '1' });
    const refunded = await send();
    expect((await world.rowOf(refunded)).request).toMatchObject({ settleStatus: 'refunded', costUsd: null });
    expect((await settled(id)).status.spent).toBe('0');
    world.anthropic.respond(anthropicApi({ usage: USAGE }));
  });

  it('a budget in requests counts none that came to nothing, before and after its books are made anew (X-02)', async () => {
    const { id } = await make({ limitRequests: 100 });
    world.anthropic.respond(jsonAnswer(anthropicError('invalid_request_error', 'no'), { status: 400 }));
    for (let i = 0; i < 3; i++) await send();
    world.anthropic.respond(anthropicApi({ usage: USAGE }));
    const answer = await send();
    await world.rowOf(answer);
    expect((await settled(id)).status.spent).toBe(1);
    await world.gate.terminate();
    await world.gate.restart();
    expect((await settled(id)).status.spent).toBe(1);
    const { users } = await world.gate.admin<BudgetHistoryView>('GET', `/api/budgets/${id}/history`);
    expect(users.map(({ spent }) => Number(spent))).toEqual([1]);
  });
});
