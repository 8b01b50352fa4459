import { jsonAnswer, sseThen, stall } from '@tallygate/testkit/fake-upstream/exchange';
import { chatEvents, openAiApi, openAiError } from '@tallygate/testkit/fake-upstream/openai';
import { startWireWorld, type WireWorld } from '@tallygate/testkit/wire-world';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

let world: WireWorld;
let client: OpenAI;
beforeAll(async () => {
  world = await startWireWorld();
  client = new OpenAI({ baseURL: `${world.gate.url}/v1`, apiKey: world.gate.key, maxRetries: 0 });
});
afterAll(() => world?.stop());
beforeEach(() => {
  world.openai.clear();
  world.openai.respond(openAiApi());
});

const TEXT = 'Grüße, 世界! 🚀 from the fake';
/** The SDK's own way to the socket counts here; the gate's 100 ms are proven in tests/wire/disconnect.test.ts. */
const ABORT_MS = 1000;

const ASK = { model: 'gpt-5', messages: [{ role: 'user' as const, content: 'Hello' }] };

describe('the official OpenAI SDK with only its base URL changed (CF-01)', () => {
  it('completes a chat', async () => {
    const { data, response } = await client.chat.completions.create(ASK).withResponse();
    expect(data.choices[0]?.message.content).toBe(TEXT);
    expect(response.headers.get('x-request-id')).toBe('req_openai_upstream');
    const id = response.headers.get('x-tallygate-request-id') ?? '';
    expect((await world.gate.row(id)).request).toMatchObject({ costUsd: '0.0235', status: 'ok' });
  });

  it('streams a chat and never shows a usage chunk that was not asked for', async () => {
    let text = '';
    for await (const chunk of await client.chat.completions.create({ ...ASK, stream: true })) {
      expect(chunk.choices.length).toBeGreaterThan(0);
      text += chunk.choices[0]?.delta.content ?? '';
    }
    expect(text).toBe(TEXT);
  });

  it('streams a chat with the usage chunk when it was asked for', async () => {
    const options = { ...ASK, stream: true, stream_options: { include_usage: true } } as const;
    const usages: unknown[] = [];
    for await (const chunk of await client.chat.completions.create(options))
      if (chunk.usage) usages.push(chunk.usage);
    expect(usages).toMatchObject([{ prompt_tokens: 10_000, completion_tokens: 2000 }]);
  });

  it('calls tools, streaming and not', async () => {
    const toolCall = { name: 'weather', arguments: '{"city":"Zürich"}' };
    world.openai.respond(openAiApi({ toolCall }));
    const plain = await client.chat.completions.create(ASK);
    expect(plain.choices[0]?.message.tool_calls).toMatchObject([{ function: toolCall }]);
    const final = await client.chat.completions.stream(ASK).finalChatCompletion();
    expect(final.choices[0]?.message.tool_calls).toMatchObject([{ function: toolCall }]);
  });

  it('creates a response, streaming and not', async () => {
    const plain = await client.responses.create({ model: 'gpt-5', input: 'Hi' });
    expect(plain.output_text).toBe(TEXT);
    const stream = client.responses.stream({ model: 'gpt-5', input: 'Hi' });
    const final = await stream.finalResponse();
    expect(final.output_text).toBe(TEXT);
    expect(final.usage).toMatchObject({ input_tokens: 10_000, output_tokens: 2000 });
  });

  it('embeds and lists models, also under /openai', async () => {
    const prefixed = new OpenAI({
      baseURL: `${world.gate.url}/openai/v1`,
      apiKey: world.gate.key,
      maxRetries: 0,
    });
    for (const one of [client, prefixed]) {
      const { data } = await one.embeddings.create({
        model: 'text-embedding-3-small',
        input: 'x',
        encoding_format: 'float',
      });
      expect(data[0]?.embedding).toEqual([0.25, -0.5, 0.125]);
      expect((await one.models.list()).data.map(({ id }) => id)).toContain('gpt-5');
    }
  });

  it.each([
    [400, OpenAI.BadRequestError],
    [401, OpenAI.AuthenticationError],
    [404, OpenAI.NotFoundError],
    [429, OpenAI.RateLimitError],
    [500, OpenAI.InternalServerError],
  ])('raises its own class for the upstream error %d', async (status, expected) => {
    world.openai.respond(jsonAnswer(openAiError('from upstream', 'some_type', 'some_code'), { status }));
    const error = await client.chat.completions.create(ASK).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(expected);
    expect(error).toMatchObject({ status, type: 'some_type', code: 'some_code' });
  });

  it('raises its own class for errors of the gate', async () => {
    const stranger = new OpenAI({ baseURL: `${world.gate.url}/v1`, apiKey: 'wrong', maxRetries: 0 });
    const error = await stranger.chat.completions.create(ASK).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OpenAI.AuthenticationError);
    expect((error as InstanceType<typeof OpenAI.APIError>).code).toBe('invalid_api_key');
    await expect(client.files.list()).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });

  it('aborts: the upstream knows at once', async () => {
    world.openai.respond(sseThen(chatEvents().slice(0, 3), stall));
    const stream = await client.chat.completions.create({ ...ASK, stream: true });
    let leftAt = 0;
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta.content) {
        leftAt = performance.now();
        break; // leaving the loop aborts the request
      }
    }
    expect(((await world.openai.requests[0]?.peerGone) ?? Infinity) - leftAt).toBeLessThan(ABORT_MS);
  });
});
