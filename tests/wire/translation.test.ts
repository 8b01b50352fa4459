import { anthropicApi, anthropicEvents } from '@tallygate/testkit/fake-upstream/anthropic';
import { CUTS } from '@tallygate/testkit/fake-upstream/chunking';
import { jsonAnswer, sseAnswer } from '@tallygate/testkit/fake-upstream/exchange';
import { chatEvents, openAiApi } from '@tallygate/testkit/fake-upstream/openai';
import { rawCall, requestBytes } from '@tallygate/testkit/raw-client';
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

describe('a body that no translator can walk through (CW-08)', () => {
  it('gets 400 and not an error of the server', async () => {
    await chatOnAnthropic();
    const schema = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`;
    const body = `{"model":"m","messages":[],"tools":[{"type":"function","function":{"name":"f","parameters":${schema}}}]}`;
    const headers = [
      ['content-type', 'application/json'],
      ['x-api-key', world.gate.key],
    ] as const;
    const answer = await rawCall(
      world.gate.port,
      requestBytes({ path: '/v1/chat/completions', headers, body }),
    ).answer;
    expect([answer.status, answer.value('x-tallygate-error')]).toEqual([400, 'invalid_request']);
    expect(answer.text).toContain('nested too deeply');
    expect(world.upstream.requests).toHaveLength(0);
  });
});

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
