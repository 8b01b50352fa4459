import { CUTS } from '@tallygate/testkit/fake-upstream/chunking';
import { jsonAnswer, sseAnswer, sseThen } from '@tallygate/testkit/fake-upstream/exchange';
import { type FakeUpstream, startFakeUpstream } from '@tallygate/testkit/fake-upstream/fake-upstream';
import {
  GEMINI_EMBEDDING,
  GEMINI_HEADERS,
  GEMINI_MODELS,
  geminiAnswer,
  geminiApi,
  geminiArray,
  geminiChunks,
  geminiError,
  geminiEvent,
} from '@tallygate/testkit/fake-upstream/gemini';
import { type Gate, startGate } from '@tallygate/testkit/harness';
import { rawCall, requestBytes } from '@tallygate/testkit/raw-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

const CREDENTIAL = 'AIza-upstream-credential';
let upstream: FakeUpstream;
let second: FakeUpstream;
let gate: Gate;
beforeAll(async () => {
  upstream = await startFakeUpstream(geminiApi());
  second = await startFakeUpstream(geminiApi());
  gate = await startGate({
    config: { RETRY_DELAY_MS: '5' },
    accounts: [{ provider: 'gemini', baseUrl: `${upstream.url}/v1beta`, apiKey: CREDENTIAL }],
  });
});
afterAll(async () => {
  await gate?.stop();
  await upstream?.stop();
  await second?.stop();
});
beforeEach(() => {
  upstream.clear();
  second.clear();
  upstream.respond(geminiApi());
});

const ASK = JSON.stringify({ contents: [{ role: 'user', parts: [{ text: 'Hello' }] }] });
const MODEL = '/v1beta/models/gemini-2.5-flash';
type Headers = readonly (readonly [string, string])[];
const send = (path: string, options: { headers?: Headers; method?: string; body?: string } = {}) => {
  const { headers = [['x-goog-api-key', gate.key]], method = 'POST' } = options;
  const body = method === 'GET' ? undefined : (options.body ?? ASK);
  return rawCall(
    gate.port,
    requestBytes({ path, method, headers: [['content-type', 'application/json'], ...headers], body }),
  ).answer;
};
const rowOf = (answer: { value(name: string): string | undefined }) =>
  gate.row(answer.value('x-tallygate-request-id') ?? '');
/** 600 fresh, 400 cached, 50 for tools, 300 thought and 100 said. */
const TOKENS = {
  inputUncached: 600,
  cacheRead: 400,
  inputTool: 50,
  outputReasoning: 300,
  outputVisible: 100,
};

describe('the Gemini door (X-04)', () => {
  it.each([
    MODEL,
    '/v1/models/gemini-2.5-flash',
    '/gemini/v1beta/models/gemini-2.5-flash',
    '/gemini/v1/models/gemini-2.5-flash',
  ])('%s:generateContent byte for byte, metered and priced', async (path) => {
    const body = JSON.stringify(geminiAnswer(), null, 2);
    upstream.respond(jsonAnswer(body, { headers: GEMINI_HEADERS }));
    const answer = await send(`${path}:generateContent`);
    expect([answer.status, answer.text]).toEqual([200, body]);
    for (const [name, value] of GEMINI_HEADERS) expect(answer.headers).toContainEqual([name, value]);
    const [got] = upstream.requests;
    expect(got?.target).toBe(`${path.replace(/^\/gemini/, '')}:generateContent`);
    expect(got?.body().toString()).toBe(ASK);
    expect(got?.values('x-goog-api-key')).toEqual([CREDENTIAL]);
    const { request } = await rowOf(answer);
    expect(request).toMatchObject({
      status: 'ok',
      settleStatus: 'final',
      provider: 'gemini',
      apiFlavor: 'gemini.generate',
      modelRequested: 'gemini-2.5-flash',
      modelServed: 'gemini-2.5-flash',
      stream: false,
      priceStatus: 'priced',
      tokens: TOKENS,
    });
  });

  it.each(Object.entries(CUTS))('a stream of events, cut %s', async (_name, cut) => {
    const events = geminiChunks().map(geminiEvent);
    upstream.respond(sseAnswer(events, { cut }));
    const answer = await send(`${MODEL}:streamGenerateContent?alt=sse`);
    expect(answer.text).toBe(events.join(''));
    const { request } = await rowOf(answer);
    expect(request).toMatchObject({ status: 'ok', settleStatus: 'final', stream: true, tokens: TOKENS });
    expect(request.ttftMs).not.toBeNull();
  });

  it('a stream as one JSON array', async () => {
    const answer = await send(`${MODEL}:streamGenerateContent`);
    expect(answer.text).toBe(geminiArray());
    const { request } = await rowOf(answer);
    expect(request).toMatchObject({ settleStatus: 'final', stream: true, tokens: TOKENS });
  });

  it('streaming or not, the cost is the same', async () => {
    const costs: (string | null)[] = [];
    for (const action of ['generateContent', 'streamGenerateContent?alt=sse', 'streamGenerateContent'])
      costs.push((await rowOf(await send(`${MODEL}:${action}`))).request.costUsd);
    expect(new Set(costs).size).toBe(1);
    expect(costs[0]).toMatch(/^0\.00\d+$/);
  });

  it('a stream that is cut is settled from what came, as an estimate', async () => {
    const events = geminiChunks().map(geminiEvent);
    upstream.respond(sseThen(events.slice(0, 2), (exchange) => exchange.reset()));
    await expect(send(`${MODEL}:streamGenerateContent?alt=sse`)).rejects.toThrow();
    const [row] = await gate.untilRows(1, ({ status }) => status === 'upstream_error');
    expect(row).toMatchObject({ apiFlavor: 'gemini.generate', settleStatus: 'estimated' });
  });

  it('counting and listing are no rows of usage; embedding is', async () => {
    const before = (await gate.requestsJson()).length;
    expect((await send(`${MODEL}:countTokens`)).json()).toEqual({ totalTokens: 31 });
    expect((await send('/v1beta/models?pageSize=5', { method: 'GET' })).json()).toEqual(GEMINI_MODELS);
    expect((await send('/v1/models', { method: 'GET' })).json()).toEqual(GEMINI_MODELS);
    expect((await send(MODEL, { method: 'GET' })).json()).toEqual(GEMINI_MODELS.models[0]);
    const embed = await send('/v1beta/models/gemini-embedding-001:batchEmbedContents');
    expect(embed.json()).toEqual(GEMINI_EMBEDDING);
    expect((await send('/v1beta/models/gemini-embedding-001:embedContent')).status).toBe(200);
    expect((await rowOf(embed)).request).toMatchObject({ apiFlavor: 'gemini.embed', status: 'ok' });
    expect(await gate.untilRows(before + 2)).toHaveLength(before + 2);
  });
});

describe('the client’s key (X-04, TW-14)', () => {
  it.each([
    ['?key=KEY', ''],
    ['?alt=sse&key=KEY', '?alt=sse'],
    ['?key=KEY&alt=sse', '?alt=sse'],
    ['?%6Bey=KEY&alt=sse', '?alt=sse'],
    ['?alt=sse&key=KEY&fields=a%2Cb', '?alt=sse&fields=a%2Cb'],
  ])('is taken from the query %s and goes no further', async (query, left) => {
    const answer = await send(`${MODEL}:streamGenerateContent${query.replace('KEY', gate.key)}`, {
      headers: [],
    });
    expect(answer.status).toBe(200);
    expect(upstream.requests[0]?.target).toBe(`${MODEL}:streamGenerateContent${left}`);
    expect(upstream.requests[0]?.rawHead.toString()).not.toContain(gate.key);
    expect(gate.output()).not.toContain(gate.key);
  });

  it.each<[string, string, Headers]>([
    ['none', '', []],
    ['an unknown one in the query', '?key=AIza-unknown', []],
    ['an unknown one in the header', '', [['x-goog-api-key', 'AIza-unknown']]],
    ['two that differ', '?key=AIza-unknown', [['x-goog-api-key', 'KEY']]],
  ])('401 in the dialect, and nothing upstream: %s', async (_name, query, headers) => {
    const answer = await send(`${MODEL}:generateContent${query}`, {
      headers: headers.map(([name, value]) => [name, value.replace('KEY', gate.key)]),
    });
    expect(answer.status).toBe(401);
    expect(answer.json()).toMatchObject({ error: { code: 401, status: 'UNAUTHENTICATED' } });
    expect(upstream.requests).toHaveLength(0);
  });

  it('the query of other dialects carries no key', async () => {
    const answer = await send(`/v1/messages?key=${gate.key}`, { headers: [] });
    expect(answer.status).toBe(401);
  });
});

describe('errors (X-04)', () => {
  it('of the upstream go to the client as they are', async () => {
    const body = geminiError(400, 'INVALID_ARGUMENT', 'bad');
    upstream.respond(jsonAnswer(body, { status: 400 }));
    const answer = await send(`${MODEL}:generateContent`);
    expect([answer.status, answer.json()]).toEqual([400, body]);
  });

  it.each([
    '/v1beta/models/../secret:generateContent',
    '/v1beta/models/a%2Fb:generateContent',
    `${MODEL}:deleteEverything`,
    '/v1beta/files',
  ])('404 in the dialect for %s, and nothing upstream', async (path) => {
    const answer = await send(path);
    expect(answer.status).toBe(404);
    expect(answer.json()).toMatchObject({ error: { code: 404, status: 'NOT_FOUND' } });
    expect(upstream.requests).toHaveLength(0);
  });

  it('an error inside the stream, and a 429 with a retryDelay, move on to another account (CF-06, CF-07)', async () => {
    const spare = await gate.addAccount({
      provider: 'gemini',
      baseUrl: second.url,
      name: 'spare',
      priority: 500,
    });
    const overloaded = geminiEvent(geminiError(503, 'UNAVAILABLE', 'overloaded'));
    upstream.respondOnce(sseAnswer([overloaded]));
    const streamed = await send(`${MODEL}:streamGenerateContent?alt=sse`);
    expect(streamed.value('x-tallygate-account')).toBe('spare');
    expect(streamed.text).toBe(geminiChunks().map(geminiEvent).join(''));
    const limited = {
      error: {
        ...(geminiError(429, 'RESOURCE_EXHAUSTED', 'quota').error as object),
        details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '340s' }],
      },
    };
    upstream.respond(jsonAnswer(limited, { status: 429 }));
    const other = '/v1beta/models/gemini-2.5-pro:generateContent';
    await expect
      .poll(async () => {
        upstream.clear();
        await send(other);
        return upstream.requests.length;
      })
      .toBe(0);
    await gate.pauseAccount(spare.id, true);
    const refused = await send(other);
    expect([refused.status, refused.json()]).toMatchObject([
      429,
      { error: { status: 'RESOURCE_EXHAUSTED' } },
    ]);
    expect(Number(refused.value('retry-after'))).toBeGreaterThan(300);
    await gate.pauseAccount(spare.id, false);
  });
});
