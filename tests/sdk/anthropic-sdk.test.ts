import Anthropic from '@anthropic-ai/sdk';
import {
  anthropicApi,
  anthropicError,
  anthropicEvents,
  anthropicMessage,
  MULTIBYTE_TEXT,
  OVERLOADED_EVENT,
} from '@tallygate/testkit/fake-upstream/anthropic';
import { jsonAnswer, sseAnswer, sseThen, stall } from '@tallygate/testkit/fake-upstream/exchange';
import { startWireWorld, type WireWorld } from '@tallygate/testkit/wire-world';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

let world: WireWorld;
let client: Anthropic;
beforeAll(async () => {
  world = await startWireWorld();
  client = new Anthropic({ baseURL: world.gate.url, apiKey: world.gate.key, maxRetries: 0 });
});
afterAll(() => world?.stop());
beforeEach(() => {
  world.anthropic.clear();
  world.anthropic.respond(anthropicApi());
});

/** The SDK's own way to the socket counts here; the gate's 100 ms are proven in tests/wire/disconnect.test.ts. */
const ABORT_MS = 1000;

const ASK = {
  model: 'claude-sonnet-4-6',
  max_tokens: 100,
  messages: [{ role: 'user' as const, content: 'Hello' }],
};

describe('the official Anthropic SDK with only its base URL changed (CF-01)', () => {
  it('creates a message', async () => {
    const { data, response } = await client.messages.create(ASK).withResponse();
    expect(data).toMatchObject(anthropicMessage({ model: ASK.model }));
    expect(response.headers.get('request-id')).toBe('req_011CTestUpstream');
    const id = response.headers.get('x-tallygate-request-id') ?? '';
    expect((await world.gate.row(id)).request).toMatchObject({ costUsd: '0.0593', status: 'ok' });
  });

  it('streams a message with thinking and a tool call', async () => {
    const toolUse = { name: 'get_weather', input: { city: 'Zürich', days: 3 } };
    world.anthropic.respond(anthropicApi({ thinking: 'Überlegen …', toolUse }));
    const stream = client.messages.stream({
      ...ASK,
      tools: [
        { name: 'get_weather', input_schema: { type: 'object', properties: { city: { type: 'string' } } } },
      ],
    });
    let text = '';
    stream.on('text', (part) => {
      text += part;
    });
    const message = await stream.finalMessage();
    expect(text).toBe(MULTIBYTE_TEXT);
    expect(message.stop_reason).toBe('tool_use');
    expect(message.content.find((block) => block.type === 'tool_use')).toMatchObject(toolUse);
    expect(message.content.find((block) => block.type === 'thinking')).toMatchObject({
      thinking: 'Überlegen …',
    });
    expect(message.usage).toMatchObject({ output_tokens: 500, cache_read_input_tokens: 20_000 });
  });

  it('iterates raw events', async () => {
    const types: string[] = [];
    for await (const event of await client.messages.create({ ...ASK, stream: true })) types.push(event.type);
    expect(types[0]).toBe('message_start');
    expect(types.at(-1)).toBe('message_stop');
  });

  it('authenticates with a bearer token too', async () => {
    const bearer = new Anthropic({
      baseURL: world.gate.url,
      apiKey: null,
      authToken: world.gate.key,
      maxRetries: 0,
    });
    expect(await bearer.messages.create(ASK)).toMatchObject(anthropicMessage({ model: ASK.model }));
  });

  it('counts tokens, lists models, and uses betas', async () => {
    const { max_tokens, ...count } = ASK;
    expect(max_tokens).toBe(100);
    expect(await client.messages.countTokens(count)).toEqual({ input_tokens: 2095 });
    const models: string[] = [];
    for await (const model of client.models.list()) models.push(model.id);
    expect(models).toEqual(expect.arrayContaining(['claude-sonnet-4-5', 'claude-haiku-4-5', 'gpt-5']));
    await client.beta.messages.create({ ...ASK, betas: ['context-1m-2025-08-07'] });
    const request = world.anthropic.requests.at(-1);
    expect(request?.target).toMatch(/^\/v1\/messages(\?beta=true)?$/);
    expect(request?.value('anthropic-beta')).toBe('context-1m-2025-08-07');
  });

  it.each([
    [400, 'invalid_request_error', Anthropic.BadRequestError],
    [401, 'authentication_error', Anthropic.AuthenticationError],
    [403, 'permission_error', Anthropic.PermissionDeniedError],
    [404, 'not_found_error', Anthropic.NotFoundError],
    [429, 'rate_limit_error', Anthropic.RateLimitError],
    [500, 'api_error', Anthropic.InternalServerError],
    [529, 'overloaded_error', Anthropic.InternalServerError],
  ])('raises its own class for the upstream error %d', async (status, type, expected) => {
    world.anthropic.respond(jsonAnswer(anthropicError(type, 'from upstream'), { status }));
    const error = await client.messages.create(ASK).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(expected);
    expect((error as InstanceType<typeof Anthropic.APIError>).error).toMatchObject({
      error: { type, message: 'from upstream' },
    });
  });

  it('raises its own class for errors of the gate', async () => {
    const stranger = new Anthropic({ baseURL: world.gate.url, apiKey: 'wrong', maxRetries: 0 });
    const error = await stranger.messages.create(ASK).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Anthropic.AuthenticationError);
    expect((error as { requestID?: string }).requestID).toMatch(/^[0-9a-f-]{36}$/);
    const missing = await client.get('/v1/nothing-here').catch((thrown: unknown) => thrown);
    expect(missing).toBeInstanceOf(Anthropic.NotFoundError);
  });

  it('raises on an error inside the stream and on a stream that breaks', async () => {
    world.anthropic.respond(sseAnswer([...anthropicEvents().slice(0, 4), OVERLOADED_EVENT]));
    await expect(client.messages.stream(ASK).finalMessage()).rejects.toThrow(/[Oo]verloaded/);
    world.anthropic.respond(sseThen(anthropicEvents().slice(0, 4), (exchange) => exchange.reset()));
    await expect(client.messages.stream(ASK).finalMessage()).rejects.toThrow();
  });

  it('retries by what the upstream says', async () => {
    const retrying = new Anthropic({ baseURL: world.gate.url, apiKey: world.gate.key, maxRetries: 2 });
    const headers = [['retry-after-ms', '1']] as const;
    world.anthropic.respondOnce(
      jsonAnswer(anthropicError('overloaded_error', 'x'), { status: 529, headers }),
    );
    expect(await retrying.messages.create(ASK)).toMatchObject(anthropicMessage({ model: ASK.model }));
    expect(world.anthropic.requests).toHaveLength(2);
    expect(world.anthropic.requests[1]?.value('x-stainless-retry-count')).toBe('1');
  });

  it('aborts: the upstream knows at once', async () => {
    world.anthropic.respond(sseThen(anthropicEvents().slice(0, 5), stall));
    const stream = client.messages.stream(ASK);
    await new Promise((resolve) => stream.once('text', resolve));
    const leftAt = performance.now();
    stream.abort();
    await expect(stream.done()).rejects.toBeInstanceOf(Anthropic.APIUserAbortError);
    expect(((await world.anthropic.requests[0]?.peerGone) ?? Infinity) - leftAt).toBeLessThan(ABORT_MS);
  });
});
