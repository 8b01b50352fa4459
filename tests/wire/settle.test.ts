import type { RequestDetailView } from '@tallygate/contract/api/usage';
import {
  type AnthropicUsage,
  anthropicError,
  anthropicEvents,
  anthropicMessage,
  OVERLOADED_EVENT,
} from '@tallygate/testkit/fake-upstream/anthropic';
import { jsonAnswer, type Responder, sseAnswer, sseThen } from '@tallygate/testkit/fake-upstream/exchange';
import {
  chatCompletion,
  chatEvents,
  responsesBody,
  responsesEvents,
} from '@tallygate/testkit/fake-upstream/openai';
import { CutAnswer } from '@tallygate/testkit/raw-client';
import { CHAT_BODY, MESSAGES_BODY, startWireWorld, type WireWorld } from '@tallygate/testkit/wire-world';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let world: WireWorld;
beforeAll(async () => {
  world = await startWireWorld();
});
afterAll(() => world?.stop());

const STREAM = { ...MESSAGES_BODY, stream: true };

/** 100 in, 2,000 and 3,000 written, 20,000 read, 500 out and 2 searches at the prices of Sonnet 4.5. */
const FULL_COST = '0.0593';
const FULL_TOKENS = {
  inputUncached: 100,
  cacheRead: 20_000,
  cacheWrite5m: 2000,
  cacheWrite1h: 3000,
};

async function messagesRow(responder: Responder, body: unknown = MESSAGES_BODY): Promise<RequestDetailView> {
  world.anthropic.respondOnce(responder);
  return world.rowOf(await world.messages(body).answer);
}
async function openaiRow(responder: Responder, path: string, body: unknown): Promise<RequestDetailView> {
  world.openai.respondOnce(responder);
  return world.rowOf(await world.post(path, body).answer);
}

/** What must not differ between a stream and a plain answer. */
function accounting({ request }: RequestDetailView) {
  const { tokens, units, totalTokens, weightedTokens, costUsd, priceStatus, settleStatus, priceCard } =
    request;
  const { status, modelServed, serviceTier } = request;
  return {
    ...{ tokens, units, totalTokens, weightedTokens, costUsd, priceStatus, settleStatus, priceCard },
    ...{ status, modelServed, serviceTier },
  };
}

describe('the row of a complete answer (TW-10, WT-15)', () => {
  it('Anthropic, plain', async () => {
    const headers = [['request-id', 'req_plain']] as const;
    const { request, attempts } = await messagesRow(jsonAnswer(anthropicMessage(), { headers }));
    expect(request.tokens).toMatchObject({ ...FULL_TOKENS, outputVisible: 500 });
    expect(request.units.webSearchRequests).toBe(2);
    expect(request).toMatchObject({
      status: 'ok',
      httpStatus: 200,
      settleStatus: 'final',
      priceStatus: 'priced',
      costUsd: FULL_COST,
      provider: 'anthropic',
      apiFlavor: 'anthropic.messages',
      modelRequested: 'claude-sonnet-4-5',
      modelServed: 'claude-sonnet-4-5',
      upstreamRequestId: 'req_plain',
      serviceTier: 'standard',
      stream: false,
      totalTokens: 25_600,
      weightedTokens: 100 + 2000 * 1.25 + 3000 * 2 + 20_000 * 0.1 + 500 * 5,
      ttftMs: null,
      source: 'gateway',
    });
    expect(attempts).toMatchObject([
      { index: 0, outcome: 'ok', httpStatus: 200, upstreamRequestId: 'req_plain' },
    ]);
  });

  it('Anthropic: a stream settles exactly like the plain answer', async () => {
    const plain = await messagesRow(jsonAnswer(anthropicMessage()));
    const streamed = await messagesRow(sseAnswer(anthropicEvents()), STREAM);
    expect(accounting(streamed)).toEqual(accounting(plain));
    expect(streamed.request.stream).toBe(true);
    expect(streamed.request.ttftMs).toBeGreaterThanOrEqual(0);
  });

  it('OpenAI chat: the same for both, cached and reasoning tokens taken out of their totals', async () => {
    const path = '/v1/chat/completions';
    const plain = await openaiRow(jsonAnswer(chatCompletion()), path, CHAT_BODY);
    const streamed = await openaiRow(sseAnswer(chatEvents()), path, { ...CHAT_BODY, stream: true });
    expect(plain.request.tokens).toMatchObject({
      inputUncached: 2000,
      cacheRead: 8000,
      outputVisible: 500,
      outputReasoning: 1500,
    });
    expect(plain.request).toMatchObject({ costUsd: '0.0235', settleStatus: 'final', totalTokens: 12_000 });
    expect(accounting(streamed)).toEqual(accounting(plain));
  });

  it('OpenAI responses: the same for both', async () => {
    const body = { model: 'gpt-5', input: 'Hi' };
    const plain = await openaiRow(jsonAnswer(responsesBody()), '/v1/responses', body);
    const streamed = await openaiRow(sseAnswer(responsesEvents()), '/v1/responses', {
      ...body,
      stream: true,
    });
    expect(plain.request).toMatchObject({
      costUsd: '0.0235',
      settleStatus: 'final',
      apiFlavor: 'openai.responses',
    });
    expect(accounting(streamed)).toEqual(accounting(plain));
  });

  it('cumulative figures in message_delta overlay, they never add; an explicit zero is a value', async () => {
    const start = anthropicEvents()[0] ?? '';
    const delta = (usage: AnthropicUsage) =>
      `event: message_delta\ndata: ${JSON.stringify({ type: 'message_delta', delta: { stop_reason: null }, usage })}\n\n`;
    const stop = 'event: message_stop\ndata: {"type":"message_stop"}\n\n';
    const { request } = await messagesRow(
      sseAnswer([
        start,
        delta({ output_tokens: 100 }),
        delta({ output_tokens: 250, cache_read_input_tokens: 0 }),
        stop,
      ]),
      STREAM,
    );
    expect(request.tokens).toMatchObject({ ...FULL_TOKENS, cacheRead: 0, outputVisible: 250 });
  });

  it('the model and the tier that served count, not those asked for', async () => {
    const message = anthropicMessage({ model: 'claude-haiku-4-5-20251001' });
    const { request } = await messagesRow(jsonAnswer(message));
    expect(request).toMatchObject({
      modelRequested: 'claude-sonnet-4-5',
      modelServed: 'claude-haiku-4-5-20251001',
    });
    expect(request.costUsd).not.toBe(FULL_COST);
    expect(request.costUsd).not.toBeNull();
  });

  it('an unknown model is unpriced: null, never zero, and its tokens are kept (X-03)', async () => {
    const usage = { input_tokens: 7, output_tokens: 3 };
    const { request, costLines } = await messagesRow(
      jsonAnswer(anthropicMessage({ model: 'claude-opus-9', usage })),
      { ...MESSAGES_BODY, model: 'claude-opus-9' },
    );
    expect(request).toMatchObject({
      costUsd: null,
      priceStatus: 'unpriced',
      priceCard: null,
      settleStatus: 'final',
    });
    expect(request.tokens).toMatchObject({ inputUncached: 7, outputVisible: 3 });
    expect(costLines).toBeNull();
  });

  it('an answer without usage is not known to be free (X-03)', async () => {
    const { usage, ...bare } = anthropicMessage();
    expect(usage).toBeDefined();
    const { request } = await messagesRow(jsonAnswer(bare));
    expect(request).toMatchObject({
      status: 'ok',
      costUsd: null,
      priceStatus: 'no_usage',
      settleStatus: 'estimated',
    });
  });
});

describe('sub-calls that the answer reports under another model', () => {
  const iterations = [
    {
      type: 'message',
      input_tokens: 100,
      output_tokens: 50,
      cache_read_input_tokens: 0,
      cache_creation_input_tokens: 0,
      cache_creation: null,
    },
    {
      type: 'advisor_message',
      model: 'claude-haiku-4-5',
      input_tokens: 1000,
      output_tokens: 200,
      cache_read_input_tokens: 0,
      cache_creation_input_tokens: 0,
      cache_creation: null,
    },
  ];
  const usage: AnthropicUsage = {
    input_tokens: 100,
    output_tokens: 50,
    service_tier: 'standard',
    iterations,
  };

  it.each([
    ['plain', jsonAnswer(anthropicMessage({ usage })), MESSAGES_BODY],
    ['streamed', sseAnswer(anthropicEvents({ usage })), STREAM],
  ])('are rows of their own, priced by their own card (%s)', async (_name, responder, body) => {
    const { request, children } = await messagesRow(responder, body);
    expect(request.tokens).toMatchObject({ inputUncached: 100, outputVisible: 50 });
    expect(request.costUsd).toBe('0.00105'); // 100 × 3 + 50 × 15 per million
    expect(children).toHaveLength(1);
    expect(children[0]).toMatchObject({
      parentId: request.id,
      modelServed: 'claude-haiku-4-5',
      costUsd: '0.002', // 1,000 × 1 + 200 × 5 per million
      settleStatus: 'final',
    });
  });
});

describe('the row of an answer that went wrong', () => {
  it.each([
    [400, 'client_error'],
    [429, 'client_error'],
    [500, 'upstream_error'],
    [529, 'upstream_error'],
  ])('HTTP %d: %s without a cost', async (status, expected) => {
    const body = anthropicError('x', 'y');
    const { request, attempts } = await messagesRow(jsonAnswer(body, { status }));
    expect(request).toMatchObject({
      status: expected,
      httpStatus: status,
      costUsd: null,
      priceStatus: 'no_usage',
    });
    expect(attempts).toMatchObject([{ outcome: 'http_error', httpStatus: status }]);
  });

  it('an error inside the stream after HTTP 200: upstream_error, bytes unchanged, what is known is kept', async () => {
    const events = [...anthropicEvents().slice(0, 4), OVERLOADED_EVENT];
    world.anthropic.respondOnce(sseAnswer(events));
    const answer = await world.messages(STREAM).answer;
    expect(answer.text).toBe(events.join(''));
    const { request, attempts } = await world.rowOf(answer);
    expect(request).toMatchObject({
      status: 'upstream_error',
      httpStatus: 200,
      errorCode: 'overloaded_error',
      settleStatus: 'estimated',
    });
    expect(request.tokens).toMatchObject(FULL_TOKENS);
    expect(attempts).toMatchObject([{ outcome: 'stream_error' }]);
  });

  const breaks: [name: string, misbehave: Responder][] = [
    ['a reset', (exchange) => exchange.reset()],
    ['a half-close without the last chunk', (exchange) => exchange.halfClose()],
    ['garbage in the framing', (exchange) => exchange.write('zz\r\nnot a chunk\r\n')],
  ];
  it.each(breaks)(
    '%s in mid-stream: the client sees a broken answer, never a clean end',
    async (_name, misbehave) => {
      const events = anthropicEvents().slice(0, 5);
      world.anthropic.respondOnce(sseThen(events, misbehave));
      const call = world.messages(STREAM);
      const error = await call.answer.then(
        () => null,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(CutAnswer);
      expect(events.join('').startsWith((error as CutAnswer).body.toString())).toBe(true);
      const { request, attempts } = await world.rowOf(await call.head);
      expect(request).toMatchObject({ status: 'upstream_error', settleStatus: 'estimated' });
      expect(attempts).toMatchObject([{ outcome: 'connection_lost' }]);
    },
  );

  it.each([
    ['before any byte', ''],
    ['in the middle of the head', 'HTTP/1.1 200 OK\r\nContent-Ty'],
  ])('the upstream hangs up %s: 502 in the dialect', async (_name, bytes) => {
    world.anthropic.respondOnce(async (exchange) => {
      if (bytes !== '') await exchange.write(bytes);
      exchange.reset();
    });
    const answer = await world.messages(MESSAGES_BODY).answer;
    expect(answer.status).toBe(502);
    expect(answer.json()).toMatchObject({ type: 'error', error: { type: 'api_error' } });
    expect((await world.rowOf(answer)).request).toMatchObject({ status: 'upstream_error', costUsd: null });
  });

  it('a JSON body shorter than its content-length: the client sees that it is cut', async () => {
    const body = JSON.stringify(anthropicMessage());
    world.anthropic.respondOnce(async (exchange) => {
      await exchange.head(200, [
        ['Content-Type', 'application/json'],
        ['Content-Length', String(Buffer.byteLength(body) + 10)],
      ]);
      await exchange.write(body);
      exchange.halfClose();
    });
    const call = world.messages(MESSAGES_BODY);
    await expect(call.answer).rejects.toBeInstanceOf(CutAnswer);
    expect((await world.rowOf(await call.head)).request.status).toBe('upstream_error');
  });

  it('a stream that ends cleanly but without its last events is not called final', async () => {
    const events = anthropicEvents().slice(0, 5);
    world.anthropic.respondOnce(sseAnswer(events));
    const answer = await world.messages(STREAM).answer;
    expect(answer.text).toBe(events.join(''));
    expect((await world.rowOf(answer)).request).toMatchObject({ settleStatus: 'estimated' });
  });

  it('nonsense in the usage does not reach the sums', async () => {
    const usage = { input_tokens: -5, output_tokens: 1e300, cache_read_input_tokens: 'many' };
    const { request } = await messagesRow(jsonAnswer(anthropicMessage({ usage })));
    for (const count of Object.values(request.tokens)) expect(count ?? 0).toBeGreaterThanOrEqual(0);
    expect(request.totalTokens ?? 0).toBeLessThan(1e15);
    expect(request.settleStatus).not.toBe('final');
  });
});

describe('settled before the last byte (CF-17)', () => {
  it('the row of every answer that a client saw complete is in the ledger exactly once', async () => {
    const { id: keyId, key } = await world.gate.addKey();
    const calls = Array.from(
      { length: 40 },
      (_, i) => world.messages(i % 2 === 0 ? MESSAGES_BODY : STREAM, { key }).answer,
    );
    const ids = (await Promise.all(calls)).map((answer) => answer.value('x-tallygate-request-id'));
    const rows = await world.gate.untilRows(40, (row) => row.key?.id === keyId);
    expect(rows.map(({ id }) => id).sort()).toEqual(ids.sort());
  });

  it('refused requests are no rows of usage', async () => {
    const { id: keyId, key } = await world.gate.addKey();
    await world.messages(MESSAGES_BODY, { key: 'wrong' }).answer;
    await world.messages('not json', { key }).answer;
    await world.post('/v1/nothing', '{}', { key }).answer;
    const answer = await world.messages(MESSAGES_BODY, { key }).answer;
    const { request } = await world.rowOf(answer);
    const rows = await world.gate.requestsJson();
    expect(rows.filter((row) => row.key === null || row.key.id === keyId).map(({ id }) => id)).toEqual([
      request.id,
    ]);
  });
});
