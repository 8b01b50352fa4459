import {
  anthropicApi,
  anthropicError,
  anthropicEvents,
  anthropicMessage,
  OVERLOADED_EVENT,
} from '@tallygate/testkit/fake-upstream/anthropic';
import { jsonAnswer, sseAnswer, sseThen } from '@tallygate/testkit/fake-upstream/exchange';
import { startFakeUpstream } from '@tallygate/testkit/fake-upstream/fake-upstream';
import { chatEvents, openAiApi, openAiError } from '@tallygate/testkit/fake-upstream/openai';
import { CutAnswer } from '@tallygate/testkit/raw-client';
import { startTranslationWorld, type TranslationWorld } from '@tallygate/testkit/translation-world';
import { afterEach, describe, expect, it } from 'vitest';

let world: TranslationWorld;
afterEach(() => world.stop());

const messagesOnChat = async (config: Record<string, string> = {}) => {
  world = await startTranslationWorld({ provider: 'compatible', responder: openAiApi(), config });
};
const chatOnAnthropic = async (config: Record<string, string> = {}) => {
  world = await startTranslationWorld({ provider: 'anthropic', responder: anthropicApi(), config });
};
const sent = () => {
  const request = world.upstream.requests.at(-1);
  if (!request) throw new Error('nothing was sent upstream');
  return request;
};
const ASK = { model: 'gpt-5', max_tokens: 100, messages: [{ role: 'user', content: 'Hello' }] };
const CHAT = { model: 'claude-sonnet-4-5', messages: [{ role: 'user', content: 'Hello' }] };
const SCHEMA = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const PNG = 'iVBORw0KGgo=';

describe('a Chat Completions client on an upstream of Messages (X-04)', () => {
  it('every feature arrives as the upstream knows it, and nothing else does', async () => {
    await chatOnAnthropic();
    const answer = await world.call('/v1/chat/completions', {
      ...CHAT,
      max_completion_tokens: 4000,
      temperature: 0.5,
      stop: 'END',
      user: 'user-1',
      parallel_tool_calls: false,
      store: true,
      tools: [
        {
          type: 'function',
          function: { name: 'weather', description: 'Tells it', parameters: SCHEMA, strict: true },
        },
      ],
      tool_choice: { type: 'function', function: { name: 'weather' } },
      response_format: { type: 'json_schema', json_schema: { name: 'a', schema: SCHEMA } },
      messages: [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'developer',
          content: [{ type: 'text', text: 'Be kind.', cache_control: { type: 'ephemeral' } }],
        },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look' },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } },
            { type: 'image_url', image_url: { url: 'https://images.invalid/a.png' } },
          ],
        },
        {
          role: 'assistant',
          content: null,
          tool_calls: [
            { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Bern"}' } },
          ],
        },
        { role: 'tool', tool_call_id: 'call_1', content: 'sunny' },
        { role: 'user', content: 'Go on' },
      ],
    }).answer;
    expect(answer.status).toBe(200);
    expect(answer.value('x-tallygate-dropped')).toBe('store');
    expect([sent().path, sent().value('anthropic-version'), sent().value('authorization')]).toEqual([
      '/v1/messages',
      '2023-06-01',
      undefined,
    ]);
    expect(sent().json()).toEqual({
      model: 'claude-sonnet-4-5',
      max_tokens: 4000,
      temperature: 0.5,
      stop_sequences: ['END'],
      metadata: { user_id: 'user-1' },
      system: [
        { type: 'text', text: 'Be brief.' },
        { type: 'text', text: 'Be kind.', cache_control: { type: 'ephemeral' } },
      ],
      tools: [{ name: 'weather', description: 'Tells it', input_schema: SCHEMA, strict: true }],
      tool_choice: { type: 'tool', name: 'weather', disable_parallel_tool_use: true },
      output_config: { format: { type: 'json_schema', schema: SCHEMA } },
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look' },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } },
            { type: 'image', source: { type: 'url', url: 'https://images.invalid/a.png' } },
          ],
        },
        {
          role: 'assistant',
          content: [{ type: 'tool_use', id: 'call_1', name: 'weather', input: { city: 'Bern' } }],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'call_1', content: [{ type: 'text', text: 'sunny' }] },
            { type: 'text', text: 'Go on' },
          ],
        },
      ],
    });
  });

  it('the usage chunk comes only to clients that asked for it', async () => {
    await chatOnAnthropic();
    const usageOf = async (extra: object) => {
      const { text } = await world.call('/v1/chat/completions', { ...CHAT, stream: true, ...extra }).answer;
      expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
      return /"choices":\[\],"usage":(\{.*\})\}/.exec(text)?.[1];
    };
    expect(await usageOf({})).toBeUndefined();
    expect(JSON.parse((await usageOf({ stream_options: { include_usage: true } })) ?? '')).toMatchObject({
      prompt_tokens: 25_100,
      completion_tokens: 500,
      prompt_tokens_details: { cached_tokens: 20_000 },
    });
  });

  const script = {
    thinking: 'Überlegen …',
    text: 'Hm.',
    toolUse: { name: 'weather', input: { city: 'Bern' } },
  };
  it.each([
    ['a client that keeps whole messages', (message: Record<string, unknown>) => message],
    [
      'a client that keeps only what it knows',
      ({ role, content, tool_calls }: Record<string, unknown>) => ({ role, content, tool_calls }),
    ],
  ])('thinking goes back byte for byte through %s', async (_name, keep) => {
    await chatOnAnthropic();
    world.upstream.respond(anthropicApi(script));
    const first = (
      await world.call('/v1/chat/completions', { ...CHAT, reasoning_effort: 'low' }).answer
    ).json() as {
      choices: { message: { tool_calls: { id: string }[] } & Record<string, unknown> }[];
    };
    const message = first.choices[0]!.message;
    const id = message.tool_calls[0]!.id;
    await world.call('/v1/chat/completions', {
      ...CHAT,
      reasoning_effort: 'low',
      messages: [...CHAT.messages, keep(message), { role: 'tool', tool_call_id: id, content: 'sunny' }],
    }).answer;
    const body = sent().json() as { messages: object[]; thinking: object };
    expect(body.messages[1]).toEqual({ role: 'assistant', content: anthropicMessage(script).content });
    expect(body.messages[2]).toMatchObject({
      content: [{ type: 'tool_result', tool_use_id: 'toolu_01Test' }],
    });
    expect(body.thinking).toEqual({ type: 'enabled', budget_tokens: 2048 });
  });
});

describe('failures in the client’s dialect (X-04)', () => {
  it.each([
    [400, 'invalid_request_error'],
    [404, 'not_found_error'],
    [429, 'rate_limit_error'],
    [500, 'api_error'],
  ])('an upstream’s %i', async (status, type) => {
    await messagesOnChat();
    const headers = [['retry-after', '7']] as const;
    world.upstream.respond(jsonAnswer(openAiError('That is wrong', 'x', null), { status, headers }));
    const answer = await world.call('/v1/messages', { ...ASK, stream: true }).answer;
    expect(answer.status).toBe(status);
    expect(answer.json()).toMatchObject({ type: 'error', error: { type, message: 'That is wrong' } });
    if (status === 429) expect(answer.value('retry-after')).toBe('7');
    expect((await world.rowOf(answer)).request).toMatchObject({
      httpStatus: status,
      errorCode: `http_${status}`,
    });
  });

  it('an error after content is an event of the client’s format', async () => {
    await chatOnAnthropic();
    world.upstream.respond(sseAnswer([...anthropicEvents().slice(0, 4), OVERLOADED_EVENT]));
    const answer = await world.call('/v1/chat/completions', { ...CHAT, stream: true }).answer;
    expect(answer.text).toMatch(/"content":"Grüße, "[\s\S]*data: \{"error":\{"message":"Overloaded"/);
    expect(answer.text).not.toContain('[DONE]');
    expect((await world.rowOf(answer)).request).toMatchObject({ status: 'upstream_error' });
  });

  it('a stream that breaks off breaks off for the client', async () => {
    await messagesOnChat();
    world.upstream.respond(sseThen(chatEvents().slice(0, 3), (exchange) => exchange.reset()));
    await expect(world.call('/v1/messages', { ...ASK, stream: true }).answer).rejects.toBeInstanceOf(
      CutAnswer,
    );
  });

  it.each([
    ['no JSON', jsonAnswer('<html>')],
    ['an encoding it was not asked for', jsonAnswer({ choices: [] }, { encoding: 'gzip' })],
    ['no choices', jsonAnswer({ id: 'x' })],
  ])('an answer that is none: %s', async (_name, responder) => {
    await messagesOnChat();
    world.upstream.respond(responder);
    const answer = await world.call('/v1/messages', ASK).answer;
    expect([answer.status, answer.value('x-tallygate-error')]).toEqual([502, 'upstream_failed']);
    expect(answer.json()).toMatchObject({ type: 'error', error: { type: 'api_error' } });
  });

  it('an answer as events where a body was asked for, and the other way round', async () => {
    await messagesOnChat();
    world.upstream.respond(sseAnswer(chatEvents({ text: 'Hi there' })));
    const whole = await world.call('/v1/messages', ASK).answer;
    expect(whole.json()).toMatchObject({
      content: [{ type: 'text', text: 'Hi there' }],
      usage: { output_tokens: 2000 },
    });
    world.upstream.respond(openAiApi({ text: 'Hi there' }));
    world.upstream.respond(
      jsonAnswer({ id: 'c', choices: [{ message: { content: 'Hi' }, finish_reason: 'stop' }] }),
    );
    const streamed = await world.call('/v1/messages', { ...ASK, stream: true }).answer;
    expect(streamed.text).toMatch(/"text":"Hi"[\s\S]*event: message_stop/);
    expect(streamed.value('content-type')).toContain('text/event-stream');
  });
});

describe('accounts of the client’s own format come first (X-04, CF-07)', () => {
  it('an attempt that fails there is translated for the next account, from the client’s own body', async () => {
    await messagesOnChat({ RETRY_ATTEMPTS: '1', RETRY_DELAY_MS: '5', LB_STRATEGY: 'priority' });
    const own = await startFakeUpstream(jsonAnswer(anthropicError('api_error', 'no'), { status: 500 }));
    try {
      await world.gate.addAccount({
        provider: 'anthropic',
        baseUrl: own.url,
        models: ['gpt-*'],
        priority: 900,
      });
      await world.gate.addAccount({
        provider: 'compatible',
        baseUrl: world.upstream.url,
        models: ['gpt-*'],
        name: 'other',
      });
      const body = { ...ASK, stream: true };
      const answer = await world.call('/v1/messages', body).answer;
      expect([answer.status, answer.value('x-tallygate-account')]).toEqual([200, 'other']);
      expect(answer.text).toContain('event: message_stop');
      expect(own.requests[0]?.body().toString()).toBe(JSON.stringify(body));
      expect(sent().json()).toMatchObject({
        max_tokens: 100,
        stream_options: { include_usage: true },
      });
      const { attempts } = await world.rowOf(answer);
      expect(attempts).toMatchObject([
        { provider: 'anthropic', errorCode: 'http_500' },
        { provider: 'compatible', outcome: 'ok' },
      ]);
    } finally {
      await own.stop();
    }
  });

  it('a rule that sends calls to a pool of another format is obeyed, with the model it names (CF-09)', async () => {
    world = await startTranslationWorld({
      provider: 'compatible',
      responder: openAiApi(),
      account: { pools: ['local'] },
      others: [{ provider: 'anthropic', baseUrl: 'http://127.0.0.1:9' }],
      rules: [
        {
          name: 'local',
          conditions: { models: ['claude-haiku-*'] },
          actions: { pool: 'local', model: 'llama' },
        },
      ],
    });
    const answer = await world.call('/v1/messages', { ...ASK, model: 'claude-haiku-4-5' }).answer;
    expect([answer.status, answer.value('x-tallygate-account')]).toEqual([200, 'compatible']);
    expect(sent().json()).toMatchObject({ model: 'llama', messages: ASK.messages });
  });
});
