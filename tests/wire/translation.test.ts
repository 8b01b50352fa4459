import {
  anthropicApi,
  anthropicError,
  anthropicEvents,
  anthropicMessage,
  OVERLOADED_EVENT,
} from '@tallygate/testkit/fake-upstream/anthropic';
import { CUTS } from '@tallygate/testkit/fake-upstream/chunking';
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
interface SseFrame {
  name: string;
  type: string;
  delta?: { text?: string };
  message?: { usage: { input_tokens: number } };
}

const ASK = { model: 'gpt-5', max_tokens: 100, messages: [{ role: 'user', content: 'Hello' }] };
const CHAT = { model: 'claude-sonnet-4-5', messages: [{ role: 'user', content: 'Hello' }] };
const SCHEMA = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const PNG = 'iVBORw0KGgo=';

describe('a Messages client on an upstream of Chat Completions (X-04)', () => {
  it('every feature arrives as the upstream knows it, and nothing else does', async () => {
    await messagesOnChat();
    const answer = await world.call(
      '/v1/messages?beta=true',
      {
        ...ASK,
        temperature: 0.5,
        top_p: 0.9,
        stop_sequences: ['END'],
        system: [
          { type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } },
          { type: 'text', text: 'Be kind.' },
        ],
        thinking: { type: 'enabled', budget_tokens: 10_000 },
        metadata: { user_id: 'user-1' },
        tools: [{ name: 'weather', description: 'Tells it', input_schema: SCHEMA }],
        tool_choice: { type: 'any', disable_parallel_tool_use: true },
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'Look' },
              { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } },
              {
                type: 'document',
                title: 'a.pdf',
                source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERg==' },
              },
            ],
          },
          {
            role: 'assistant',
            content: [
              { type: 'text', text: 'I look.' },
              { type: 'tool_use', id: 'call_1', name: 'weather', input: { city: 'Zürich' } },
              { type: 'tool_use', id: 'call_2', name: 'weather', input: {} },
            ],
          },
          {
            role: 'user',
            content: [
              { type: 'tool_result', tool_use_id: 'call_1', content: 'sunny' },
              {
                type: 'tool_result',
                tool_use_id: 'call_2',
                is_error: true,
                content: [
                  { type: 'text', text: 'no city' },
                  { type: 'image', source: { type: 'url', url: 'https://images.invalid/a.png' } },
                ],
              },
              { type: 'text', text: 'Go on' },
            ],
          },
        ],
      },
      [
        ['anthropic-version', '2023-06-01'],
        ['anthropic-beta', 'x-2025'],
        ['user-agent', 'agent/1'],
      ],
    ).answer;
    expect([answer.status, answer.text.slice(0, 60)]).toEqual([
      200,
      expect.stringContaining('"type":"message"'),
    ]);
    expect(answer.value('x-tallygate-dropped')).toBe('anthropic-beta, cache_control, tool_result.is_error');
    expect(sent().path).toBe('/v1/chat/completions');
    expect(sent().value('user-agent')).toBe('agent/1');
    expect(['anthropic-version', 'anthropic-beta', 'x-api-key'].map((name) => sent().value(name))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(sent().json()).toEqual({
      model: 'gpt-5',
      max_tokens: 100,
      temperature: 0.5,
      top_p: 0.9,
      stop: ['END'],
      user: 'user-1',
      reasoning_effort: 'medium',
      parallel_tool_calls: false,
      tool_choice: 'required',
      tools: [
        { type: 'function', function: { name: 'weather', description: 'Tells it', parameters: SCHEMA } },
      ],
      messages: [
        { role: 'system', content: 'Be brief.\n\nBe kind.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look' },
            { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } },
            { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERg==' } },
          ],
        },
        {
          role: 'assistant',
          content: 'I look.',
          tool_calls: [
            { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Zürich"}' } },
            { id: 'call_2', type: 'function', function: { name: 'weather', arguments: '{}' } },
          ],
        },
        { role: 'tool', tool_call_id: 'call_1', content: 'sunny' },
        { role: 'tool', tool_call_id: 'call_2', content: 'no city' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Part of the result of the tool call call_2:' },
            { type: 'image_url', image_url: { url: 'https://images.invalid/a.png' } },
            { type: 'text', text: 'Go on' },
          ],
        },
      ],
    });
  });

  it('a whole answer: content, stop reason and usage in the client’s words, the row from the upstream’s', async () => {
    await messagesOnChat();
    world.upstream.respond(openAiApi({ toolCall: { name: 'weather', arguments: '{"city":"Bern"}' } }));
    const answer = await world.call('/v1/messages', ASK).answer;
    expect(answer.json()).toMatchObject({
      type: 'message',
      role: 'assistant',
      model: 'gpt-5',
      content: [{ type: 'tool_use', id: 'call_test', name: 'weather', input: { city: 'Bern' } }],
      stop_reason: 'tool_use',
      usage: { input_tokens: 2000, cache_read_input_tokens: 8000, output_tokens: 2000 },
    });
    const { request } = await world.rowOf(answer);
    expect(request).toMatchObject({
      apiFlavor: 'anthropic.messages',
      provider: 'compatible',
      status: 'ok',
      settleStatus: 'final',
    });
    expect(request.tokens).toMatchObject({ inputUncached: 2000, cacheRead: 8000, outputReasoning: 1500 });
  });

  it.each(Object.entries(CUTS))('a stream, cut into %s', async (_name, cut) => {
    await messagesOnChat();
    world.upstream.respond(sseAnswer(chatEvents({ text: 'Grüße, 世界! 🚀' }), { cut }));
    const answer = await world.call('/v1/messages', { ...ASK, stream: true }).answer;
    const events = [...answer.text.matchAll(/event: (\S+)\ndata: (.*)\n\n/g)].map(
      ([, name, data]) => ({ name, ...JSON.parse(data ?? '') }) as SseFrame,
    );
    expect(events.map(({ name, type }) => name === type)).not.toContain(false);
    expect(events.map(({ name }) => name)).toEqual([
      'message_start',
      'content_block_start',
      ...Array(3).fill('content_block_delta'),
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
    expect(events[0]?.message?.usage.input_tokens).toBeGreaterThan(0);
    expect(events.flatMap(({ delta }) => delta?.text ?? []).join('')).toBe('Grüße, 世界! 🚀');
    expect(events.at(-2)).toMatchObject({
      delta: { stop_reason: 'end_turn' },
      usage: { input_tokens: 2000, cache_read_input_tokens: 8000, output_tokens: 2000 },
    });
    expect((await world.rowOf(answer)).request).toMatchObject({ settleStatus: 'final', totalTokens: 12_000 });
  });

  it('calls whose arguments come mixed are put in order', async () => {
    await messagesOnChat();
    const chunk = (tool_calls: object[]) =>
      `data: ${JSON.stringify({ id: 'c', model: 'm', choices: [{ index: 0, delta: { tool_calls }, finish_reason: null }] })}\n\n`;
    const call = (index: number, name: string) => ({
      index,
      id: `call_${index}`,
      type: 'function',
      function: { name, arguments: '' },
    });
    const args = (index: number, text: string) => ({ index, function: { arguments: text } });
    world.upstream.respond(
      sseAnswer([
        chunk([call(0, 'a'), call(1, 'b')]),
        chunk([args(1, '{"y":')]),
        chunk([args(0, '{"x":1}')]),
        chunk([args(1, '2}')]),
        ...chatEvents({ toolCall: { name: '', arguments: '' } }).slice(-3),
      ]),
    );
    const { text } = await world.call('/v1/messages', { ...ASK, stream: true }).answer;
    const starts = [...text.matchAll(/"content_block":\{"type":"tool_use","id":"(\w+)"/g)].map(
      ([, id]) => id,
    );
    const json = [
      ...text.matchAll(/"index":(\d),"delta":\{"type":"input_json_delta","partial_json":(".*?")\}\}\n/g),
    ];
    const of = (index: string) =>
      json
        .filter(([, at]) => at === index)
        .map(([, , piece]) => JSON.parse(piece ?? ''))
        .join('');
    expect(starts).toEqual(['call_0', 'call_1']);
    expect([of('0'), of('1')]).toEqual(['{"x":1}', '{"y":2}']);
  });

  it('reasoning of the upstream comes back to it under its own name', async () => {
    world = await startTranslationWorld({ provider: 'compatible', responder: openAiApi() });
    const message = { role: 'assistant', content: 'Hi', reasoning_content: 'Let me see' };
    world.upstream.respond(
      jsonAnswer({ id: 'c', model: 'm', choices: [{ index: 0, message, finish_reason: 'stop' }] }),
    );
    const { content } = (await world.call('/v1/messages', ASK).answer).json() as { content: object[] };
    expect(content).toMatchObject([
      { type: 'thinking', thinking: 'Let me see' },
      { type: 'text', text: 'Hi' },
    ]);
    const messages = [...ASK.messages, { role: 'assistant', content }, { role: 'user', content: 'And?' }];
    await world.call('/v1/messages', { ...ASK, messages }).answer;
    expect((sent().json() as { messages: object[] }).messages[1]).toEqual(message);
  });
});

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

describe('what cannot be carried is refused or named (X-04)', () => {
  it('refused: the error names it, in the client’s dialect, and nothing is sent', async () => {
    await messagesOnChat();
    const answer = await world.call('/v1/messages', {
      ...ASK,
      service_tier: 'auto',
      mcp_servers: [{ name: 'x' }],
    }).answer;
    expect([answer.status, answer.value('x-tallygate-error')]).toEqual([400, 'not_translatable']);
    expect(answer.json()).toMatchObject({
      type: 'error',
      error: {
        type: 'invalid_request_error',
        message: expect.stringContaining('has no place for: mcp_servers.'),
      },
    });
    expect(world.upstream.requests).toEqual([]);
  });

  it('dropped where the operator says so, and named in a header', async () => {
    await chatOnAnthropic({ TRANSLATE_LOSSES: 'drop' });
    const answer = await world.call('/v1/chat/completions', { ...CHAT, n: 2, logit_bias: { 1: 2 }, seed: 4 })
      .answer;
    expect([answer.status, answer.value('x-tallygate-dropped')]).toEqual([200, 'seed, logit_bias, n']);
  });

  it('what an answer loses is named in a comment where the head is gone', async () => {
    await chatOnAnthropic();
    const [start, ...rest] = anthropicEvents();
    const cited =
      'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"citations_delta","citation":{}}}\n\n';
    world.upstream.respond(
      sseAnswer([start ?? '', rest[0] ?? '', rest[1] ?? '', cited, cited, ...rest.slice(2)]),
    );
    const { text } = await world.call('/v1/chat/completions', { ...CHAT, stream: true }).answer;
    expect(text.match(/: x-tallygate-dropped: citations\n\n/g)).toHaveLength(1);
    const path = '/v1beta/models/claude-sonnet-4-5:streamGenerateContent?alt=sse';
    const gemini = await world.call(path, { contents: [{ parts: [{ text: 'Hi' }] }] }).answer;
    const frames = gemini.text.split('\n\n').filter((frame) => frame !== '');
    // Clients of this API take whatever is no data for the end: neither comments nor pings.
    expect(frames.filter((frame) => !frame.startsWith('data: {'))).toEqual([]);
    expect(frames.at(-1)).toContain('"tallygateDropped":["citations"]');
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
